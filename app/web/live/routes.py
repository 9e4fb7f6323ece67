"""The live frames over a WebSocket, and the session's switches over HTTP."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

import cv2
from fastapi import APIRouter, HTTPException, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field

from ....models.errors import SepcamError
from ....models.files import fit_name
from ....models.types import ConvKind
from ....pipelines.live.session import LiveSession
from ....pipelines.live.settings import HudDetail
from ....pipelines.tracking.settings import settings_for
from ....pipelines.types import Blur, Task
from ...live.many.feeds import Feed
from ..shared.downloads import Download, Downloads
from ..shared.failures import Failures, one_line
from ..shared.websocket import Connection, RejectedMessageError, VisitorLeftError
from . import duel
from .jpeg_stream import LARGEST, SMALL, EncodedFrame, JpegStream
from .people import PeopleList

MAX_VIEWERS: Final = 16

_STATUS_S = 0.25
_BLURS: Final = get_args(Blur)  # what hides more comes later


class Change(BaseModel):
    """Switches to change; those left out stay."""

    model_config = ConfigDict(extra="forbid")

    backbone: ConvKind | None = None
    tasks: list[Task] | None = Field(None, description="Tasks beside detection.")
    detector: str | None = Field(None, max_length=100, description="One of the detectors of GET /api/live.")
    conf: float | None = Field(None, ge=0, le=1, description="Confidence threshold for new tracks.")
    blur: Blur | None = None
    hide: Blur | None = None
    hud: HudDetail | None = Field(None, description="Detail of the figures drawn on the frame.")
    paused: bool | None = None


class Point(BaseModel):
    """A point of the frame."""

    model_config = ConfigDict(extra="forbid")

    x: float = Field(ge=0, le=1, description="From the left edge, as a fraction of the width.")
    y: float = Field(ge=0, le=1, description="From the top edge, as a fraction of the height.")


class Follow(BaseModel):
    """The person to follow."""

    model_config = ConfigDict(extra="forbid")

    id: int | None = Field(None, ge=1, lt=2**31, description="Track id; null follows nobody.")


class Live:
    """A source and its session, shared by their visitors.

    Attributes:
        feed: the source.
        viewers: connected now.
        idle_s: seconds without an acknowledgement after which a viewer is disconnected.
        failures: reports unexpected errors.
    """

    feed: Feed
    viewers: int
    idle_s: float
    failures: Failures

    def __init__(
        self,
        feed: Feed,
        loop: asyncio.AbstractEventLoop,
        people_list: PeopleList,
        folder: Path,
        downloads: Downloads,
        detectors: Sequence[str],
        failures: Failures,
        idle_s: float,
    ) -> None:
        """Prepare to serve a source.

        Args:
            feed: the source; its session may begin later.
            loop: of the viewers.
            people_list: collects its events.
            folder: where recordings go.
            downloads: where recordings are offered.
            detectors: names of the detectors that visitors may choose.
            failures: reports unexpected errors.
            idle_s: seconds without an acknowledgement after which a viewer is disconnected.
        """
        self.feed, self._loop = feed, loop
        self._streams: dict[int, JpegStream] = {}
        self._people, self._folder, self._downloads = people_list, folder, downloads
        self._detectors = list(detectors)
        self._cached: tuple[float, dict[str, Any]] = (0.0, {})
        self._lock = threading.Lock()
        self.viewers, self.idle_s, self.failures = 0, idle_s, failures

    @property
    def session(self) -> LiveSession:
        """The session.

        Raises:
            HTTPException: If the source is not there.
        """
        session = self.feed.session
        if session is None:
            raise HTTPException(503, self.feed.notice())
        return session

    def stream(self, largest: int = LARGEST) -> JpegStream:
        """The session's frames as JPEG, their longest side at most ``largest`` pixels; from the event loop.

        Raises:
            HTTPException: If the source is not there.
        """
        if largest not in self._streams:
            self._streams[largest] = JpegStream(self.session, self._loop, largest=largest)
        return self._streams[largest]

    def close(self) -> None:
        """Stop encoding."""
        for stream in self._streams.values():
            stream.close()

    def status(self) -> dict[str, Any]:
        """The session's status as JSON; cached for a moment, for all visitors."""
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
            "source": {"name": self.feed.name, "width": info.width, "height": info.height, "fps": info.fps},
            **status.to_json(),
            "notice": self.feed.notice(),
            "conf": settings_for(status.settings.detector).new if conf is None else conf,
            "ended": self.session.ended,
            "error": None if self.session.error is None else one_line(self.session.error),
            "age_ms": None if shot is None else round((time.monotonic() - shot.arrived) * 1e3),
            "people": [] if shot is None or self.session.ended else self._people.people(shot.result),
            "events": self._people.events(),
            "detectors": self._detectors,
            "viewers": self.viewers,
        }

    def change(self, change: Change) -> None:
        """Changes switches.

        Raises:
            HTTPException: If the detector is not one of the offered ones.
        """
        values, paused = self.checked(change)
        if values:
            self.session.change(**values)
        if paused is not None:
            self.session.pause(paused)
        self.forget()

    def checked(self, change: Change) -> tuple[dict[str, Any], bool | None]:
        """What changes as fields of ``LiveSettings``, and whether to pause.

        Raises:
            HTTPException: If the detector is not one of the offered ones, or less would be hidden than
                whoever started the server wants.
        """
        values = change.model_dump(exclude_none=True)
        paused = values.pop("paused", None)
        if values.get("detector", self._detectors[0]) not in self._detectors:
            raise HTTPException(422, f"there is no detector {values['detector'][:50]!r}")
        least = self.feed.request.hiding
        for option, wanted in (("blur", least.blur), ("hide", least.hide)):
            if _BLURS.index(values.get(option, wanted)) < _BLURS.index(wanted):
                raise HTTPException(422, f"this server keeps to --{option} {wanted} or more")
        if "tasks" in values:
            values["tasks"] = frozenset(values["tasks"])
        return values, paused

    def forget(self) -> None:
        """Drops the cached status, because it has changed."""
        with self._lock:
            self._cached = 0.0, {}

    def record(self) -> None:
        """Starts a recording.

        Raises:
            SepcamError: If the file cannot be created, or a video is being recorded already.
            HTTPException: If the video has ended.
        """
        if self.session.ended:
            raise HTTPException(409, duel.ENDED)
        stem = fit_name(self._folder, self.feed.stem, f"-{datetime.now():%Y%m%d-%H%M%S}", room=len("-99.mp4"))
        self.session.recordings.start_unique(self._folder, stem)

    def finish(self) -> tuple[str, str] | None:
        """Stops the recording.

        Returns:
            Its name and the id under which it is offered; None where nothing was recorded.

        Raises:
            SepcamError: If the file cannot be completed.
        """
        path = self.session.recordings.stop()
        if path is None:
            return None
        return path.name, self._downloads.offer(Download(path, path.name, "video/mp4"))


def router(live: Live, prefix: str) -> APIRouter:
    """The routes of a live session, below an address."""
    routes = APIRouter(prefix=prefix, tags=["live"])
    _add_switches(routes, live)
    _add_recording(routes, live)
    routes.include_router(duel.router(lambda: live.session, live.forget))

    @routes.websocket("/live/frames")
    async def frames(socket: WebSocket, small: bool = False) -> None:
        await socket.accept()
        connection = Connection(socket)
        if live.feed.session is None:
            await connection.refuse(str(live.feed.notice()))
            return
        if live.viewers >= MAX_VIEWERS:
            await connection.refuse(f"{MAX_VIEWERS} viewers are connected already: try again later")
            return
        live.viewers += 1
        try:
            await _Viewer(connection, live, live.stream(SMALL if small else LARGEST)).run()
        finally:
            live.viewers -= 1

    return routes


def _add_switches(routes: APIRouter, live: Live) -> None:
    @routes.get("/live", summary="The session's status: switches, figures, people, events")
    def status() -> dict[str, Any]:
        return live.status()

    @routes.patch("/live", summary="Change switches, as the window's keys do")
    def change(change: Change) -> dict[str, Any]:
        live.change(change)
        return live.status()

    @routes.post("/live/click", summary="Follow the person at a point of the frame, or nobody")
    def click(point: Point) -> dict[str, int | None]:
        info = live.session.info
        track_id = live.session.follow_at(point.x * info.width, point.y * info.height)
        live.forget()
        return {"id": track_id}

    @routes.put("/live/follow", summary="Follow a person by id, or nobody")
    def follow(chosen: Follow) -> dict[str, int | None]:
        live.session.change(follow=chosen.id)
        live.forget()
        return {"id": chosen.id}


def _add_recording(routes: APIRouter, live: Live) -> None:
    @routes.post("/live/recording", summary="Start recording what is shown")
    def record() -> dict[str, str | None]:
        try:
            live.record()
        except (SepcamError, OSError) as error:
            raise HTTPException(409, one_line(error)) from error
        live.forget()
        return {"id": None}

    @routes.delete("/live/recording", summary="Stop the recording; returns its id for /api/files")
    def finish() -> dict[str, str]:
        try:
            done = live.finish()
        except SepcamError as error:
            raise HTTPException(500, one_line(error)) from error
        live.forget()
        if done is None:
            raise HTTPException(409, "nothing is being recorded, or no frame came")
        return {"name": done[0], "id": done[1]}

    @routes.get("/live/snapshot", summary="The newest frame as PNG, in full size", response_class=Response)
    def snapshot() -> Response:
        shot = live.session.wait(0, 0)
        if shot is None:
            raise HTTPException(503, "there is no frame yet")
        _, data = cv2.imencode(".png", shot.image)
        name = f"sepcam-{datetime.now():%Y%m%d-%H%M%S}.png"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data.tobytes(), media_type="image/png", headers=headers)


class _Viewer:
    """One browser: it gets a frame when it has drawn the one before; another would grow old meanwhile."""

    def __init__(self, connection: Connection, live: Live, stream: JpegStream) -> None:
        self._connection, self._live, self._stream = connection, live, stream
        self._sent: EncodedFrame | None = None
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Serves the viewer until either side closes the connection."""
        tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except VisitorLeftError:
            return
        except asyncio.TimeoutError:
            await self._connection.refuse(f"no frame was acknowledged for {self._live.idle_s:g} s")
        except Exception as error:
            await self._connection.refuse(self._live.failures.report("sending live frames", error))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self) -> None:
        number, status_at = 0, 0.0
        while True:
            while self._sent is not None:
                self._room.clear()
                await asyncio.wait_for(self._room.wait(), self._live.idle_s)
            now = time.monotonic()
            if now >= status_at:
                status_at = now + _STATUS_S
                await self._within_timeout(self._connection.send("status", **self._live.status()))
            frame = await self._stream.next(number, _STATUS_S)
            if frame is not None:
                number = frame.shot.number
                self._sent = frame
                data = number.to_bytes(4, "big") + frame.jpeg
                await self._within_timeout(self._connection.send_bytes(data))

    async def _within_timeout(self, sending: Awaitable[None]) -> None:
        await asyncio.wait_for(sending, self._live.idle_s)

    async def _receive(self) -> None:
        while True:
            message = await self._connection.receive()
            try:
                number = _acknowledged(message)
            except RejectedMessageError as error:
                await self._connection.send_error(str(error))
                continue
            frame = self._sent
            if frame is not None and frame.shot.number <= number:
                self._sent = None
                self._room.set()
                if not self._live.session.paused:
                    self._live.session.shown(frame.shot)


def _acknowledged(message: str | bytes) -> int:
    try:
        number = json.loads(message)["ack"] if isinstance(message, str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        number = None
    if not isinstance(number, int) or isinstance(number, bool):
        raise RejectedMessageError('expected {"ack": number of the frame that was drawn}')
    return number
