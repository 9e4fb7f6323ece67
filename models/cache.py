"""Where Sepcam keeps what it downloads and compiles, and how a file gets there whole or not at all."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from .errors import SepcamError


def cache_root() -> Path:
    """The cache folder: ``$SEPCAM_CACHE`` if set, else the user's cache folder for ``sepcam``."""
    override = os.environ.get("SEPCAM_CACHE")
    return (
        Path(override).expanduser()
        if override
        else Path(platformdirs.user_cache_dir("sepcam", appauthor=False))
    )


def make_folder(folder: Path) -> Path:
    """Creates a folder of the cache with its parents and returns it.

    Raises:
        SepcamError: If it can't be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SepcamError(
            f"cannot create the folder {folder}: {error.strerror or error}; SEPCAM_CACHE names another place"
        ) from error
    return folder


@contextlib.contextmanager
def writing(target: Path) -> Iterator[Path]:
    """Gives a temporary name beside ``target`` and renames it to ``target`` if the block ends well.

    Raises:
        SepcamError: If the disk refuses.
    """
    temporary = make_folder(target.parent) / f".{uuid.uuid4().hex}.{target.name}"
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise SepcamError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()
