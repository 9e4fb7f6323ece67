"""Visitors' cameras over a WebSocket: JPEG in, JSON out, one picture at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.websockets import WebSocketDisconnect

from ....models.errors import SepcamError
from ....models.types import ConvKind
from ....pipelines.execution.network_pool import NetworkPool
from ....pipelines.live.settings import LiveSettings
from ....pipelines.types import Task
from ..shared.websocket import Refused, payload_of, refuse, say, say_error
from .session import CameraLimits, CameraSession


class Wish(BaseModel):
    """Switches of a visitor's camera; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    backbone: ConvKind | None = None
    tasks: list[Task] | None = None
    conf: float | None = Field(None, ge=0, le=1)


class Cameras:
    """All visitors' cameras: a few at a time, their pictures analysed in turn.

    One thread analyses for all of them: a picture each, first come first served, so that nobody waits for
    longer than the others take. The networks are those of the live picture.

    Attributes:
        count: how many there are now.
        most: how many there may be.
        settings: what a visitor begins with.
    """

    count: int
    most: int
    settings: LiveSettings

    def __init__(
        self, pool: NetworkPool, settings: LiveSettings, limits: CameraLimits, *, most: int, idle_s: float
    ) -> None:
        """Nobody is there yet.

        Args:
            pool: where networks come from.
            settings: what a visitor begins with.
            limits: for each visitor.
            most: visitors at a time.
            idle_s: seconds without a picture after which a visitor is disconnected.
        """
        self._pool, self._limits, self.most, self._idle_s = pool, limits, most, idle_s
        self.settings = replace(settings, blur="nothing", follow=None)
        self._worker = ThreadPoolExecutor(1, "sepcam-cameras")
        self.count = 0

    def close(self) -> None:
        """Analyse nothing more."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def router(self) -> APIRouter:
        """The route of the WebSocket."""
        routes = APIRouter()

        @routes.websocket("/api/camera")
        async def camera(socket: WebSocket) -> None:
            await socket.accept()
            if self.count >= self.most:
                visitors = "one visitor's camera is" if self.most == 1 else f"{self.most} cameras are"
                await refuse(socket, f"{visitors} being analysed already: try again in a moment")
                return
            self.count += 1
            try:
                await self._serve(socket)
            except (WebSocketDisconnect, RuntimeError):
                pass  # it left, perhaps while a result was on its way to it
            except asyncio.TimeoutError:
                await refuse(socket, f"no picture came for {self._idle_s:g} s")
            except SepcamError as error:
                await refuse(socket, " ".join(str(error).split()))
            finally:
                self.count -= 1

        return routes

    async def _serve(self, socket: WebSocket) -> None:
        loop = asyncio.get_running_loop()
        session = await loop.run_in_executor(
            self._worker, CameraSession, self._pool, self.settings, self._limits
        )
        await say(
            socket,
            "ready",
            detector=self.settings.detector,
            backbone=self.settings.backbone,
            tasks=sorted(self.settings.tasks),
        )
        while True:
            data = payload_of(await asyncio.wait_for(socket.receive(), self._idle_s))
            try:
                if isinstance(data, str):
                    session.switches.change(**_wished(data))
                else:
                    answer = await loop.run_in_executor(self._worker, session.analyze, data)
                    await asyncio.wait_for(say(socket, "result", **answer), self._idle_s)
            except Refused as refused:
                await say_error(socket, str(refused))


def _wished(text: str) -> dict[str, Any]:
    try:
        wish = Wish.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(f"{where}: {first['msg']}" if where else first["msg"]) from error
    values = wish.model_dump(exclude_none=True)
    if "tasks" in values:
        values["tasks"] = frozenset(values["tasks"])
    return values
