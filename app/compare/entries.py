"""The report's entries on one subject: times, ratios and costs, as in the JSON file."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ...models.profiling.cost import Profile
from ...models.profiling.variants import Variant
from ...models.runtime.options import RuntimeOptions
from ...pipelines.evaluation.paired_timing import Rounds, estimate

Summary = Callable[[Sequence[float]], np.floating]


def variant_entry(rounds: Rounds, subject: str, variant: Variant, summary: Summary) -> dict[str, Any]:
    """The times of one form of a subject; ``energy_j`` only where the machine measures it."""
    per_round = rounds.per_round(subject, variant, summary)
    latency = asdict(estimate(per_round)) | {"p95": rounds.p95(subject, variant)}
    entry: dict[str, Any] = {"trained": variant != "baseline", "latency_ms": latency, "round_ms": per_round}
    entry["fps"] = 1e3 / latency["median"]
    joules = rounds.joules(subject, variant)
    if joules is not None:
        entry["energy_j"] = joules
    return entry


def ratio_entries(
    rounds: Rounds, subject: str, variants: Sequence[Variant], summary: Summary
) -> dict[str, Any]:
    """How many times longer than the separable form each other form took, round by round."""
    separable = rounds.per_round(subject, "separable", summary)
    entries = {}
    for variant in variants:
        if variant != "separable":
            others = rounds.per_round(subject, variant, summary)
            per_round = [other / one for one, other in zip(separable, others, strict=True)]
            entries[variant] = asdict(estimate(per_round)) | {"per_round": per_round}
    return entries


def cost_entry(profile: Profile, bytes_per_value: int) -> dict[str, Any]:
    """A network's counted costs: multiply-adds, parameters, and bytes at the precision it runs in."""
    return {
        "macs": profile.macs,
        "params": profile.params,
        "weight_bytes": profile.params * bytes_per_value,
        "activation_bytes": profile.activations * bytes_per_value,
    }


def options_entry(options: RuntimeOptions) -> dict[str, Any]:
    """Resolved options; ``threads`` is null on a GPU."""
    return asdict(options)


def options_text(options: dict[str, Any]) -> str:
    """The options in a few words."""
    threads = options["threads"]
    where = "all cores" if threads is None else f"{threads} thread{'s' if threads != 1 else ''}"
    where = "GPU" if options["device"] == "cuda" else where
    return f"{options['runtime']} {options['precision']}, {where}"
