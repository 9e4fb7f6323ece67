"""Files from and to where they are kept: folders that all machines share, and addresses that fsspec knows."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from ....models.errors import SepcamError
from ....models.files import atomic_write, hidden_path, publish_folder, write_failure
from ...files.addresses import redacted, shown
from .inputs import Input
from .remote import heard_by, in_store, name_in_store, open_store

_APPEARS_WHOLE: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "r2"})
"""Stores in which a file is there when its last byte is, or not at all."""


def fetched(source: Input, folder: Path, moved: Callable[[], None] = lambda: None) -> Input:
    """The source as a file on this machine.

    Args:
        source: is given back as it is, unless it is an address that fsspec opens.
        folder: for the copy, which keeps its name.
        moved: is called whenever a piece of it is there, as far as its kind of address tells.

    Raises:
        SepcamError: If there is no such file, or its kind of address needs another package.
    """
    if not in_store(source.name):
        return source
    files, path = open_store(source.name)
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / name_in_store(source.name)
    try:
        files.get_file(path, str(copy), callback=heard_by(moved))
    except FileNotFoundError as error:
        raise SepcamError(f"{source.title} does not exist") from error
    except OSError as error:
        raise SepcamError(f"{source.title} cannot be read: {redacted(str(error))}") from error
    return replace(source, name=str(copy))


def put(made: Path, target: Path, *, overwrite: bool) -> None:
    """Copies a finished file, or a folder of files, to its place, where it appears when it is whole.

    Args:
        made: what was made on this machine.
        target: its place. In a folder that is there, files of other names stay.
        overwrite: whether what is there may be replaced.

    Raises:
        SepcamError: If it exists or cannot be written; nothing is left then.
    """
    if made.is_dir():
        _put_folder(made, target, overwrite=overwrite)
        return
    with atomic_write(target, overwrite=overwrite) as hidden:
        shutil.copyfile(made, hidden)


def put_in_store(made: Path, address: str, *, overwrite: bool) -> None:
    """Copies a finished file, or a folder of files, to an address that fsspec knows; see ``put``.

    Raises:
        SepcamError: If it exists or cannot be written.
    """
    files, path = open_store(address)
    try:
        if not overwrite and files.exists(path):
            raise SepcamError(f"{shown(address)} exists already: choose another place, or use --overwrite")
        if made.is_dir():
            for one in sorted(made.iterdir()):
                put_in_store(one, f"{address}/{one.name}", overwrite=True)
            return
        place = path.rpartition("/")[0]
        files.makedirs(place, exist_ok=True)
        if not _APPEARS_WHOLE.isdisjoint(_protocols(files)):
            files.put_file(str(made), path)
            return
        waiting = f"{place}/.{made.name}.partial-{uuid4().hex}"
        try:
            files.put_file(str(made), waiting)
            files.mv(waiting, path)
        except BaseException:
            with suppress(OSError):
                files.rm(waiting)
            raise
    except OSError as error:
        raise SepcamError(f"{shown(address)} could not be written: {redacted(str(error))}") from error


def _protocols(files: Any) -> tuple[str, ...]:  # noqa: ANN401 - fsspec has no types
    protocol = files.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _put_folder(made: Path, target: Path, *, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise SepcamError(f"{target} exists already: choose another folder, or use --overwrite")
    waiting = hidden_path(target)
    try:
        shutil.copytree(made, waiting, dirs_exist_ok=True)
        publish_folder(waiting, target)
    except OSError as error:
        raise write_failure(target, error) from error
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
