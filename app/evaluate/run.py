"""The work of ``sepcam evaluate``: measures every setup, and writes table, figures and images."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...models.errors import SepcamError
from ...models.profiling import machine
from ...models.types import DEFAULT_POSE, PoseEstimator
from ...models.weights.store import WeightStore
from ...models.zoo import load_pose
from ...pipelines.evaluation.curves import curve
from ...pipelines.evaluation.matches import Matches
from ..compare.report import write_text
from ..terminal import console
from ..terminal.images import image_grid, save_image
from .datasets import Data, Measured
from .matches_file import MATCHES_SUFFIX, write_matches
from .report import errors_table, json_text, plot, plot_curves, table
from .setups import Setup, definite

SCHEMA = "sepcam-evaluation"
VERSION = 2
JSON_NAME, SHEET_NAME = "evaluation.json", "worst.png"
PLOT_NAME, CURVES_NAME = "accuracy-fps.png", "precision-recall.png"
_SHEET_WIDTH = 480


def run(
    data: Data,
    setups: Sequence[Setup],
    folder: Path,
    *,
    command: str,
    pose: str = DEFAULT_POSE,
    overwrite: bool = False,
) -> None:
    """Measures every setup and prints a table of them.

    Writes ``evaluation.json``, for each setup a file of results, one of what is right and wrong in each
    image, and a sheet of the worst images; precision-recall curves; and, of two setups or more, a plot of
    accuracy against speed.

    Args:
        data: the ground truth.
        setups: what to measure.
        folder: where the files go.
        command: the command line, for the record.
        pose: name of the pose network.
        overwrite: whether files that exist may be replaced.

    Raises:
        SepcamError: If something cannot be loaded, run or written.
    """
    if not setups:
        raise SepcamError("nothing to measure: a list of --detector, --backbone or the like is empty")
    _check_free(folder, overwrite=overwrite)
    store = WeightStore(notice=console.note)
    photographs = data.kind == "coco"
    setups = list(dict.fromkeys(definite(setup, photographs=photographs) for setup in setups))
    rows: list[dict[str, Any]] = []
    report = {
        "schema": SCHEMA,
        "version": VERSION,
        "kind": data.kind,
        "command": command,
        "data": data.describe(),
        "machine": machine.describe(),
        "rows": rows,
    }
    for setup in setups:
        console.note(f"measuring {setup.title}")
        measured = _measure(data, setup, folder, pose, store, overwrite=overwrite)
        write_matches(folder / f"{_stem(setup)}{MATCHES_SUFFIX}", measured, overwrite=overwrite)
        rows.append(_row(setup, measured))
        # After each: what was measured is kept when a later one fails or is stopped.
        write_text(folder / JSON_NAME, json_text(report), overwrite=overwrite or len(rows) > 1)
    plot_curves(rows, folder / CURVES_NAME)
    if len(rows) > 1:
        plot(rows, data.headline, folder / PLOT_NAME)
    console.show(table(rows, data.kind))
    console.show(errors_table(rows))
    console.say(f"{data.kind} evaluation -> {folder}")


def _measure(
    data: Data, setup: Setup, folder: Path, pose: str, store: WeightStore, *, overwrite: bool
) -> Measured:
    with console.downloads() as progress:

        def landmarks() -> PoseEstimator:
            return load_pose(
                pose,
                backbone=setup.backbone,
                options=setup.options,
                store=store,
                masks=True,
                progress=progress,
            )

        measured = data.measure(
            lambda floor, parts: setup.load(store, progress, score_floor=floor, parts=parts),
            landmarks,
            folder / f"{_stem(setup)}{data.suffix}",
            detect_every=setup.detect_every,
            overwrite=overwrite,
        )
    images = measured.worst.images
    if images:
        sheet = image_grid(images, columns=4, width=_SHEET_WIDTH)
        save_image(sheet, folder / f"{_stem(setup)}-{SHEET_NAME}")
    return measured


def _row(setup: Setup, measured: Measured) -> dict[str, Any]:
    return {
        **setup.to_json(),
        "fps": measured.fps,
        "figures": measured.figures,
        "conf": measured.conf,
        "curves": {
            kind: _curve(list(images.values()), measured) for kind, images in measured.matches.items()
        },
        "errors": measured.errors.to_json(),
        "matches": f"{_stem(setup)}{MATCHES_SUFFIX}",
    }


def _curve(images: Sequence[Matches], measured: Measured) -> dict[str, Any]:
    """Precision and recall at an overlap of 0.5: everywhere, at the threshold, and where F1 is best."""
    line = curve(images)
    best = line.best
    return {
        **line.to_json(),
        "at_conf": asdict(line.at(measured.conf)),
        "best_f1": None if best is None else asdict(best),
    }


def _stem(setup: Setup) -> str:
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in setup.title)


def _check_free(folder: Path, *, overwrite: bool) -> None:
    path = folder / JSON_NAME
    if path.exists() and not overwrite:
        raise SepcamError(f"{path} exists: use --overwrite to replace it, or another folder with -o")
