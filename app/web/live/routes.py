"""The live picture and its switches over HTTP and a WebSocket."""

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import cv2
from fastapi import APIRouter, HTTPException, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field
from starlette.websockets import WebSocketDisconnect

from ....models.errors import SepcamError
from ....models.types import ConvKind
from ....pipelines.drawing.anonymize import Blur
from ....pipelines.live.session import LiveSession
from ....pipelines.live.settings import HudDetail
from ....pipelines.sinks.outputs import stem_of
from ....pipelines.tracking.settings import settings_for
from ....pipelines.types import Task
from ..shared.downloads import Download, Downloads
from ..shared.websocket import Refused, refuse, say, say_error, text_of
from .jpeg_stream import EncodedFrame, JpegStream
from .people import PeopleList

MAX_VIEWERS: Final = 16
IN_FLIGHT: Final = 2
"""Pictures that a viewer may not have acknowledged yet: the next one travels while one is being drawn."""

_STATUS_S = 0.25


class Change(BaseModel):
    """Switches to be set; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    backbone: ConvKind | None = None
    tasks: list[Task] | None = Field(None, description="What is done beside detecting.")
    detector: str | None = Field(None, max_length=100, description="One of the detectors of GET /api/live.")
    conf: float | None = Field(None, ge=0, le=1, description="Least score of what begins to be reported.")
    blur: Blur | None = None
    hud: HudDetail | None = Field(None, description="How much the read-out inside the picture says.")
    paused: bool | None = None


class Place(BaseModel):
    """A point of the picture."""

    model_config = ConfigDict(extra="forbid")

    x: float = Field(ge=0, le=1, description="From the left edge, as a share of the width.")
    y: float = Field(ge=0, le=1, description="From the top edge, as a share of the height.")


class Followed(BaseModel):
    """Whom to follow."""

    model_config = ConfigDict(extra="forbid")

    id: int | None = Field(None, ge=1, description="Track id; null follows nobody.")


class Live:
    """A live session as visitors see it.

    Attributes:
        viewers: how many watch.
        idle_s: seconds after which a viewer that acknowledges nothing is disconnected.
    """

    viewers: int
    idle_s: float

    def __init__(
        self,
        session: LiveSession,
        hub: JpegStream,
        people_list: PeopleList,
        folder: Path,
        downloads: Downloads,
        detectors: Sequence[str],
        idle_s: float,
    ) -> None:
        """Prepare to serve a session.

        Args:
            session: has started.
            hub: encodes its pictures.
            people_list: hears its events.
            folder: where recordings go.
            downloads: where they are offered.
            detectors: names that may be switched to.
            idle_s: patience with viewers.
        """
        self.session, self.hub = session, hub
        self._people, self._folder, self._downloads = people_list, folder, downloads
        self._detectors = list(detectors)
        self._cached: tuple[float, dict[str, Any]] = (0.0, {})
        self._lock = threading.Lock()
        self.viewers, self.idle_s = 0, idle_s

    def status(self) -> dict[str, Any]:
        """What the session is doing, as JSON; the same object for all who ask within a moment."""
        with self._lock:
            now = time.monotonic()
            if now - self._cached[0] >= _STATUS_S / 2:
                self._cached = now, self._status()
            return self._cached[1]

    def _status(self) -> dict[str, Any]:
        shot = self.session.wait(0, 0)
        info = self.session.info
        status = self.session.status()
        conf = status.settings.conf
        return {
            "source": {"name": info.name, "width": info.width, "height": info.height, "fps": info.fps},
            **status.to_json(),
            "conf": settings_for(status.settings.detector).new if conf is None else conf,
            "ended": self.session.ended,
            "error": None if self.session.error is None else _one_line(self.session.error),
            "people": [] if shot is None else self._people.people(shot.result),
            "events": self._people.events(),
            "detectors": self._detectors,
            "viewers": self.viewers,
        }

    def change(self, change: Change) -> None:
        """Sets switches.

        Raises:
            HTTPException: If a detector is not one of those that there are.
        """
        values = change.model_dump(exclude_none=True)
        paused = values.pop("paused", None)
        if values.get("detector", self._detectors[0]) not in self._detectors:
            raise HTTPException(422, f"there is no detector {values['detector'][:50]!r}")
        if "tasks" in values:
            values["tasks"] = frozenset(values["tasks"])
        if values:
            self.session.change(**values)
        if paused is not None:
            self.session.pause(paused)
        self.forget()

    def forget(self) -> None:
        """The status has changed: the next one is made anew."""
        with self._lock:
            self._cached = 0.0, {}

    def record(self) -> None:
        """Begins a recording.

        Raises:
            SepcamError: If the file cannot be made, or one is being recorded.
        """
        stem = f"{stem_of(self.session.info.name, images=False)}-{datetime.now():%Y%m%d-%H%M%S}"
        path, number = self._folder / f"{stem}.mp4", 2
        while path.exists():
            path, number = self._folder / f"{stem}-{number}.mp4", number + 1
        self._folder.mkdir(parents=True, exist_ok=True)
        self.session.recordings.start(path)

    def finish(self) -> tuple[str, str] | None:
        """Ends the recording: its name, and the id under which it is offered; None where there is none."""
        path = self.session.recordings.stop()
        if path is None:
            return None
        return path.name, self._downloads.offer(Download(path, path.name, "video/mp4"))


def router(live: Live) -> APIRouter:
    """The routes of a live session."""
    routes = APIRouter(prefix="/api", tags=["live"])
    _add_switches(routes, live)
    _add_recording(routes, live)

    @routes.websocket("/live/pictures")
    async def pictures(socket: WebSocket) -> None:
        await socket.accept()
        if live.viewers >= MAX_VIEWERS:
            await refuse(socket, f"{MAX_VIEWERS} browsers watch already: try again later")
            return
        live.viewers += 1
        try:
            await _Viewer(socket, live).run()
        finally:
            live.viewers -= 1

    return routes


def _add_switches(routes: APIRouter, live: Live) -> None:
    @routes.get("/live", summary="What the session is doing: switches, figures, people, events")
    def status() -> dict[str, Any]:
        return live.status()

    @routes.patch("/live", summary="Set switches, as the window's keys do")
    def change(change: Change) -> dict[str, Any]:
        live.change(change)
        return live.status()

    @routes.post("/live/click", summary="Follow the person at a point of the picture, or nobody")
    def click(place: Place) -> dict[str, int | None]:
        info = live.session.info
        track_id = live.session.follow_at(place.x * info.width, place.y * info.height)
        live.forget()
        return {"id": track_id}

    @routes.put("/live/follow", summary="Follow a person by id, or nobody")
    def follow(followed: Followed) -> dict[str, int | None]:
        live.session.change(follow=followed.id)
        live.forget()
        return {"id": followed.id}


def _add_recording(routes: APIRouter, live: Live) -> None:
    @routes.post("/live/recording", summary="Begin to record what is shown")
    def record() -> dict[str, str | None]:
        try:
            live.record()
        except (SepcamError, OSError) as error:
            raise HTTPException(409, _one_line(error)) from error
        live.forget()
        return {"id": None}

    @routes.delete("/live/recording", summary="End the recording; the answer has its id for /api/files")
    def finish() -> dict[str, str | None]:
        try:
            done = live.finish()
        except SepcamError as error:
            raise HTTPException(500, _one_line(error)) from error
        live.forget()
        return {"name": None, "id": None} if done is None else {"name": done[0], "id": done[1]}

    @routes.get("/live/snapshot", summary="The picture as it is now, in full size", response_class=Response)
    def snapshot() -> Response:
        shot = live.session.wait(0, 0)
        if shot is None:
            raise HTTPException(503, "there is no picture yet")
        _, data = cv2.imencode(".png", shot.picture)
        name = f"sepcam-{datetime.now():%Y%m%d-%H%M%S}.png"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data.tobytes(), media_type="image/png", headers=headers)


class _Viewer:
    """One browser that watches: it gets a picture only when it has drawn an earlier one."""

    def __init__(self, socket: WebSocket, live: Live) -> None:
        self._socket, self._live = socket, live
        self._in_flight: list[EncodedFrame] = []
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Until either side has had enough."""
        works = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            for work in done:
                work.result()
        except (WebSocketDisconnect, RuntimeError):
            return  # it left, perhaps while something was on its way to it
        except asyncio.TimeoutError:
            await refuse(self._socket, f"nothing was acknowledged for {self._live.idle_s:g} s")
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _send(self) -> None:
        number, status_at = 0, 0.0
        while True:
            while len(self._in_flight) >= IN_FLIGHT:
                self._room.clear()
                await asyncio.wait_for(self._room.wait(), self._live.idle_s)
            now = time.monotonic()
            if now >= status_at:
                status_at = now + _STATUS_S
                await self._hand(say(self._socket, "status", **self._live.status()))
            picture = await self._live.hub.next(number, _STATUS_S)
            if picture is not None:
                number = picture.shot.number
                self._in_flight.append(picture)
                await self._hand(self._socket.send_bytes(number.to_bytes(4, "big") + picture.jpeg))

    async def _hand(self, sending: Any) -> None:  # noqa: ANN401 - an awaitable
        await asyncio.wait_for(sending, self._live.idle_s)

    async def _receive(self) -> None:
        while True:
            try:
                text = text_of(await self._socket.receive())
                number = _acknowledged(text)
            except Refused as refused:
                await say_error(self._socket, str(refused))
                continue
            for picture in [p for p in self._in_flight if p.shot.number <= number]:
                self._in_flight.remove(picture)
                self._room.set()
                if not self._live.session.paused:
                    self._live.session.shown(picture.shot)


def _acknowledged(text: str) -> int:
    try:
        number = json.loads(text)["ack"]
    except (ValueError, TypeError, KeyError, RecursionError):
        number = None
    if not isinstance(number, int) or isinstance(number, bool):
        raise Refused('a viewer sends {"ack": number of the picture it has drawn}, nothing else')
    return number


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
