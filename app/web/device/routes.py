"""Serves the page that analyzes on the visitor's own device."""

import mimetypes
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from ....models.errors import SepcamError
from ...assets import demo_clip
from .networks import FILES, network_folder, settings_file
from .site import POLICY, page_files

_TYPES: Final = {
    "js": "text/javascript; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "txt": "text/plain; charset=utf-8",
}
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    # Both together let the page's threads share memory.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-cache",
}


def router() -> APIRouter:
    """The page under ``/device/``, the same files as in the folder that ``sepcam export`` writes."""
    routes = APIRouter(include_in_schema=False)
    files = page_files()

    @routes.get("/device")
    def to_folder() -> Response:
        return RedirectResponse("/device/")

    @routes.get("/device/network/{name}")
    async def network(name: str) -> Response:
        if name not in (*FILES, "settings.json"):
            raise HTTPException(404, "there is no such file")
        try:
            folder = await run_in_threadpool(network_folder)
        except SepcamError as error:
            raise HTTPException(503, str(error)) from error
        if name == "settings.json":
            return Response(settings_file(folder), media_type=_type(name), headers=dict(_HEADERS))
        return FileResponse(folder / name, media_type=_type(name), headers=dict(_HEADERS))

    @routes.get("/device/sample.mp4")
    def sample() -> Response:
        return FileResponse(demo_clip(), media_type="video/mp4", headers=dict(_HEADERS))

    @routes.get("/device/{name:path}")
    def file(name: str) -> Response:
        name = name or "index.html"
        if name not in files:
            raise HTTPException(404, "there is no such file")
        return Response(files[name], media_type=_type(name), headers=dict(_HEADERS))

    return routes


def _type(name: str) -> str:
    suffix = name.rpartition(".")[2]
    return _TYPES.get(suffix) or mimetypes.types_map.get(f".{suffix}", "application/octet-stream")
