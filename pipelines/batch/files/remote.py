"""Addresses of files that are kept elsewhere (``s3://``, ``sftp://`` ...), as fsspec knows them."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, Final

from ....models.errors import SepcamError
from ...files.addresses import is_address, redacted, shown

_STREAMED: Final = frozenset({"http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "tcp"})
"""Addresses that are read as they come, without a copy."""


def in_store(name: str) -> bool:
    """Whether a name is the address of a file that has to be fetched, and no stream."""
    return is_address(name) and name.partition("://")[0].lower() not in _STREAMED


def name_in_store(address: str) -> str:
    """The file's own name in an address; of ``zip://clip.mp4::archive.zip``, that within the archive."""
    return PurePosixPath(address.split("::", 1)[0].split("://", 1)[1]).name


def open_store(address: str) -> tuple[Any, str]:
    """What fsspec opens the address with, and the path in it.

    Raises:
        SepcamError: If there is no such kind of address, or it needs a package that is not installed.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise SepcamError(f"{shown(address)} needs fsspec: pip install 'sepcam[cluster]'") from error
    try:
        return url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise SepcamError(f"{shown(address)} cannot be opened: {redacted(str(error))}") from error


def heard_by(moved: Callable[[], None]) -> Any:  # noqa: ANN401 - fsspec has no types
    """What fsspec tells of a transfer that moves."""
    from fsspec.callbacks import Callback

    return Callback(hooks={"moved": lambda size, value: moved()})


def stored_like(pattern: str) -> list[str]:
    """The addresses of the files that match a glob, in order.

    Raises:
        SepcamError: If the place cannot be looked through.
    """
    files, path = open_store(pattern)
    try:
        return [files.unstrip_protocol(name) for name in sorted(files.glob(path))]
    except OSError as error:
        raise SepcamError(f"{shown(pattern)} cannot be looked through: {redacted(str(error))}") from error


def size_in_store(address: str) -> int | None:
    """Bytes of what is at an address, -1 of a folder; None where nothing is there.

    Raises:
        SepcamError: If that cannot be found out.
    """
    files, path = open_store(address)
    try:
        about = files.info(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SepcamError(f"{address} cannot be reached: {error}") from error
    return -1 if about["type"] == "directory" else about["size"]
