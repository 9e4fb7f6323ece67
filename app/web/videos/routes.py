"""Video files over HTTP: sent in one stream, asked about, cancelled."""

import re
from typing import Any

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from ....models.types import ConvKind
from ....pipelines.types import TASKS, Task
from .jobs import MOST, VideoJob, VideoJobs


def router(jobs: VideoJobs, *, max_bytes: int) -> APIRouter:
    """The routes of video files.

    Args:
        jobs: processes them.
        max_bytes: of a file.
    """
    routes = APIRouter(prefix="/api", tags=["videos"])
    too_large = f"the file is larger than {max_bytes / 1e6:.0f} MB, the most that is taken (--max-upload)"

    def known(key: str) -> VideoJob:
        job = jobs.find(key)
        if job is None:
            raise HTTPException(404, "there is no such video, or it was deleted")
        return job

    @routes.post("/videos", status_code=201, summary="Send a video file as the body; it is then processed")
    async def send(
        request: Request,
        name: str = Query("video", max_length=255, description="What to call it, for people to read."),
        backbone: ConvKind = "separable",
        tasks: list[Task] = Query(list(TASKS)),  # noqa: B008 - how FastAPI is told
    ) -> dict[str, Any]:
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > max_bytes:
            raise HTTPException(413, too_large)
        job = jobs.admit(_readable(name), backbone, frozenset(tasks))
        if job is None:
            raise HTTPException(429, f"{MOST} videos are on their way already: try again later")
        try:
            await _receive(request, job, max_bytes, too_large)
        except ClientDisconnect:
            jobs.remove(job)
            raise HTTPException(400, "the file did not come to its end") from None
        except BaseException:
            jobs.remove(job)
            raise
        jobs.begin(job)
        return job.to_json()

    @routes.get("/videos/{key}", summary="How far a video is, and the ids of its results for /api/files")
    def status(key: str) -> dict[str, Any]:
        return known(key).to_json()

    @routes.delete("/videos/{key}", summary="Cancel a video, and delete everything of it")
    def remove(key: str) -> dict[str, Any]:
        job = known(key)
        jobs.remove(job)
        return job.to_json()

    return routes


async def _receive(request: Request, job: VideoJob, max_bytes: int, too_large: str) -> None:
    """Writes the body into the job's file, never more of it than is allowed."""
    size = 0
    with job.upload.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > max_bytes:
                raise HTTPException(413, too_large)
            try:
                await run_in_threadpool(file.write, chunk)
            except OSError as error:
                raise HTTPException(507, f"the file cannot be kept: {error.strerror}") from error
    if not size:
        raise HTTPException(400, "the file is empty")


def _readable(name: str) -> str:
    """A name without anything that a path, a header or a terminal could stumble over."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w. ()-]+", "_", last).strip(" .")[:80] or "video"
