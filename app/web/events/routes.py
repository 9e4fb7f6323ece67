"""The recorded events over HTTP: listed, filtered, played, deleted."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse

from ....models.errors import SepcamError
from ....pipelines.watching.store import EventStore
from ....pipelines.watching.stored import CLIP, THUMBNAIL, StoredEvent

MOST: Final = 500
"""Events in one answer, at most."""

_FILES: Final = {CLIP: "video/mp4", THUMBNAIL: "image/jpeg"}

Filter = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Events in the answer, at most.")]


@dataclass(frozen=True, slots=True)
class RecordedEvents:
    """What the page shows of events.

    Attributes:
        store: where they are.
        rules: by which they are recorded, as they were written.
        recording: the rules of which an event is being recorded now.
    """

    store: EventStore
    rules: Sequence[str]
    recording: Callable[[], Sequence[str]]

    def listed(
        self, *, day: str | None, rule: str | None, zone: str | None, source: str | None, limit: int
    ) -> dict[str, Any]:
        """The newest events of a filter as JSON, and what can be filtered by."""
        events = self.store.events()

        def fits(event: StoredEvent) -> bool:
            asked = ((day, _day(event)), (rule, event.rule), (zone, event.zone), (source, event.source))
            return all(wanted is None or wanted == value for wanted, value in asked)

        found = [event for event in events if fits(event)]
        days = Counter(map(_day, events))
        return {
            "events": [event.to_json() for event in found[:limit]],
            "total": len(found),
            "days": [{"day": one, "events": days[one]} for one in sorted(days, reverse=True)],
            "rules": sorted({*self.rules, *(event.rule for event in events)}),
            "zones": sorted({event.zone for event in events if event.zone}),
            "sources": sorted({event.source for event in events}),
            "watched": list(self.rules),
            "recording": list(self.recording()),
        }

    def file(self, name: str, part: str) -> Path:
        """A file of an event.

        Raises:
            HTTPException: If there is none.
        """
        folder = self.store.find(name) if part in _FILES else None
        if folder is None or not (folder / part).is_file():
            raise HTTPException(404, "there is no such event, or it was deleted")
        return folder / part


def router(recorded: RecordedEvents) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/events", tags=["events"])

    @routes.get("", summary="The recorded events, the newest first; filtered by day, rule, zone, source")
    def listed(
        day: Filter = None,
        rule: Filter = None,
        zone: Filter = None,
        source: Filter = None,
        limit: Limit = MOST,
    ) -> dict[str, Any]:
        return recorded.listed(day=day, rule=rule, zone=zone, source=source, limit=limit)

    @routes.get(
        "/{name}/{part}", summary="clip.mp4 or thumbnail.jpg of an event", response_class=FileResponse
    )
    def file(name: str, part: str) -> FileResponse:
        path = recorded.file(name, part)
        return FileResponse(path, media_type=_FILES[part], headers={"Cache-Control": "private, max-age=3600"})

    @routes.delete("/{name}", summary="Delete an event")
    def delete(name: str) -> dict[str, str]:
        try:
            there = recorded.store.remove(name)
        except SepcamError as error:
            raise HTTPException(500, str(error)) from error
        if not there:
            raise HTTPException(404, "there is no such event, or it was deleted already")
        return {"id": name}

    return routes


def _day(event: StoredEvent) -> str:
    """Its day where it was recorded: 2026-03-01."""
    return event.time[:10]
