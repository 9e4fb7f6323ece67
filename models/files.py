"""Files that appear under their name only when they are complete; used by every package."""

import errno
import glob
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import SepcamError

try:
    import fcntl
except ImportError:
    fcntl = None


_USUAL_NAME_LIMIT = 255


class DiskFullError(SepcamError):
    """There is no room left for what is being written."""


@contextmanager
def atomic_write(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Writes a file whole or not at all.

    The block writes to the path that it is given. When it ends well, that file is flushed to the disk and
    renamed to ``target``; when it raises, the file is deleted.

    Args:
        target: the final name; its folder is created.
        overwrite: whether a file of that name may be replaced.

    Yields:
        The hidden path to write to; an empty file.

    Raises:
        SepcamError: If the target exists and may not be replaced, or cannot be written; an OSError of the
            block is raised as one.
    """
    file = PartialFile(target, overwrite=overwrite)
    try:
        yield file.path
    except OSError as error:
        file.discard()
        raise file.failure(error) from error
    except BaseException:
        file.discard()
        raise
    file.commit()


class PartialFile:
    """A file that is written under a hidden name near its target over many calls, and renamed when finished.

    Where one block writes everything, use `atomic_write`.

    Attributes:
        target: the final name.
        path: the hidden name, see `hidden_path`; exists, and is empty at first.
    """

    target: Path
    path: Path

    def __init__(self, target: Path, *, overwrite: bool = False) -> None:
        """Create the folder and the empty file.

        Args:
            target: the final name.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists and may not be replaced, or its folder cannot be written to.
        """
        self.target = target
        folder = hiding_place(target)
        self.path = hidden_path(target)
        self._overwrite = overwrite
        self._refuse_existing()
        try:
            make_folder(folder)
            self.path.write_bytes(b"")
            self._claim = Claim(self.path)
        except OSError as error:
            why = error.strerror or str(error)
            raise SepcamError(f"cannot write to the folder {folder}: {why}; choose another") from error

    def commit(self) -> None:
        """Flush the finished file to the disk and give it its name.

        Raises:
            SepcamError: If that fails; the hidden file is deleted then.
        """
        self.flush()
        self.publish()

    def flush(self) -> None:
        """Flush the finished file to the disk, and make the folder of its name.

        Raises:
            SepcamError: If that fails (a full disk); the hidden file is deleted then.
        """
        try:
            _sync(self.path)
            make_folder(self.target.parent)
        except OSError as error:
            self.discard()
            raise self.failure(error) from error

    def publish(self) -> None:
        """Give the flushed file its name.

        Raises:
            SepcamError: If that fails; the hidden file is deleted then.
        """
        try:
            self._publish()
            _sync_folder(self.target.parent)
        except OSError as error:
            raise self.failure(error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Delete the hidden file, if it is there."""
        self.path.unlink(missing_ok=True)
        self._claim.release()

    def failure(self, error: Exception) -> SepcamError:
        """The error to raise when writing failed with ``error``."""
        return write_failure(self.target, error)

    def _refuse_existing(self) -> None:
        if self.target.is_dir():
            raise SepcamError(f"{self.target} is a folder: choose another name")
        if self.target.exists() and not self._overwrite:
            raise SepcamError(
                f"{self.target} exists already: choose another folder, or replace it with --overwrite"
            )

    def _publish(self) -> None:
        if self._overwrite:
            os.replace(self.path, self.target)
            return
        self._refuse_existing()
        try:
            # Unlike a rename, a link never replaces a file that appeared in the meantime.
            os.link(self.path, self.target)
        except FileExistsError:
            self._refuse_existing()
        except OSError:
            os.rename(self.path, self.target)


def make_folder(folder: Path) -> None:
    """Creates a folder and its parents, so that they survive a power loss.

    Raises:
        OSError: If it cannot be created.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _sync_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Flushes the files in a folder, and in the folders in it, to the disk.

    Raises:
        OSError: If that fails.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            _sync(path)


def publish_folder(waiting: Path, target: Path) -> None:
    """Moves finished files from a hidden folder to their final folder, after they are flushed to the disk.

    Args:
        waiting: the hidden folder; left without files.
        target: created if missing; its files of other names are kept.

    Raises:
        OSError: If they cannot be moved.
    """
    flush_folder(waiting)
    make_folder(target)
    for path in sorted(path for path in waiting.rglob("*") if path.is_file()):
        place = target / path.relative_to(waiting)
        make_folder(place.parent)
        os.replace(path, place)
    for folder in {target, *(path for path in target.rglob("*") if path.is_dir())}:
        _sync_folder(folder)


def publish_whole(waiting: Path, target: Path) -> None:
    """Gives a hidden folder its final name, with all its files at once, after they are flushed to the disk.

    Args:
        waiting: the hidden folder, beside the target.
        target: does not exist.

    Raises:
        OSError: If it cannot be renamed.
    """
    flush_folder(waiting)
    _sync_folder(waiting)
    os.rename(waiting, target)
    _sync_folder(target.parent)


def hiding_place(target: Path) -> Path:
    """The folder in which a target is hidden until it is finished: usually its own.

    ``table/source=clip/clip.parquet`` is hidden beside the table, because readers of the table would take a
    hidden file inside it for data.
    """
    folder = target.parent
    return folder.parent.parent if folder.name.startswith("source=") else folder


def hidden_path(target: Path) -> Path:
    """A new hidden name for an unfinished target: ``.<stem>.partial-<32 digits><suffix>``."""
    folder = hiding_place(target)
    return folder / f"{_hidden_beginning(folder, target)}{uuid.uuid4().hex}{target.suffix}"


def fit_name(folder: Path, stem: str, ending: str, *, room: int = 0) -> str:
    """``<stem><ending>``, or where the file system takes no such long name, a shorter one.

    Args:
        folder: where the file is to be.
        stem: is cut if it must be, and then ends in eight digits that tell it from others.
        ending: is kept.
        room: bytes that the name must leave free.
    """
    limit = _name_limit(folder) - len(os.fsencode(ending)) - room
    data = os.fsencode(stem)
    if len(data) <= limit:
        return f"{stem}{ending}"
    digits = hashlib.sha256(data).hexdigest()[:8]
    return f"{data[: limit - 9].decode('utf-8', 'ignore')}-{digits}{ending}"


def _hidden_beginning(folder: Path, target: Path) -> str:
    beginning = fit_name(folder, f".{target.stem}", target.suffix, room=len(".partial-") + 32)
    return f"{beginning.removesuffix(target.suffix)}.partial-"


def _name_limit(folder: Path) -> int:
    """Bytes that a name in a folder may have; of its nearest parent that exists."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path())
    try:
        return os.pathconf(there, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # Windows has no such call
        return _USUAL_NAME_LIMIT


def write_failure(target: Path, error: Exception) -> SepcamError:
    """The error to raise when writing ``target`` failed with ``error``."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"{target} could not be written: the disk is full; free some space, or choose another folder"
        )
    if number == errno.EFBIG:
        why = "it grew beyond the size allowed for a file"
    else:
        why = getattr(error, "strerror", None) or str(error)
    return SepcamError(f"{target} could not be written: {why}")


def clear_leftovers(target: Path) -> None:
    """Deletes the hidden files and folders of this target whose process has died; others are left alone."""
    folder = hiding_place(target)
    name = f"{glob.escape(_hidden_beginning(folder, target))}*"
    with suppress(OSError):
        for path in [path for path in folder.glob(name) if path.suffix == target.suffix]:
            claim = Claim(path)
            if not claim.held:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            claim.release()


def free_path(folder: Path, stem: str, suffix: str) -> Path:
    """The first of ``stem.mp4``, ``stem-2.mp4``, ... that no file has and nobody is writing."""
    path, number = folder / f"{stem}{suffix}", 2
    while path.exists() or _being_written(path):
        path, number = folder / f"{stem}-{number}{suffix}", number + 1
    return path


def _being_written(target: Path) -> bool:
    """Whether a process, this one included, works on an unfinished file or folder of this name."""
    folder = hiding_place(target)
    with suppress(OSError):
        for path in folder.glob(f"{glob.escape(_hidden_beginning(folder, target))}*"):
            claim = Claim(path)
            claim.release()
            if not claim.held:
                return True
    return False


class Claim:
    """Says that a process works on a hidden file or folder, until `release` or the end of the process.

    Attributes:
        held: whether nobody else works on it. Where a file system has no locks nobody can know: False.
    """

    held: bool

    def __init__(self, path: Path) -> None:
        """Try to claim it.

        Raises:
            OSError: If it is not there.
        """
        self.held = False
        if fcntl is None:  # Windows deletes no open file anyway
            self._handle = None
            self.held = True
            return
        self._handle = os.open(path, os.O_RDONLY)
        with suppress(OSError):
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.held = True

    def release(self) -> None:
        """Give it up; may be called twice."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Flushes a folder's new names to the disk, on systems that can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
