"""The people in view, since when, and the last events."""

import threading
import time
from collections import deque
from typing import Any

from ....pipelines.events import Event
from ....pipelines.types import FrameResult
from ..shared.color import web_color

_MAX_EVENTS = 30


class PeopleList:
    """Collects a session's events and lists its people; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=_MAX_EVENTS)

    def add(self, event: Event) -> None:
        """Adds an event."""
        with self._lock:
            if event.kind == "enter":
                self._since[event.track_id] = time.monotonic()
            elif event.kind == "leave":
                self._since.pop(event.track_id, None)
            self._events.append({**event.to_json(), "at": time.time()})

    def events(self) -> list[dict[str, Any]]:
        """The last events, oldest first, as JSON; ``at`` is seconds since 1970."""
        with self._lock:
            return list(self._events)

    def people(self, result: FrameResult) -> list[dict[str, Any]]:
        """The tracked objects of a frame, as JSON: id, label, score, color, seconds in view."""
        found = result.instances
        if found.track_ids is None:
            return []
        now = time.monotonic()
        with self._lock:
            since = dict(self._since)
        rows = zip(found.track_ids.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True)
        return [
            {
                "id": track_id,
                "label": found.names[label],
                "score": round(score, 2),
                "color": web_color(track_id),
                "seconds": round(now - since.get(track_id, now), 1),
            }
            for track_id, label, score in sorted(rows)
        ]
