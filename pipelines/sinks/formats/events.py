"""Events as JSON Lines."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ....models.types import U8
from ...files.text import as_unicode
from ...types import FrameResult, RunSummary
from ..base import SinkContext, SinkKind
from ..serialize import source_facts
from ..text_sink import TextSink

if TYPE_CHECKING:
    from ...events import Event

FORMAT: Final = "sepcam-events"
VERSION: Final = 1


class EventsSink(TextSink):
    """One JSON object a line: a header, every event in the order of time, a summary."""

    def __init__(self, path: Path, context: SinkContext) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            context: the run.

        Raises:
            SepcamError: If the target exists, its folder cannot be written to, or a line or zone lies
                outside the frame.
        """
        size = context.info.width, context.info.height
        marks = [
            {
                "kind": zone.kind,
                "name": zone.name,
                "points": [[round(v, 2) for v in point] for point in zone.pixels(size)],
            }
            for zone in context.zones
        ]
        self._header = {
            "type": "header",
            "format": FORMAT,
            "version": VERSION,
            **source_facts(context.info),
            "zones": marks,
        }
        self._events: list[Event] = []
        super().__init__(path, overwrite=context.overwrite)

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add what happened in a frame; the image is not used."""
        self._events += result.events

    def _ending(self, summary: RunSummary) -> str:
        lines = [self._header]
        lines += [{"type": "event", **event.to_json()} for event in in_order(self._events, summary.events)]
        statistics = {} if summary.statistics is None else summary.statistics.to_json()
        lines.append(
            {"type": "summary", "frames": summary.frames, "complete": summary.complete, **statistics}
        )
        return "".join(map(_line, lines))


def in_order(events: "Sequence[Event]", last: "Sequence[Event]" = ()) -> "list[Event]":
    """Events by time: that somebody left is known some time after it happened."""
    return sorted([*events, *last], key=lambda event: event.frame)


def _line(values: Mapping[str, Any]) -> str:
    return as_unicode(json.dumps(values, allow_nan=False, ensure_ascii=False)) + "\n"


KIND = SinkKind(
    "events",
    frozenset(("video", "live")),
    lambda name: name.path(".events.jsonl"),
    EventsSink,
    companions=("events-csv", "summary"),
)
