"""The folder in which Sepcam keeps what it downloads and compiles."""

import hashlib
import os
from pathlib import Path

from .errors import SepcamError


def cache_root() -> Path:
    """The cache folder: ``$SEPCAM_CACHE`` if set, else the user's cache folder for ``sepcam``."""
    if override := os.environ.get("SEPCAM_CACHE"):
        return Path(override).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("sepcam", appauthor=False))


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


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()
