"""The card of a duel: an image and its figures, to share."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2

from ...models.files import atomic_write
from ...models.profiling import machine
from ...models.runtime.options import RuntimeOptions
from ...models.types import U8


@dataclass(frozen=True, slots=True)
class Card:
    """A duel to share.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        entry: the figures, the machine and the source, as a JSON object.
    """

    image: U8
    entry: dict[str, Any]

    def png(self) -> bytes:
        """The image as a PNG file."""
        return cv2.imencode(".png", self.image)[1].tobytes()

    def json(self) -> str:
        """The figures as the text of a JSON file."""
        return json.dumps(self.entry, indent=1, allow_nan=False) + "\n"

    def save(self, stem: Path, *, overwrite: bool = False) -> tuple[Path, Path]:
        """Writes ``STEM.png`` and ``STEM.json``, both or neither; returns their paths.

        Raises:
            SepcamError: If one exists (without ``overwrite``) or cannot be written.
        """
        image, figures = card_paths(stem)
        with (
            atomic_write(image, overwrite=overwrite) as image_file,
            atomic_write(figures, overwrite=overwrite) as figures_file,
        ):
            image_file.write_bytes(self.png())
            figures_file.write_text(self.json(), encoding="utf-8")
        return image, figures


def card_paths(stem: Path) -> tuple[Path, Path]:
    """The files of a card: image and figures."""
    return stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.json")


def described(source: str, seconds: float, options: RuntimeOptions) -> dict[str, Any]:
    """Where and how a duel ran, for its card.

    Args:
        source: its name, as people may see it.
        seconds: that it was meant to last.
        options: resolved ones.
    """
    return {
        "source": source,
        "seconds": seconds,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "runtime": runtime_text(options),
        "environment": machine.describe(),
    }


def signature(entry: dict[str, Any]) -> str:
    """A line that says where and when a duel ran."""
    cpu = entry["environment"]["cpu"]
    version = metadata.version("sepcam")
    return f"{entry['source']} \u00b7 {cpu} \u00b7 Sepcam {version} \u00b7 {entry['created'][:10]}"


def runtime_text(options: RuntimeOptions) -> str:
    """Resolved options in a few words."""
    if options.device == "cuda":
        return f"{options.runtime} {options.precision} on the GPU"
    threads = "all cores" if options.threads is None else f"{options.threads} threads"
    return f"{options.runtime} {options.precision}, {'1 thread' if options.threads == 1 else threads}"
