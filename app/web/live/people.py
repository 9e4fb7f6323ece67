"""Who is in the picture, since when, and what happened last."""

import threading
import time
from collections import deque
from typing import Any

from ....pipelines.analytics.events import Event
from ....pipelines.drawing.colors import color_of
from ....pipelines.types import FrameResult

_EVENTS = 30


class PeopleList:
    """Hears of a session's events and lists its people; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[int, float] = {}
        self._events: deque[dict[str, Any]] = deque(maxlen=_EVENTS)

    def tell(self, event: Event) -> None:
        """Something happened."""
        with self._lock:
            if event.kind == "enter":
                self._since[event.track_id] = time.monotonic()
            elif event.kind == "leave":
                self._since.pop(event.track_id, None)
            self._events.append({**event.to_json(), "at": time.time()})

    def events(self) -> list[dict[str, Any]]:
        """The last ones, oldest first, as JSON; ``at`` is seconds since 1970."""
        with self._lock:
            return list(self._events)

    def people(self, result: FrameResult) -> list[dict[str, Any]]:
        """What a frame has of each tracked object, as JSON: id, label, score, color, seconds in view."""
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


def web_color(number: int) -> str:
    """The color of a track as in the picture, ``#rrggbb``."""
    blue, green, red = color_of(number)
    return f"#{red:02x}{green:02x}{blue:02x}"
