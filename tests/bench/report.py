"""The figures as Markdown tables, and whether the targets are met."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import end_to_end, glass, latency, memory, peers
from .clips import CROWD, RATE
from .machine import Machine
from .networks import Row
from .rounds import STOLEN, TRIES, Result, speedup


@dataclass(slots=True)
class Figures:
    """Everything that one run of the bench measured.

    Attributes:
        machine: what it ran on.
        settings: how, for the reader.
        networks: table 1.
        clips: tables 2 and 3, by clip.
        drawing: table 3a, five people in a 720p frame.
        paced: table 4.
        glass: from a camera's frame to the screen.
        first: the first frame of a new process.
        memory: table 5, MB in use by frame.
        notes: what a reader should know beside the tables.
    """

    machine: Machine
    settings: dict[str, Any]
    networks: list[Row] = field(default_factory=list)
    clips: dict[str, dict[str, Result]] = field(default_factory=dict)
    drawing: dict[str, Result] = field(default_factory=dict)
    paced: dict[str, Result] = field(default_factory=dict)
    glass: dict[str, Result] = field(default_factory=dict)
    first: Result | None = None
    memory: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def markdown(figures: Figures) -> str:
    """The whole report."""
    parts = ["# Sepcam bench", _environment(figures)]
    if rows := targets(figures):
        parts += ["## Targets", _table(("target", "measured", "met"), rows)]
    if figures.networks:
        parts += ["## Networks", _NETWORKS, _networks(figures.networks)]
    for clip, results in figures.clips.items():
        parts += [f"## End to end: {clip}", _clip(results)]
    if figures.drawing:
        parts += ["## Drawing", _DRAWING, _drawing(figures.drawing)]
    if figures.paced:
        parts += ["## Latency", _LATENCY, _paced(figures)]
    if figures.glass:
        parts += ["## Glass to glass", _GLASS, _glass(figures.glass)]
    if figures.memory:
        rows = [(f"{frame:,}", f"{used:.1f}") for frame, used in figures.memory.items()]
        parts += ["## Memory", _MEMORY, _table(("frame", "MB in use"), rows)]
    notes = [*figures.notes, *_disturbance(figures)]
    parts += ["## Notes", "\n".join(f"- {note}" for note in notes)]
    return "\n\n".join(parts) + "\n"


def as_dict(figures: Figures) -> dict[str, Any]:
    """The same for the JSON file, with every round of every contender."""
    rows = [
        {
            "network": row.network or "matmul",
            "form": row.form,
            "batch": row.batch,
            "runtime": row.runtime,
            "precision": row.precision,
            "macs": row.macs,
            "share": row.share,
            **_result(row.result),
        }
        for row in figures.networks
    ]
    return {
        "machine": figures.machine.as_dict(),
        "settings": figures.settings,
        "targets": [dict(zip(("target", "measured", "met"), row, strict=True)) for row in targets(figures)],
        "networks": rows,
        "clips": {
            clip: {name: _result(result) for name, result in results.items()}
            for clip, results in figures.clips.items()
        },
        "drawing": {name: _result(result) for name, result in figures.drawing.items()},
        "paced": {name: _result(result) for name, result in figures.paced.items()},
        "glass": {name: _result(result) for name, result in figures.glass.items()},
        "first_frame": None if figures.first is None else _result(figures.first),
        "memory_mb": figures.memory,
        "notes": figures.notes,
    }


def _disturbance(figures: Figures) -> list[str]:
    """How much of the processors' time the host of a virtual machine took away, if it took any."""
    tables = [*figures.clips.values(), figures.drawing, figures.paced, figures.glass]
    results = [result for table in tables for result in table.values()]
    results += [row.result for row in figures.networks]
    shares = [sample.get("stolen", 0.0) for result in results for sample in result.samples]
    if not any(shares):
        return []
    middle, most = statistics.median(shares), max(shares)
    return [
        f"The host took {middle:.1%} of the processors' time for others in the median run, {most:.1%} at "
        f"most. Where it took more than {STOLEN:.0%}, a run was tried up to {TRIES} times, and the least "
        "disturbed one counts."
    ]


_NETWORKS = """\
Batch in pictures, ms per call. *peak* is the share of the speed of a large matrix product in the same runtime
and precision; *times* is how much longer the other form of the same network takes than the separable one."""

_MEMORY = """\
The bundled clip goes round: all tasks, drawn, with H.264 and JSONL out. Medians of 100 frames each."""

_DRAWING = f"""\
{end_to_end.CROWD} people with boxes, labels, skeletons and masks in a 720p frame, already found."""

_LATENCY = """\
A source that gives 30 frames per second, wanted or not; the newest is always next. Latency is from a frame's
arrival to its drawn picture, medians of the rounds."""


_GLASS = f"""\
A camera on the network at {glass.RATE:g} frames per second, whose frames bear the time, which is read back
from the pixels of a virtual screen; medians of the rounds. The target: two frame times at the rate shown."""


def targets(figures: Figures) -> list[tuple[str, str, str]]:
    """Each target, what was measured, and whether it is met."""
    street, one = figures.clips.get("street", {}), figures.clips.get("one-person", {})
    rows = []
    for text, results, of, over, least in (
        ("street: 6 x Ultralytics at 384x640", street, end_to_end.ALL, peers.yolo_name("openvino", 640), 6.0),
        ("street: 2.2 x its 192x320", street, end_to_end.ALL, peers.yolo_name("openvino", 320), 2.2),
        (
            "street, both in int8: 4 x Ultralytics at 384x640",
            street,
            end_to_end.all_in("int8"),
            peers.yolo_name("openvino", 640, "int8"),
            4.0,
        ),
        ("one person: 2.5 x MediaPipe Pose", one, end_to_end.ALL, peers.MEDIAPIPE_POSE, 2.5),
        ("street: 0.5 of decode + encode", street, end_to_end.ALL_VIDEO, end_to_end.FLOOR, 0.5),
    ):
        ratio = speedup(results, of, over)
        if ratio is not None:
            rows.append((f"{text} or more", f"{ratio:.2f}", _met(ratio >= least)))
    for what in ("as process does", latency.FASTER, latency.LIVE):
        paced = figures.paced.get(latency.paced_name("street", what))
        if paced is None or not paced.samples:
            continue
        p95, dropped = paced.median("p95") or 0.0, sum(sample["dropped"] for sample in paced.samples)
        rows.append(
            (
                f"street at 30 fps, {what}: p95 under 45 ms, no drops",
                f"{p95:.0f} ms, {dropped} dropped",
                _met(p95 < 45 and not dropped),
            )
        )
    crowd = figures.paced.get(latency.paced_name(CROWD, latency.LIVE))
    if crowd is not None and crowd.samples:
        done = sum(sample["frames"] for sample in crowd.samples)
        rate = RATE * done / (done + sum(sample["dropped"] for sample in crowd.samples))
        rows.append(("crowd, as live does: 20 frames a second or more", f"{rate:.0f}", _met(rate >= 20)))
    for name, result in figures.glass.items():
        if result.samples:
            p95, two = result.median("p95") or 0.0, 2e3 / (result.median("fps") or 1.0)
            text = f"glass to glass, {name}: p95 under 2 frame times"
            rows.append((text, f"{p95:.0f} ms, {p95 / two * 2:.1f} frame times", _met(p95 < two)))
    if figures.first is not None and figures.first.samples:
        rows += _first_frame(figures.first)
    growth = _growth(figures.memory)
    if growth is not None:
        text = f"memory grows by less than 1 % from frame {memory.FIRST:,} to {memory.LAST:,}"
        rows.append((text, f"{growth:+.2%}", _met(growth < 0.01)))
    return rows


def _first_frame(first: Result) -> list[tuple[str, str, str]]:
    """The targets of a new process; without that of memory where the system does not tell it."""
    seconds, peak = first.ms / 1e3, first.median("peak_mb")
    rows = [("first frame under 1.2 s from a warm cache", f"{seconds:.1f} s", _met(seconds < 1.2))]
    if peak is not None:
        rows.append(("process under 300 MB", f"{peak:.0f} MB", _met(peak < 300)))
    return rows


def _growth(used: Mapping[int, float]) -> float | None:
    """By what share memory grows from the first thousand frames to the last."""
    if not {memory.FIRST, memory.LAST} <= used.keys():
        return None
    return used[memory.LAST] / used[memory.FIRST] - 1


def _met(met: bool) -> str:
    return "yes" if met else "**no**"


def _environment(figures: Figures) -> str:
    machine = figures.machine
    load = "unknown" if machine.load is None else f"{machine.load:.1f}"
    return "\n".join(
        f"- {line}"
        for line in (
            f"{machine.cpu}, {machine.cores} cores ({', '.join(machine.flags) or 'no known flags'}); "
            f"{machine.system}, Python {machine.python}",
            ", ".join(f"{name} {version}" for name, version in machine.packages.items()),
            ", ".join(f"{key}: {value}" for key, value in figures.settings.items()),
            f"load average before: {load} (anything much above 0 means that others were at work too)",
        )
    )


def _networks(rows: Sequence[Row]) -> str:
    separable = {_family(row): row for row in rows if row.form == "separable"}
    lines = []
    for row in sorted(rows, key=lambda row: (row.network, row.batch, row.form != "separable", row.form)):
        runtime = f"{row.runtime} {row.precision}"
        if not row.result.samples:
            lines.append(
                (row.network, row.form, str(row.batch), runtime, f"failed: {row.result.error}", *[""] * 4)
            )
            continue
        base = separable.get(_family(row))
        times = "" if base is None or not base.result.samples else f"{row.result.ms / base.result.ms:.2f}"
        lines.append(
            (
                row.network or f"*matrix product {round(row.macs ** (1 / 3))}³*",
                row.form,
                str(row.batch),
                runtime,
                f"{row.result.ms:.2f}",
                f"{row.macs / 1e9:.2f}",
                f"{row.gmacs:.0f}",
                "" if row.share is None or not row.network else f"{row.share:.0%}",
                times if row.network else "",
            )
        )
    head = ("network", "convolutions", "batch", "runtime", "ms", "GMAC", "GMAC/s", "peak", "times")
    return _table(head, lines)


def _family(row: Row) -> tuple[str, int, str, str]:
    return row.network, row.batch, row.runtime, row.precision


def _clip(results: Mapping[str, Result]) -> str:
    lines = []
    for name, result in results.items():
        if result.error is not None or not result.samples:
            lines.append((name, f"failed: {result.error}", *[""] * 4))
            continue
        fps = sorted(1 / seconds for seconds in result.seconds)
        people = result.median("people")
        ratio = speedup(results, end_to_end.ALL, name)
        lines.append(
            (
                name,
                f"{result.fps:.1f}",
                f"{result.ms:.1f}",
                f"{fps[0]:.1f} to {fps[-1]:.1f}",
                "" if people is None else f"{people:.1f}",
                "" if ratio is None else f"{ratio:.2f}",
            )
        )
    head = ("what", "FPS", "ms a frame", "FPS, all rounds", "people a frame", "times separable, all tasks")
    return _table(head, lines)


def _drawing(results: Mapping[str, Result]) -> str:
    lines = []
    for name, result in results.items():
        if result.error is not None or not result.samples:
            lines.append((name, f"failed: {result.error}", ""))
            continue
        ratio = speedup(results, end_to_end.OWN_DRAWING, name)
        lines.append((name, f"{result.ms:.2f}", "" if ratio is None else f"{ratio:.2f}"))
    return _table(("what", "ms a frame", "times Sepcam"), lines)


def _paced(figures: Figures) -> str:
    lines = []
    for name, result in figures.paced.items():
        if not result.samples:
            lines.append((name, f"failed: {result.error}", *[""] * 5))
            continue
        arrived = sum(sample["frames"] + sample["dropped"] for sample in result.samples)
        dropped = sum(sample["dropped"] for sample in result.samples)
        figures_ms = [f"{result.median(key):.0f}" for key in ("p50", "p95", "p99", "max")]
        lines.append((name, *figures_ms, str(dropped), str(arrived)))
    head = ("source", "p50 ms", "p95 ms", "p99 ms", "longest ms", "dropped", "frames")
    return _table(head, lines)


def _glass(results: Mapping[str, Result]) -> str:
    lines = []
    for name, result in results.items():
        if not result.samples:
            lines.append((name, f"failed: {result.error}", *[""] * 4))
            continue
        figures_ms = [f"{result.median(key):.0f}" for key in ("p50", "p95", "p99", "max")]
        lines.append((name, *figures_ms, f"{result.median('fps'):.1f}"))
    return _table(("where", "p50 ms", "p95 ms", "p99 ms", "longest ms", "FPS shown"), lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def _result(result: Result) -> dict[str, Any]:
    median = {"ms": result.ms, "fps": result.fps} if result.samples else {}
    return {**median, "error": result.error, "rounds": result.samples}
