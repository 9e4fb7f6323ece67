"""A comparison's report: as JSON, as a table on the terminal, and against another report."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.errors import SepcamError
from ...models.files import atomic_write
from ...pipelines.evaluation.paired_timing import Estimate, beyond_noise
from .entries import options_text

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = "sepcam-compare"
VERSION = 1

_FORMS = {"separable": "separable", "standard": "standard", "baseline": "paper's baseline, untrained"}
Report = dict[str, Any]
"""As ``report_schema.json`` beside this module describes it."""


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        SepcamError: If it cannot be written.
    """
    with atomic_write(path, overwrite=overwrite) as hidden:
        hidden.write_text(text, encoding="utf-8")


def to_json(report: Report) -> str:
    """The report as the text of its file."""
    return json.dumps(report, indent=1, allow_nan=False) + "\n"


def read(path: Path) -> Report:
    """A report that ``sepcam compare`` wrote.

    Raises:
        SepcamError: If it cannot be read, is not a report, or comes from a newer version.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SepcamError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SepcamError(f"{path} is not JSON: {error}") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise SepcamError(f"{path} is not a report of sepcam compare")
    if report["version"] > VERSION:
        raise SepcamError(f"{path} was written by a newer Sepcam (report version {report['version']})")
    return report


def table(report: Report) -> "Table":
    """Every subject in all its forms."""
    from rich.table import Table

    energy = any("energy_j" in v for r in report["results"] for v in r["variants"].values())
    made = Table(title="Separable against standard convolutions", title_justify="left", title_style="bold")
    made.add_column("what")
    made.add_column("form")
    headings = ["times slower (95 %)", "ms (95 %)", "p95", "FPS", "MACs", "params", "weights", "activations"]
    for heading in (*headings, "peak memory", *(["J"] if energy else [])):
        made.add_column(heading, justify="right")
    for result in report["results"]:
        for number, (form, variant) in enumerate(result["variants"].items()):
            what = (result["name"], f"[dim]{options_text(result['options'])}[/dim]", "")[min(number, 2)]
            made.add_row(
                what,
                _FORMS[form],
                interval(result["ratios"].get(form)),
                *_row(variant, energy=energy),
                end_section=number == len(result["variants"]) - 1,
            )
    return made


def interval(values: dict[str, Any] | None) -> str:
    """A median and its interval."""
    if values is None:
        return ""
    return "{} ({} - {})".format(*(number(values[name]) for name in ("median", "low", "high")))


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def paper_table(report: Report) -> "Table | None":
    """The paper's table 4, beside what was counted and measured here."""
    from rich.table import Table

    result = next((r for r in report["results"] if "paper" in r), None)
    if result is None or not all("macs" in result["variants"][form] for form in result["paper"]):
        return None
    made = Table(title="MobileNetV1 at 224 x 224: table 4 of the paper, reproduced", title_justify="left")
    made.add_column("form")
    for heading in ("MACs, paper", "counted", "params, paper", "counted", "ms here"):
        made.add_column(heading, justify="right")
    for form, stated in result["paper"].items():
        variant = result["variants"][form]
        made.add_row(
            "depthwise separable" if form == "separable" else "full convolutions",
            *(f"{value / 1e6:,.0f} M" for value in (stated["macs"], variant["macs"])),
            *(f"{value / 1e6:.1f} M" for value in (stated["params"], variant["params"])),
            interval(variant["latency_ms"]),
        )
    return made


def against_table(before: Report, now: Report) -> "Table":
    """Two reports side by side; changes beyond the noise are marked."""
    from rich.table import Table

    made = Table(title="Against the other report", title_justify="left", title_style="bold")
    made.add_column("what")
    for heading in ("before (95 % interval)", "now (95 % interval)", "change"):
        made.add_column(heading, justify="right")
    made.add_column("")
    for change in changes(before, now):
        style = {"better": "green", "worse": "red"}.get(change["verdict"], "dim")
        made.add_row(
            change["what"],
            interval(change["before"]),
            interval(change["now"]),
            f"{change['change']:+.1%}",
            f"[{style}]{change['verdict']}[/{style}]",
        )
    return made


def changes(before: Report, now: Report) -> list[dict[str, Any]]:
    """Latencies and ratios that both reports have, and whether they differ beyond the noise.

    Raises:
        SepcamError: If they have nothing in common.
    """
    found = [change for old, new in _matched(before, now) for change in _changes(old, new)]
    if not found:
        raise SepcamError("the two reports have no network or pipeline in common")
    return found


def _matched(before: Report, now: Report) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of results with the same name and options; options may differ where the name is unique."""
    for new in now["results"]:
        same = [old for old in before["results"] if old["name"] == new["name"]]
        exact = [old for old in same if old["options"] == new["options"]]
        if exact or len(same) == 1:
            yield (exact or same)[0], new


def _changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[dict[str, Any]]:
    title = f"{new['name']} ({options_text(new['options'])})"
    if old["options"] != new["options"]:
        title += f", was {options_text(old['options'])}"
    for form in new["variants"]:
        if form in old["variants"]:
            times = (result["variants"][form]["latency_ms"] for result in (old, new))
            yield _change(f"{title}: ms, {_FORMS[form]}", *times, less_is_better=True)
    for form in new["ratios"]:
        if form in old["ratios"]:
            ratios = (result["ratios"][form] for result in (old, new))
            yield _change(f"{title}: ratio to {_FORMS[form]}", *ratios, less_is_better=False)


def _change(what: str, old: dict[str, Any], new: dict[str, Any], *, less_is_better: bool) -> dict[str, Any]:
    estimates = [Estimate(value["median"], value["low"], value["high"]) for value in (old, new)]
    verdict = "within the noise"
    if beyond_noise(*estimates):
        verdict = "better" if (new["median"] < old["median"]) == less_is_better else "worse"
    return {
        "what": what,
        "before": old,
        "now": new,
        "change": new["median"] / old["median"] - 1,
        "verdict": verdict,
    }


def _row(variant: dict[str, Any], *, energy: bool) -> list[str]:
    cells = [
        interval(variant["latency_ms"]),
        number(variant["latency_ms"]["p95"]),
        number(variant["fps"]),
        _scaled(variant.get("macs"), 1e6, "M"),
        _scaled(variant.get("params"), 1e6, "M"),
        _scaled(variant.get("weight_bytes"), 1e6, "MB"),
        _scaled(variant.get("activation_bytes"), 1e6, "MB"),
        _scaled(variant.get("peak_rss_bytes"), 1e6, "MB"),
    ]
    return cells + ([number(variant["energy_j"]) if "energy_j" in variant else ""] if energy else [])


def _scaled(value: float | None, unit: float, name: str) -> str:
    return "" if value is None else f"{number(value / unit)} {name}"
