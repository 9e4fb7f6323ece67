"""The page's own files: read once, served by name from memory."""

from importlib import resources
from typing import Final

from fastapi import APIRouter, HTTPException, Response

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def router() -> APIRouter:
    """The page, the API page, and the files that both need."""
    routes = APIRouter(include_in_schema=False)
    folder = resources.files("sepcam.app.web") / "page"
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.name.count(".") == 1}

    def give(name: str) -> Response:
        content = files.get(name)
        if content is None:
            raise HTTPException(404, "there is no such file")
        kind = _TYPES[name.rpartition(".")[2]]
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    @routes.get("/")
    def page() -> Response:
        return give("index.html")

    @routes.get("/docs")
    def docs() -> Response:
        return give("docs.html")

    @routes.get("/favicon.ico")
    def icon() -> Response:
        return give("icon.svg")

    @routes.get("/page/{name}")
    def file(name: str) -> Response:
        return give(name)

    return routes
