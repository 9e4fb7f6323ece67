"""What a run counted: people, people per minute, lines, zones, and how both changed over time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LineStatistics:
    """A line.

    Attributes:
        name: of the line.
        classes: (in, out) by class.
        crossed_in: times of the crossings inwards in seconds, in order.
        crossed_out: the same, outwards.
    """

    name: str
    classes: Mapping[str, tuple[int, int]]
    crossed_in: tuple[float, ...]
    crossed_out: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ZoneStatistics:
    """A zone.

    Attributes:
        name: of the zone.
        classes: (identities, visits) by class.
        identities: how many different ones were in it.
        visits: how often somebody entered.
        mean_s: mean seconds of a visit.
        longest_s: seconds of the longest visit.
        total_s: seconds of all visits together.
        visit_s: seconds of each visit, in the order of their ends.
    """

    name: str
    classes: Mapping[str, tuple[int, int]]
    identities: int
    visits: int
    mean_s: float
    longest_s: float
    total_s: float
    visit_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """A run.

    Attributes:
        seconds: of the video.
        people: different people; without tracking, the most at once.
        tracked: whether people have identities.
        at_once: most people in one frame.
        classes: different objects by class; without tracking, the most at once.
        step_s: seconds of a step of ``timeline``.
        timeline: most people in a frame of each step.
        lines: every line.
        zones: every zone.
    """

    seconds: float = 0.0
    people: int = 0
    tracked: bool = False
    at_once: int = 0
    classes: Mapping[str, int] = field(default_factory=dict)
    step_s: float = 1.0
    timeline: tuple[int, ...] = ()
    lines: tuple[LineStatistics, ...] = ()
    zones: tuple[ZoneStatistics, ...] = ()

    @property
    def per_minute(self) -> float | None:
        """Different people per minute; None without identities or time."""
        return 60 * self.people / self.seconds if self.tracked and self.seconds > 0 else None

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "video_seconds": round(self.seconds, 3),
            "people": self.people,
            "tracked": self.tracked,
            "people_at_once": self.at_once,
            "people_per_minute": None if self.per_minute is None else round(self.per_minute, 2),
            "classes": dict(self.classes),
            "timeline": {"step_s": self.step_s, "people": list(self.timeline)},
            "lines": [
                {
                    "name": line.name,
                    "in": sum(counts[0] for counts in line.classes.values()),
                    "out": sum(counts[1] for counts in line.classes.values()),
                    "classes": {label: {"in": a, "out": b} for label, (a, b) in line.classes.items()},
                    "in_s": list(line.crossed_in),
                    "out_s": list(line.crossed_out),
                }
                for line in self.lines
            ],
            "zones": [
                {
                    "name": zone.name,
                    "identities": zone.identities,
                    "visits": zone.visits,
                    "classes": {
                        label: {"identities": a, "visits": b} for label, (a, b) in zone.classes.items()
                    },
                    "mean_s": round(zone.mean_s, 3),
                    "longest_s": round(zone.longest_s, 3),
                    "total_s": round(zone.total_s, 3),
                    "visit_s": list(zone.visit_s),
                }
                for zone in self.zones
            ],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Statistics":
        """What ``to_json`` returned."""
        return cls(
            values["video_seconds"],
            values["people"],
            values["tracked"],
            values["people_at_once"],
            values["classes"],
            values["timeline"]["step_s"],
            tuple(values["timeline"]["people"]),
            tuple(
                LineStatistics(
                    line["name"],
                    {label: (counts["in"], counts["out"]) for label, counts in line["classes"].items()},
                    tuple(line["in_s"]),
                    tuple(line["out_s"]),
                )
                for line in values["lines"]
            ),
            tuple(
                ZoneStatistics(
                    zone["name"],
                    {label: (c["identities"], c["visits"]) for label, c in zone["classes"].items()},
                    zone["identities"],
                    zone["visits"],
                    zone["mean_s"],
                    zone["longest_s"],
                    zone["total_s"],
                    tuple(zone["visit_s"]),
                )
                for zone in values["zones"]
            ),
        )
