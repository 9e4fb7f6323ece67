"""The file that keeps what was right and wrong in each image of an evaluation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...models.errors import SepcamError
from ...pipelines.evaluation.matches import OVERLAPS, Matches
from ...pipelines.files.text import read_text
from ..compare.report import write_text
from .datasets import Measured

MATCHES_SUFFIX: Final = ".matches.json"
"""How its name ends."""


def write_matches(path: Path, measured: Measured, *, overwrite: bool) -> None:
    """Writes the matches of a setup; see `Matches.to_json`.

    Raises:
        SepcamError: If the file exists or cannot be written.
    """
    kinds = {
        kind: {image: one.to_json() for image, one in images.items()}
        for kind, images in measured.matches.items()
    }
    write_text(path, json.dumps({"overlaps": OVERLAPS, "kinds": kinds}) + "\n", overwrite=overwrite)


def read_matches(path: Path) -> Mapping[str, Mapping[str, Matches]]:
    """What ``write_matches`` wrote: by kind of result, then by image.

    Raises:
        SepcamError: If the file cannot be read or holds something else.
    """
    try:
        kinds: dict[str, dict[str, Any]] = json.loads(read_text(path))["kinds"]
        return {
            kind: {image: Matches.from_json(values) for image, values in images.items()}
            for kind, images in kinds.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SepcamError(f"{path} does not hold the matches of an evaluation: evaluate again") from error
