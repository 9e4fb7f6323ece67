"""Videos and images over HTTP: uploaded in one stream, polled, cancelled."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import PurePath
from typing import Any, Final, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from ....models.types import ConvKind
from ....pipelines.types import TASKS, Task
from .jobs import MAX_ACTIVE, VideoJob, VideoJobs

_MIN_BYTES: Final = 64 * 1024
"""An upload that brings fewer bytes than this within the idle timeout has stalled."""

_NAME, _SUFFIX = 80, 10  # characters of a name that are kept, and of a suffix that says what a file is


class Uploads:
    """Receives request bodies into jobs. Belongs to the event loop.

    Attributes:
        jobs: processes what was received.
        max_bytes: largest file.
    """

    jobs: VideoJobs
    max_bytes: int

    def __init__(self, jobs: VideoJobs, *, max_bytes: int, idle_s: float) -> None:
        """Accept uploads.

        Args:
            jobs: processes what was received.
            max_bytes: largest file.
            idle_s: seconds within which an upload must make progress.
        """
        self.jobs = jobs
        self.max_bytes, self._idle_s = max_bytes, idle_s
        self._too_large = (
            f"the file is larger than {max_bytes / 1e6:.0f} MB, the most this server takes (--max-upload)"
        )
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Ends every upload: the server is shutting down."""
        self._closing.set()

    async def receive(
        self, request: Request, name: str, backbone: ConvKind, tasks: frozenset[Task]
    ) -> VideoJob:
        """Receives a file and queues it.

        Raises:
            HTTPException: If there is no free slot, or the file is too large, empty, incomplete or stalled,
                or cannot be stored. Its slot is free again then.
        """
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.max_bytes:
            raise HTTPException(413, self._too_large)
        job = self.jobs.admit(_displayable(name), backbone, tasks)
        if job is None:
            raise HTTPException(429, f"{MAX_ACTIVE} files are being processed already: try again later")
        try:
            await self._store(request, job)
        except ClientDisconnect:
            self.jobs.remove(job)
            raise HTTPException(400, "the upload was interrupted") from None
        except BaseException:
            self.jobs.remove(job)
            raise
        self.jobs.begin(job)
        return job

    async def _store(self, request: Request, job: VideoJob) -> None:
        """Writes the body into the job's file, never more of it than is allowed."""
        size = 0
        with job.upload.open("wb") as file:
            async with aclosing(self._chunks(request)) as chunks:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self.max_bytes:
                        raise HTTPException(413, self._too_large)
                    try:
                        await run_in_threadpool(file.write, chunk)
                    except OSError as error:
                        raise HTTPException(507, f"the file cannot be stored: {error.strerror}") from error
        if not size:
            raise HTTPException(400, "the file is empty")

    async def _chunks(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body's chunks, as long as they keep coming."""
        loop = asyncio.get_running_loop()
        body = request.stream()
        deadline, recent = loop.time() + self._idle_s, 0
        closing = asyncio.ensure_future(self._closing.wait())
        waiting = {closing}
        try:
            while True:
                chunk = asyncio.ensure_future(anext(body, b""))
                waiting = {chunk, closing}
                left = max(0.0, deadline - loop.time())
                await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if not chunk.done():
                    raise self._interrupted()
                data = chunk.result()
                if not data:
                    return
                recent += len(data)
                if recent >= _MIN_BYTES:
                    deadline, recent = loop.time() + self._idle_s, 0
                yield data
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _interrupted(self) -> HTTPException:
        close = {"Connection": "close"}
        if self._closing.is_set():
            return HTTPException(503, "the server is shutting down", close)
        return HTTPException(408, f"the upload stalled for {self._idle_s:g} s (--idle-timeout)", close)


def router(uploads: Uploads) -> APIRouter:
    """The routes of files, videos and images."""
    routes = APIRouter(prefix="/api", tags=["videos"])
    jobs = uploads.jobs

    def known(key: str) -> VideoJob:
        job = jobs.find(key)
        if job is None:
            raise HTTPException(404, "there is no such video, or it was deleted")
        return job

    @routes.post("/videos", status_code=201, summary="Upload a video or an image as the body")
    async def upload(
        request: Request,
        name: str = Query(
            "video",
            max_length=255,
            description="Its name; the suffix of an image (.jpg, .png ...) makes it one.",
        ),
        backbone: ConvKind = "separable",
        tasks: list[Task | Literal["none"]] = Query(list(TASKS)),  # noqa: B008 - FastAPI's way
    ) -> dict[str, Any]:
        wanted: frozenset[Task] = frozenset(task for task in TASKS if task in tasks)
        return (await uploads.receive(request, name, backbone, wanted)).to_json()

    @routes.get("/videos/{key}", summary="State and progress of a video, and the ids of its results")
    def status(key: str) -> dict[str, Any]:
        return known(key).to_json()

    @routes.delete("/videos/{key}", summary="Cancel a video and delete everything of it")
    def remove(key: str) -> dict[str, Any]:
        job = known(key)
        jobs.remove(job)
        return job.to_json()

    return routes


def _displayable(name: str) -> str:
    """A name without anything that is special in a path, a header or a terminal."""
    last = re.split(r"[/\\]", name)[-1]
    clean = re.sub(r"[^\w. ()-]+", "_", last).strip(" .") or "video"
    suffix = PurePath(clean).suffix
    if len(suffix) > _SUFFIX:
        suffix = ""
    return clean.removesuffix(suffix)[: _NAME - len(suffix)] + suffix
