"""What ``sepcam evaluate`` found: as a table, as JSON, and as a plot of accuracy against speed."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.files import atomic_write
from ...pipelines.evaluation.error_counts import OCCLUSIONS, SIZES
from .setups import SETUP_FIELDS, title_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.table import Table

_COCO = (
    ("", "ap"),
    ("50", "ap50"),
    ("75", "ap75"),
    ("small", "small"),
    ("med.", "medium"),
    ("large", "large"),
)
_KINDS = {"box": "box AP", "mask": "mask AP", "keypoints": "OKS AP"}
_MOT = {"HOTA": "hota", "DetA": "deta", "AssA": "assa", "MOTA": "mota", "IDF1": "idf1"}
_COUNTS = {
    "switches": "switches",
    "false": "false_positives",
    "missed": "misses",
    "identities": "identities",
}
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe and Ito's
_MARKS = "osD^vP"


def table(rows: Sequence[Mapping[str, Any]], kind: str) -> "Table":
    """The figures in percent, counts as they are: one line per setup, of COCO one per kind of result."""
    from rich.table import Table

    made = Table(box=None, header_style="bold", pad_edge=False)
    for name in SETUP_FIELDS:
        made.add_column(name)
    if kind == "mot":
        made.add_column("detects every")
        for name in (*_MOT, *_COUNTS, "FPS"):
            made.add_column(name, justify="right")
        for row in rows:
            found = row["figures"]["tracks"]
            cells = [_percent(found[key]) for key in _MOT.values()]
            cells += [str(found[key]) for key in _COUNTS.values()]
            setup = [str(row[name]) for name in (*SETUP_FIELDS, "detect_every")]
            made.add_row(*setup, *cells, f"{row['fps']:.1f}")
        return made
    made.add_column("of")
    for name, _ in _COCO:
        made.add_column(name or "AP", justify="right")
    made.add_column("FPS", justify="right")
    for row in rows:
        setup, fps = [row[name] for name in SETUP_FIELDS], f"{row['fps']:.1f}"
        for kind_, values in row["figures"].items():
            title = _KINDS[kind_].removesuffix(" AP")
            made.add_row(*setup, title, *(_percent(values[key]) for _, key in _COCO), fps)
            setup, fps = [""] * len(SETUP_FIELDS), ""
    return made


def errors_table(rows: Sequence[Mapping[str, Any]]) -> "Table":
    """What the thresholds give, boxes alone: precision, recall, the best threshold, and the errors."""
    from rich.table import Table

    made = Table(box=None, header_style="bold", pad_edge=False)
    made.add_column("boxes at")
    for name in ("conf", "prec.", "recall", "F1", "best F1", "at", "false"):
        made.add_column(name, justify="right")
    made.add_column("missed: small med. large | partly, mostly hidden", justify="right")
    for row in rows:
        line = row["curves"]["box"]
        at, best = line["at_conf"], line["best_f1"]
        groups = row["errors"]["size"] | row["errors"]["occlusion"]
        cells = [f"{row['conf']:.2f}", *(_percent(at[name]) for name in ("precision", "recall", "f1"))]
        cells += ["-", "-"] if best is None else [_percent(best["f1"]), f"{best['threshold']:.2f}"]
        cells.append(str(sum(group["false"] for group in row["errors"]["size"].values())))
        missed = {name: f"{group['missed']}/{group['people']}" for name, group in groups.items()}
        by_size = " ".join(missed[name] for name in SIZES)
        cells.append(f"{by_size} | {', '.join(missed[name] for name in OCCLUSIONS[1:])}")
        made.add_row(f"{row['detector']} {row['input']}", *cells)
    return made


def plot_curves(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draws precision against recall, a panel for each kind of result and a line for each setup, as PNG.

    A ring marks the threshold of the setup, a cross the one with the best F1.

    Raises:
        SepcamError: If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(kind for row in rows for kind in row["curves"]))
    figure = Figure(figsize=(4.2 * len(kinds), 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        for number, row in enumerate(rows):
            line = row["curves"].get(kind)
            if line is None:
                continue
            color = _COLORS[number % len(_COLORS)]
            name = title_of(row)
            axes.plot(line["recall"], line["precision"], color=color, label=name)
            for mark, point in (("o", line["at_conf"]), ("x", line["best_f1"])):
                if point is not None:
                    axes.plot(point["recall"], point["precision"], mark, color=color, fillstyle="none")
        axes.set(
            title=f"{kind}, overlap 0.5", xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02)
        )
        axes.grid(True, alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=7, frameon=False, loc="lower left")
    with atomic_write(path, overwrite=True) as hidden:
        figure.savefig(hidden, format="png", dpi=130)


def json_text(report: Mapping[str, Any]) -> str:
    """The whole report as JSON; what has no value (small people, where there are none) is null."""
    return json.dumps(_plain(report), indent=1, allow_nan=False) + "\n"


def plot(rows: Sequence[Mapping[str, Any]], headline: Mapping[str, tuple[str, str]], path: Path) -> None:
    """Draws accuracy against images per second, a panel for each headline figure, as PNG.

    Raises:
        SepcamError: If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    figure = Figure(figsize=(4.2 * len(headline), 3.9), layout="constrained")
    FigureCanvasAgg(figure)
    detectors = list(dict.fromkeys(row["detector"] for row in rows))
    forms = list(dict.fromkeys((row["backbone"], row["precision"], row["runtime"]) for row in rows))
    panels = figure.subplots(1, len(headline), squeeze=False)[0]
    for axes, (title, (kind, name)) in zip(panels, headline.items(), strict=True):
        for row in rows:
            if kind not in row["figures"]:
                continue
            form = row["backbone"], row["precision"], row["runtime"]
            x, y = row["fps"], 100 * row["figures"][kind][name]
            color = _COLORS[detectors.index(row["detector"]) % len(_COLORS)]
            axes.plot(x, y, _MARKS[forms.index(form) % len(_MARKS)], color=color, markersize=8)
        axes.set(title=title, xlabel="images per second", ylabel="%" if axes is panels[0] else "")
        axes.set_xscale("log")
        axes.margins(0.25, 0.2)
        axes.grid(True, which="major", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(LogFormatter())
    figure.draw_without_rendering()  # labels are laid out in pixels, which are known from now on
    for axes, (kind, name) in zip(panels, headline.values(), strict=True):
        _label(axes, [row for row in rows if kind in row["figures"]], kind, name)
    if len(forms) > 1:
        marks = [
            panels[0].plot([], [], _MARKS[i % len(_MARKS)], color="grey", label=" ".join(form))[0]
            for i, form in enumerate(forms)
        ]
        panels[-1].legend(handles=marks, fontsize=8, frameon=False)
    with atomic_write(path, overwrite=True) as hidden:
        figure.savefig(hidden, format="png", dpi=130)


def _label(axes: "Axes", rows: Sequence[Mapping[str, Any]], kind: str, name: str) -> None:
    """Names the points of a panel; each name lies where it covers no other, if there is such a place."""
    taken: list[Any] = []
    for row in rows:
        text = row["detector"] + ("" if row["input"] == "own" else f" {row['input']}")
        point = row["fps"], 100 * row["figures"][kind][name]
        for offset in (8, -16, 18, -26):
            note = axes.annotate(
                text, point, (0, offset), textcoords="offset points", fontsize=8, ha="center"
            )
            place = note.get_window_extent()
            if not any(place.overlaps(other) for other in taken) or offset == -26:
                taken.append(place)
                break
            note.remove()


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f}"


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever a report holds
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value
