"""What a duel measured, in words, and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ...models.registry import REGISTRY
from ...models.types import ConvKind
from ..evaluation.consistency import Difference
from ..evaluation.paired_timing import Estimate
from ..types import ModelInfo

KINDS: Final[tuple[ConvKind, ConvKind]] = ("separable", "standard")
"""The two sides, left to right."""

SCHEMA: Final = "sepcam-duel-1"

_DASH: Final = "\u2013"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a frame takes from the networks of one form, counted.

    Attributes:
        macs: multiply-adds: one pass of the detector at its own input size, and one pass of the pose network,
            where there is one, for each person.
        weights: parameters of the networks.
    """

    macs: float
    weights: float


@dataclass(frozen=True, slots=True)
class Side:
    """One form of the networks in a duel.

    Attributes:
        ms: of a frame's analysis, without reading and drawing it.
        p95_ms: 95 % of the frames took at most this long.
        cost: counted; None for networks that are not in the registry.
        joules: of a frame, for the whole processor; None where the machine does not measure it.
    """

    ms: Estimate
    p95_ms: float
    cost: Cost | None = None
    joules: float | None = None

    @property
    def fps(self) -> float:
        """Frames per second that the analysis alone reaches."""
        return 1e3 / max(self.ms.median, 1e-9)


@dataclass(frozen=True, slots=True)
class DuelResult:
    """What a duel measured.

    Attributes:
        frames: how many frames both analyzed.
        people: per frame, on average.
        sides: by form.
        ratio: how many times as long as the separable form the standard one takes.
        difference: the largest one between the predictions of both for any frame.
        alike: in how many frames both found the same objects.
        model: the networks.
        masks: whether they found masks.
    """

    frames: int
    people: float
    sides: Mapping[ConvKind, Side]
    ratio: Estimate
    difference: Difference
    alike: int
    model: ModelInfo
    masks: bool = False

    @property
    def headline(self) -> str:
        """The result in a few words, e.g. ``5.8x (5.6-6.1), 240 frames`` with an en dash."""
        ratio = self.ratio
        digits = 1 if ratio.median >= 2 else 2
        low, high = f"{ratio.low:.{digits}f}", f"{ratio.high:.{digits}f}"
        return f"{ratio.median:.{digits}f}x ({low}{_DASH}{high}), {_frames(self.frames)}"

    @property
    def agreement(self) -> str:
        """How far the predictions differ, in words."""
        found = self.difference
        parts = [f"boxes differ by at most {found.boxes_px:.2g} px"]
        if self.model.keypoint_names:
            parts.append(f"keypoints by {found.keypoints_px:.2g} px")
        if self.masks:
            parts.append(f"mask IoU {found.mask_iou:.3f} or more")
        same = f"the same objects in {self.alike} of {_frames(self.frames)}"
        return f"{same}; {', '.join(parts)}"

    @property
    def networks(self) -> str:
        """The names of the networks."""
        return names_of(self.model)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; ``energy_j``, ``macs`` and ``weights`` only where they are known."""
        return {
            "schema": SCHEMA,
            "headline": self.headline,
            "networks": self.networks,
            "frames": self.frames,
            "people_per_frame": round(self.people, 3),
            "ratio": asdict(self.ratio),
            "sides": {kind: _side_to_json(self.sides[kind]) for kind in KINDS},
            "difference": asdict(self.difference) | {"frames_with_same_objects": self.alike},
        }


def table(result: DuelResult) -> list[list[str]]:
    """The figures of both sides as rows of cells, the header first; what is unknown is left out."""
    sides = [result.sides[kind] for kind in KINDS]
    columns: list[tuple[str, list[str]]] = [
        ("", list(KINDS)),
        ("ms per frame (95 %)", [_interval(side.ms) for side in sides]),
        ("FPS", [_number(side.fps) for side in sides]),
    ]
    costs = [side.cost for side in sides]
    if all(costs):
        columns.append(("MACs", [_large(cost.macs) for cost in costs if cost]))
        columns.append(("weights", [_large(cost.weights) for cost in costs if cost]))
    if all(side.joules is not None for side in sides):
        columns.append(("J per frame", [f"{side.joules:.3g}" for side in sides]))
    rows = [[cells[row] for _, cells in columns] for row in range(len(sides))]
    return [[title for title, _ in columns], *rows]


def names_of(model: ModelInfo) -> str:
    """The names of networks, in words."""
    return " + ".join(name for name in (model.detector, model.pose) if name)


def counted_cost(model: ModelInfo, kind: ConvKind, people: float) -> Cost | None:
    """What a frame with so many people takes from networks of the registry; None for others."""
    column = KINDS.index(kind)
    detector = REGISTRY.get(model.detector or "")
    pose = None if model.pose is None else REGISTRY.get(model.pose)
    if detector is None or (model.pose is not None and pose is None):
        return None
    macs, weights = detector.macs[column], detector.params[column]
    if pose is not None:
        macs, weights = macs + people * pose.macs[column], weights + pose.params[column]
    return Cost(macs * 1e6, weights * 1e6)


def _side_to_json(side: Side) -> dict[str, Any]:
    entry: dict[str, Any] = {"ms": asdict(side.ms) | {"p95": side.p95_ms}, "fps": side.fps}
    if side.cost is not None:
        entry |= {"macs": side.cost.macs, "weights": side.cost.weights}
    if side.joules is not None:
        entry["energy_j"] = side.joules
    return entry


def _interval(value: Estimate) -> str:
    return f"{_number(value.median)} ({_number(value.low)}{_DASH}{_number(value.high)})"


def _number(value: float) -> str:
    """Three digits, and all those before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _large(value: float) -> str:
    unit, letter = (1e9, "G") if value >= 1e9 else (1e6, "M")
    return f"{value / unit:.3g} {letter}"


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"
