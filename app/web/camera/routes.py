"""Visitors' cameras over a WebSocket: JPEG in, JSON out, one frame at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ....models.errors import SepcamError
from ....models.types import ConvKind
from ....pipelines.analysis.options import AnalysisOptions
from ....pipelines.drawing.options import DrawOptions
from ....pipelines.execution.network_pool import NetworkPool
from ....pipelines.live.settings import LiveSettings
from ....pipelines.types import Task
from ..shared.failures import Failures, one_line
from ..shared.websocket import Connection, RejectedMessageError, VisitorLeftError
from .session import CameraSession


class CameraChange(BaseModel):
    """Settings to change for a visitor's camera; those left out stay."""

    model_config = ConfigDict(extra="forbid")

    backbone: ConvKind | None = None
    tasks: list[Task] | None = None
    conf: float | None = Field(None, ge=0, le=1)
    duel: float | None = Field(None, ge=0, le=600, description="Begin a duel of so many seconds; 0 ends it.")


class Cameras:
    """All visitors' cameras: a limited number at a time, their frames analyzed in turn.

    One thread analyzes for all of them, one frame each, first come first served, so that no visitor waits for
    longer than the others' frames take. The networks are those of the live session.

    Attributes:
        count: connected now.
        most: allowed at a time.
        settings: a visitor's first settings.
    """

    count: int
    most: int
    settings: LiveSettings

    def __init__(
        self,
        pool: NetworkPool,
        settings: LiveSettings,
        options: AnalysisOptions,
        drawing: DrawOptions,
        failures: Failures,
        *,
        most: int,
        idle_s: float,
    ) -> None:
        """Start without visitors.

        Args:
            pool: provides the networks.
            settings: a visitor's first settings.
            options: of the analysis, for each visitor.
            drawing: what is drawn, and how.
            failures: reports unexpected errors.
            most: visitors at a time.
            idle_s: seconds without a frame after which a visitor is disconnected.
        """
        self._pool, self._options, self._drawing, self._failures = pool, options, drawing, failures
        self.most, self._idle_s = most, idle_s
        self.settings = replace(settings, blur="nothing", hide="nothing", follow=None)
        self._worker = ThreadPoolExecutor(1, "sepcam-cameras")
        self.count = 0

    def close(self) -> None:
        """Stop analyzing."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def router(self) -> APIRouter:
        """The route of the WebSocket."""
        routes = APIRouter()

        @routes.websocket("/api/camera")
        async def camera(socket: WebSocket) -> None:
            await socket.accept()
            connection = Connection(socket)
            if self.count >= self.most:
                others = "another visitor's camera is" if self.most == 1 else f"{self.most} cameras are"
                await connection.refuse(f"{others} being analyzed already: try again in a moment")
                return
            self.count += 1
            try:
                await self._serve(connection)
            except VisitorLeftError:
                pass
            except asyncio.TimeoutError:
                await connection.refuse(f"no frame came for {self._idle_s:g} s")
            except SepcamError as error:
                await connection.refuse(one_line(error))
            except Exception as error:
                await connection.refuse(self._failures.report("the analysis of a visitor's camera", error))
            finally:
                self.count -= 1

        return routes

    async def _serve(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        session = await loop.run_in_executor(
            self._worker, CameraSession, self._pool, self.settings, self._options, self._drawing
        )
        await connection.send(
            "ready",
            detector=self.settings.detector,
            backbone=self.settings.backbone,
            tasks=sorted(self.settings.tasks),
        )
        while True:
            data = await asyncio.wait_for(connection.receive(), self._idle_s)
            try:
                if isinstance(data, str):
                    changes = _changes(data)
                    duel = changes.pop("duel", None)
                    session.switches.change(**changes)
                    if duel is not None:
                        await loop.run_in_executor(self._worker, session.duel, duel)
                else:
                    answer = await loop.run_in_executor(self._worker, session.analyze, data)
                    await asyncio.wait_for(connection.send("result", **answer), self._idle_s)
            except RejectedMessageError as error:
                await connection.send_error(str(error))


def _changes(text: str) -> dict[str, Any]:
    try:
        change = CameraChange.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RejectedMessageError(f"{where}: {first['msg']}" if where else first["msg"]) from error
    values = change.model_dump(exclude_none=True)
    if "tasks" in values:
        values["tasks"] = frozenset(values["tasks"])
    return values
