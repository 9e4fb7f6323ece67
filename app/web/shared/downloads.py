"""Files that visitors may fetch: by an opaque id that the server made, never by a name of theirs."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse


@dataclass(frozen=True, slots=True)
class Download:
    """A file that may be fetched.

    Attributes:
        path: where it is.
        name: what a browser is to call it.
        media_type: what is in it.
    """

    path: Path
    name: str
    media_type: str


class Downloads:
    """Ids and the files behind them; the event loop and threads may use it."""

    def __init__(self) -> None:
        self._files: dict[str, Download] = {}

    def offer(self, download: Download) -> str:
        """A new id for a file, impossible to guess."""
        key = secrets.token_urlsafe(16)
        self._files[key] = download
        return key

    def withdraw(self, key: str) -> None:
        """The file behind an id is offered no longer."""
        self._files.pop(key, None)

    def router(self) -> APIRouter:
        """The route that gives them."""
        router = APIRouter(prefix="/api", tags=["files"])

        @router.get("/files/{key}", summary="A recording or a result by its id")
        def fetch(key: str) -> FileResponse:
            download = self._files.get(key)
            if download is None or not download.path.is_file():
                raise HTTPException(404, "there is no such file, or it was deleted")
            return FileResponse(download.path, media_type=download.media_type, filename=download.name)

        return router
