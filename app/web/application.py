"""The web application: all routes, behind the guard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from ...pipelines.types import TASKS
from ..live.zones import ZoneEditor
from . import static_files as page_files
from .auth import Access, Guard
from .camera.routes import Cameras
from .device import routes as device_routes
from .events import routes as event_routes
from .events import zones as zone_routes
from .events.routes import RecordedEvents
from .live import routes as live_routes
from .live import sources as source_routes
from .live.sources import Sources
from .metrics import CONTENT_TYPE, Metrics
from .shared.downloads import Downloads
from .videos import routes as video_routes
from .videos.routes import Uploads


@dataclass(frozen=True, slots=True)
class Service:
    """What is served.

    Attributes:
        sources: what the server watches.
        cameras: visitors' cameras.
        uploads: visitors' files.
        downloads: files that visitors may download.
        recorded: the recorded events.
        zones: return what changes the zones of each source.
    """

    sources: Sources
    cameras: Cameras
    uploads: Uploads
    downloads: Downloads
    recorded: RecordedEvents
    zones: Sequence[Callable[[], ZoneEditor]]


def application(service: Service, access: Access) -> ASGIApp:
    """The application that a server runs."""
    app = FastAPI(
        title="Sepcam",
        version=metadata.version("sepcam"),
        summary="Live video, visitors' cameras and files.",
        docs_url=None,
        redoc_url=None,
    )
    app.add_exception_handler(RequestValidationError, _rejected)
    app.include_router(page_files.router())
    app.include_router(device_routes.router())
    app.include_router(service.downloads.router())
    app.include_router(service.cameras.router())
    app.include_router(video_routes.router(service.uploads))
    for live, editor in zip(service.sources.lives, service.zones, strict=True):
        prefixes = [f"/api/sources/{live.feed.number}"]
        if live is service.sources.first:
            prefixes.insert(0, "/api")
        for prefix in prefixes:
            app.include_router(live_routes.router(live, prefix))
            app.include_router(zone_routes.router(editor, prefix))
    app.include_router(source_routes.router(service.sources))
    app.include_router(event_routes.router(service.recorded))
    metrics = Metrics(service.sources, service.cameras, service.uploads.jobs)

    @app.get("/api/about", tags=["server"], summary="What this server offers")
    def about() -> dict[str, Any]:
        return {
            "version": app.version,
            "live": service.sources.first is not None,
            "sources": len(service.sources.lives),
            "cameras": service.cameras.most,
            "max_upload_bytes": service.uploads.max_bytes,
            "backbone": service.cameras.settings.backbone,
            "detector": service.cameras.settings.detector,
            "tasks": [task for task in TASKS if task in service.cameras.settings.tasks],
        }

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz", tags=["server"], summary="Health of the source; needs no token")
    def health() -> JSONResponse:
        lost = service.sources.lost
        return JSONResponse({"status": "the source was lost" if lost else "ok"}, 503 if lost else 200)

    @app.get("/metrics", tags=["server"], summary="Metrics for Prometheus", response_class=Response)
    def figures() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return Guard(app, access)


def _rejected(request: Request, error: Exception) -> JSONResponse:
    """Where a request is wrong, and why; what was sent stays out: not all of it can be sent back as JSON."""
    assert isinstance(error, RequestValidationError)
    detail = [{"loc": [_printable(one) for one in e["loc"]], "msg": e["msg"]} for e in error.errors()]
    return JSONResponse({"detail": detail}, 422)


def _printable(place: str | int) -> str | int:
    return place if isinstance(place, int) else place[:100].encode(errors="replace").decode()
