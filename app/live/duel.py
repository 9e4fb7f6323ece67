"""``sepcam live --duel S --headless``: a duel without a window, its figures and its card."""

import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from ...models.errors import SepcamError
from ...models.types import ConvKind
from ...pipelines.duel.card import Card, card_paths
from ...pipelines.duel.result import DuelResult, table
from ...pipelines.execution.network_set import NetworkSet
from ...pipelines.live.duel_images import DuelImages, duel_choices
from ...pipelines.sinks.outputs import stem_of
from ...pipelines.sources.realtime import PacedSource
from ...pipelines.sources.reconnecting import ReconnectingSource
from ..terminal import console
from ..terminal.signals import terminable
from .request import LiveRequest, Loaded, described, load_networks


@dataclass(frozen=True, slots=True)
class DuelRequest:
    """What the user asked for.

    Attributes:
        live: source and networks; a file plays in a loop.
        seconds: how long to measure.
        folder: where the card goes.
        overwrite: whether a card that exists may be replaced.
    """

    live: LiveRequest
    seconds: float
    folder: Path
    overwrite: bool


def run_duel(request: DuelRequest) -> None:
    """Measures, prints the figures, and writes the card.

    Raises:
        SepcamError: If the source or the networks are unavailable, too few frames came, or the card exists or
            cannot be written.
        KeyboardInterrupt: If it was interrupted before there was a result; later, the result counts.
    """
    with replace(request.live, loop=True).open() as source:
        stem = request.folder / f"{stem_of(source.info.name, images=False)}-duel"
        for path in card_paths(stem):
            if path.exists() and not request.overwrite:
                raise SepcamError(
                    f"{path} exists: use --overwrite to replace it, or another output folder with -o"
                )
        loaded = load_networks(request.live)
        with closing(loaded.pool):
            console.note(described(source.info))
            images = _prepared(request, source, loaded)
            _measure(images, source, request.seconds)
    card = images.card()
    if card is None:
        raise SepcamError(f"only {images.duel.frames} frames came: a duel needs at least 5")
    _report(card, images.duel.result(), card.save(stem, overwrite=request.overwrite))


def _prepared(request: DuelRequest, source: PacedSource | ReconnectingSource, loaded: Loaded) -> DuelImages:
    console.note("preparing both backbones ...")
    sides: dict[ConvKind, NetworkSet] = {
        kind: loaded.pool.wait(choice) for kind, choice in duel_choices(loaded.settings).items()
    }
    return DuelImages(
        sides,
        loaded.settings,
        replace(request.live.analysis, runtime=loaded.pipeline.runtime),
        source=source.info.name,
        seconds=request.seconds,
        fps=source.info.fps,
    )


def _measure(images: DuelImages, source: PacedSource | ReconnectingSource, seconds: float) -> None:
    """Runs the duel for so many seconds, and for at least as many frames as a result needs."""
    begun: float | None = None
    try:
        with terminable(), console.progress("duel", round(seconds)) as advance:
            for frame in source:
                if begun is None:
                    images.duel.warm_up(frame)
                    begun = time.monotonic()
                    continue
                images.step(frame)
                spent = time.monotonic() - begun
                advance(min(round(spent), round(seconds)))
                if spent >= seconds and images.duel.result() is not None:
                    return
    except KeyboardInterrupt:
        if images.duel.result() is None:
            raise


def _report(card: Card, result: DuelResult | None, paths: tuple[Path, Path]) -> None:
    assert result is not None  # as there is a card
    rows = table(result)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    console.say(f"{result.networks}, {card.entry['runtime']}: {result.headline}")
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        console.say("  ".join(cells).rstrip())
    console.say(result.agreement)
    console.note(f"card -> {', '.join(map(str, paths))}")
