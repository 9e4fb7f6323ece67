"""All sources of the server: a card for each, and switches for all of them."""

import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from ...live.many.feeds import Feeds
from .routes import Change, Live


class Sources:
    """What is served of several sources.

    Attributes:
        lives: one for each source, in order; its number is its place from 1.
    """

    lives: Sequence[Live]

    def __init__(self, feeds: Feeds, lives: Sequence[Live]) -> None:
        self._feeds, self.lives = feeds, lives

    @property
    def first(self) -> Live | None:
        """The first one, or None where the server has no source."""
        return self.lives[0] if self.lives else None

    @property
    def lost(self) -> bool:
        """Whether there are sources and all of them were lost."""
        return bool(self.lives) and all(live.feed.failure is not None for live in self.lives)

    def change(self, change: Change) -> None:
        """Changes switches of all sources, also of those that are not there yet.

        Raises:
            HTTPException: If the detector is not one of the offered ones.
        """
        for live in self.lives[:1]:
            values, paused = live.checked(change)
            self._feeds.change(**values)
            if paused is not None:
                self._feeds.pause(paused)
        for live in self.lives:
            live.forget()


def card(live: Live) -> dict[str, Any]:
    """A source in short, as JSON."""
    feed, session = live.feed, live.feed.session
    shot = None if session is None else session.wait(0, 0)
    found: dict[str, Any] = {
        "number": feed.number,
        "name": feed.name,
        "there": session is not None,
        "ended": feed.over,
        "notice": feed.notice(),
        "age_ms": None if shot is None else round((time.monotonic() - shot.arrived) * 1e3),
    }
    if session is not None:
        meter = session.status().figures.meter
        found |= {
            "shown_fps": None if meter.processing_fps is None else round(meter.processing_fps, 2),
            "frames": meter.frames,
            "dropped": meter.dropped,
            "recording": session.recordings.video is not None,
        }
    return found


def router(sources: Sources) -> APIRouter:
    """The routes of all sources; ``/api/sources/NUMBER/live`` and so on are those of each."""
    routes = APIRouter(prefix="/api", tags=["live"])

    @routes.get("/sources", summary="The sources: number, name, rate and age of each one's frame")
    def listed() -> list[dict[str, Any]]:
        return [card(live) for live in sources.lives]

    @routes.patch("/sources", summary="Change switches of all sources")
    def change(change: Change) -> list[dict[str, Any]]:
        sources.change(change)
        return listed()

    return routes
