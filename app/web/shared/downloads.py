"""Files that visitors may download: by an opaque id from the server, never by a visitor's path."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse


@dataclass(frozen=True, slots=True)
class Download:
    """A file that visitors may download.

    Attributes:
        path: of the file on the server.
        name: suggested to the browser.
        media_type: MIME type.
    """

    path: Path
    name: str
    media_type: str


class Downloads:
    """Ids and their files; the event loop and threads may use it."""

    def __init__(self) -> None:
        self._files: dict[str, Download] = {}

    def offer(self, download: Download) -> str:
        """Offers a file; returns its id, impossible to guess."""
        key = secrets.token_urlsafe(16)
        self._files[key] = download
        return key

    def withdraw(self, key: str) -> None:
        """Stops offering a file."""
        self._files.pop(key, None)

    def router(self) -> APIRouter:
        """The route that serves them."""
        router = APIRouter(prefix="/api", tags=["files"])

        @router.get("/files/{key}", summary="A recording or a result by its id")
        def fetch(key: str) -> FileResponse:
            download = self._files.get(key)
            if download is None or not download.path.is_file():
                raise HTTPException(404, "there is no such file, or it was deleted")
            return FileResponse(download.path, media_type=download.media_type, filename=download.name)

        return router
