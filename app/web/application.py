"""The web application: all routes, behind the guard."""

from dataclasses import dataclass
from importlib import metadata
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from ...pipelines.types import TASKS
from . import static_files as page_files
from .auth import Access, Guard
from .camera.routes import Cameras
from .live import routes as live_routes
from .live.routes import Live
from .metrics import CONTENT_TYPE, Metrics
from .shared.downloads import Downloads
from .videos import routes as video_routes
from .videos.jobs import VideoJobs


@dataclass(frozen=True, slots=True)
class Service:
    """What is served.

    Attributes:
        live: the live picture, or None where the server has no source.
        cameras: those of visitors.
        jobs: video files of visitors.
        downloads: files that may be fetched.
        max_bytes: of a video file.
    """

    live: Live | None
    cameras: Cameras
    jobs: VideoJobs
    downloads: Downloads
    max_bytes: int


def application(service: Service, access: Access) -> ASGIApp:
    """The application that a server runs."""
    app = FastAPI(
        title="Sepcam",
        version=metadata.version("sepcam"),
        summary="The live picture, visitors' cameras and video files.",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(page_files.router())
    app.include_router(service.downloads.router())
    app.include_router(service.cameras.router())
    app.include_router(video_routes.router(service.jobs, max_bytes=service.max_bytes))
    if service.live is not None:
        app.include_router(live_routes.router(service.live))
    metrics = Metrics(service.live, service.cameras, service.jobs)

    @app.get("/api/about", tags=["server"], summary="What this server offers")
    def about() -> dict[str, Any]:
        return {
            "version": app.version,
            "live": service.live is not None,
            "cameras": service.cameras.most,
            "max_upload_bytes": service.max_bytes,
            "backbone": service.cameras.settings.backbone,
            "detector": service.cameras.settings.detector,
            "tasks": [task for task in TASKS if task in service.cameras.settings.tasks],
        }

    @app.get("/healthz", tags=["server"], summary="Whether all is well; needs no token")
    def health() -> JSONResponse:
        error = None if service.live is None else service.live.session.error
        return JSONResponse(
            {"status": "ok" if error is None else "the source was lost"}, 503 if error else 200
        )

    @app.get("/metrics", tags=["server"], summary="Figures for Prometheus", response_class=Response)
    def figures() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return Guard(app, access)
