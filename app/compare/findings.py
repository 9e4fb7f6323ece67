"""A report's findings in sentences: bad news first, then the answer, then the reasons."""

from typing import Any

from ...pipelines.evaluation.paired_timing import LEAST_ROUNDS
from .entries import options_text


def findings(report: dict[str, Any]) -> list[str]:
    """The sentences, from a report as it stands in the JSON file."""
    results = report["results"]
    sentences = [s for result in results for s in _bad_news(result)]
    sentences += [answer(result) for result in results if result["kind"] == "pipeline"]
    for result in results:
        if result.get("layers"):
            sentences.append(_reason(result, _ceiling(report, result["options"])))
    if "trained_alike" in report:
        sentences.append(_trained_alike(report["trained_alike"]))
    rounds = min((result["rounds"] for result in results), default=LEAST_ROUNDS)
    if rounds < LEAST_ROUNDS:
        sentences.append(f"Rounds: {rounds}. With fewer than {LEAST_ROUNDS} the intervals mean nothing.")
    if report["partial"]:
        sentences.insert(0, "This report is partial: the measurement was stopped before its end.")
    return sentences


def _trained_alike(record: dict[str, Any]) -> str:
    """What the larger form gains by training, as recorded."""
    weights, accuracy = record["weights"], record["accuracy"]

    def said(form: str) -> str:
        return f"{accuracy[form]['box_ap']:.1f} and {accuracy[form]['oks_ap']:.1f}"

    return (
        f"On record, not measured here: {record['network']}, trained on the same {record['examples']:,} "
        f"examples in both forms, has an AP of boxes and keypoints of {said('separable')} with separable "
        f"convolutions and {said('standard')} with standard ones, {said('before')} before; the standard form "
        f"has {weights['standard'] / weights['separable']:.0f} times the weights ({record['measured_on']})."
    )


def _bad_news(result: dict[str, Any]) -> list[str]:
    said = []
    verification = result.get("verification")
    if verification and not verification["same_function"]:
        layer = verification["worst_layer"]
        where = f": layer {layer} differs" if layer else ""
        said.append(
            f"{_title(result)}: the standard equivalent computes another function{where} "
            f"(outputs differ by {verification['largest']:.2g} of their range). Its times mean nothing."
        )
    ratio = result["ratios"].get("standard")
    if ratio and ratio["high"] < 1:
        said.append(f"{_title(result)}: separable convolutions are SLOWER here, {_times(ratio)} the speed.")
    elif ratio and ratio["low"] <= 1:
        said.append(
            f"{_title(result)}: separable convolutions are not faster here beyond the noise "
            f"({_times(ratio)} the speed)."
        )
    found = result.get("difference")
    if found and not found["same_objects"]:
        said.append(f"{_title(result)}: the two backbones did not find the same objects.")
    return said


def answer(result: dict[str, Any]) -> str:
    """The finding on a pipeline, in one sentence."""
    one, other = (result["variants"][kind]["fps"] for kind in ("separable", "standard"))
    ratio, far = result["ratios"]["standard"], result["difference"]
    same = "the same people" if far["same_objects"] else "NOT the same objects"
    return (
        f"{_title(result)}: {one:.1f} FPS with separable convolutions, {other:.1f} with standard "
        f"ones: {_times(ratio)} the speed, and {same} (boxes within {_px(far['boxes_px'])}, keypoints within "
        f"{_px(far['keypoints_px'])}, masks at least {far['mask_iou']:.4f} alike)."
    )


def _reason(result: dict[str, Any], ceiling: dict[str, Any] | None) -> str:
    """Why the speed-up differs from the saving in multiply-adds."""
    one, other = (result["variants"][kind] for kind in ("separable", "standard"))
    fewer = other["macs"] / one["macs"]
    text = (
        f"{_title(result)}: {fewer:.1f} times fewer multiply-adds run {_times(result['ratios']['standard'])} "
        "as fast."
    )
    layers = {
        kind: [layer for layer in result["layers"][kind] if "ms" in layer]
        for kind in ("separable", "standard")
    }
    if not layers["separable"] or not layers["standard"]:
        return text
    rates = {kind: _rate(rows) for kind, rows in layers.items()}
    text += (
        f" The standard layers reach {rates['standard']:.0f} GMAC/s, the separable ones "
        f"{rates['separable']:.0f}"
    )
    text += f" (this machine's peak is {ceiling['gmacs']:.0f})" if ceiling else ""
    depthwise = [layer for layer in layers["separable"] if layer["kind"] == "depthwise"]
    if depthwise:
        time = sum(layer["ms"] for layer in depthwise) / sum(layer["ms"] for layer in layers["separable"])
        macs = sum(layer["macs"] for layer in depthwise) / one["macs"]
        intensity = sum(layer["macs"] for layer in depthwise) / sum(layer["bytes"] for layer in depthwise)
        text += (
            f": depthwise layers do {macs:.0%} of the multiply-adds in {time:.0%} of the time, since they do "
            f"{intensity:.1f} for every byte that they move"
        )
        text += f", where the arithmetic units need {ceiling['ridge']:.0f} to be kept busy" if ceiling else ""
    return text + "." + _memory_bound(result, layers["standard"], ceiling) + _rest(one, other)


def _memory_bound(
    result: dict[str, Any], layers: list[dict[str, Any]], ceiling: dict[str, Any] | None
) -> str:
    """How much of the standard form's time goes into waiting for its weights, if that is a large part."""
    if ceiling is None:
        return ""
    total = sum(layer["ms"] for layer in layers)
    waiting = sum(layer["ms"] for layer in layers if layer["intensity"] < ceiling["ridge"])
    if waiting < 0.25 * total:
        return ""
    weights = result["variants"]["standard"]["weight_bytes"] / 1e6
    return (
        f" The standard form spends {waiting / total:.0%} of its time in layers that wait for memory: its "
        f"{weights:.0f} MB of weights are read again for every frame, which alone takes "
        f"{weights / ceiling['gbs']:.0f} ms."
    )


def _rest(one: dict[str, Any], other: dict[str, Any]) -> str:
    rest = one.get("other_layers_ms", 0.0)
    if rest < 0.1 * one["latency_ms"]["median"]:
        return ""
    return (
        f" Other layers (resizing, sums, pooling) take {rest:.1f} ms of the separable form's "
        f"{one['latency_ms']['median']:.1f} and {other.get('other_layers_ms', 0.0):.1f} ms of the standard "
        f"one's {other['latency_ms']['median']:.1f}: faster convolutions do not change that."
    )


def _rate(layers: list[dict[str, Any]]) -> float:
    """GMAC/s over all layers."""
    return sum(layer["macs"] for layer in layers) / max(sum(layer["ms"] for layer in layers), 1e-9) / 1e6


def _ceiling(report: dict[str, Any], options: dict[str, Any]) -> dict[str, Any] | None:
    return next((c for c in report["ceilings"] if c["options"] == options), None)


def _title(result: dict[str, Any]) -> str:
    return f"{result['name']} ({options_text(result['options'])})"


def _times(ratio: dict[str, Any]) -> str:
    return f"{ratio['median']:.2f} times (95 % interval {ratio['low']:.2f} to {ratio['high']:.2f})"


def _px(value: float) -> str:
    return f"{value:.2g} px" if value >= 0.01 else "0.01 px"
