"""Runs a comparison for the command line: fetches weights, shows progress, writes and prints the report."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ...models.registry import networks_of
from ...models.types import ConvKind
from ...models.weights.store import WeightStore
from ...models.zoo import choose_detector
from ...pipelines.drawing.beside import SIDES, beside
from ..terminal import console
from . import html as report_html
from . import report
from .comparison import CompareRequest, Comparison, available
from .side_by_side import most_crowded


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the report goes.

    Attributes:
        json: for machines.
        html: for people.
        overwrite: whether files of these names may be replaced.
    """

    json: Path
    html: Path
    overwrite: bool


def run(request: CompareRequest, outputs: Outputs, earlier: report.Report | None) -> bool:
    """Compares, writes the files and prints the result; returns whether it ran to the end.

    Raises:
        SepcamError: If something cannot be loaded, run or written.
        KeyboardInterrupt: If it was interrupted before anything was measured.
    """
    store = WeightStore(notice=console.note)
    request = _with_weights(request, store)
    made = _measure(request, store)
    report.write_text(outputs.json, report.to_json(made.report), overwrite=outputs.overwrite)
    report.write_text(outputs.html, _page(made), overwrite=outputs.overwrite)
    _show(made.report, earlier)
    files = [outputs.json, outputs.html] + ([request.video] if request.video else [])
    console.say(f"report -> {', '.join(map(str, files))}")
    return not made.report["partial"]


def _with_weights(request: CompareRequest, store: WeightStore) -> CompareRequest:
    """The request with explicit networks, their weights fetched into the cache."""
    with console.downloads() as progress:
        if request.networks:
            return replace(request, networks=available(request.networks, store, console.warn, progress))
        if not request.detectors:
            return request
        wanted = request.detectors[0]
        if wanted == "all":
            every = [info.name for info in store.registry.values() if info.task == "detect"]
            detectors = available(every, store, console.warn, progress)
        elif wanted == "auto":
            detectors = [choose_detector()]
        else:
            detectors = [wanted]
        for name in {name for detector in detectors for name in networks_of(detector, request.pose)}:
            store.fetch(name, progress=progress)
    return replace(request, detectors=detectors)


def _measure(request: CompareRequest, store: WeightStore) -> Comparison:
    comparison = Comparison(request, store)
    last = ""
    with console.progress("comparing", round(comparison.seconds)) as advance:

        def announce(done: float, what: str) -> None:
            nonlocal last
            advance(round(done), what)
            if what != last and not sys.stderr.isatty():
                console.note(f"measuring {what}")
            last = what

        comparison.run(announce)
    return comparison


def _page(made: Comparison) -> str:
    """The HTML report, with an image of both sides where a pipeline was compared."""
    first = next((result for result in made.report["results"] if result["kind"] == "pipeline"), None)
    if first is None:
        return report_html.page(made.report, None)
    captions: dict[ConvKind, str] = {
        kind: f"{kind}  {first['variants'][kind]['fps']:.1f} FPS" for kind in SIDES
    }
    caption = f"A frame of {made.report['source']['name']}, analyzed by {first['name']} in both forms."
    return report_html.page(made.report, beside(most_crowded(made.seen), captions), caption)


def _show(made: report.Report, earlier: report.Report | None) -> None:
    for sentence in made["findings"]:
        console.say(f"* {sentence}")
    console.show(report.table(made))
    paper = report.paper_table(made)
    if paper is not None:
        console.show(paper)
    if earlier is not None:
        console.show(report.against_table(earlier, made))
