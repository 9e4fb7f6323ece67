"""Images as frames that have nothing to do with each other."""

import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...models.errors import SepcamError
from ..files.addresses import is_address
from ..files.file_types import IMAGE_SUFFIXES
from ..types import Frame, StreamInfo
from .base import OpenOptions, Source, SourceKind
from .read_image import UnreadableImageError, is_animation, read_image

_GLOB = re.compile(r"[*?\[]")
_NUMBER = re.compile(r"%0?(\d*)d")


class ImageSource:
    """Image files, one frame each; ``Frame.time_s`` counts seconds, as of a slide show.

    Images are rotated as their EXIF data or container asks. One that cannot be read is left out, with a line
    in ``warnings``; indices continue without a gap.

    Attributes:
        info: size of the first image; the others may have another.
        warnings: one line for each image left out so far.
    """

    info: StreamInfo
    warnings: list[str]

    def __init__(self, name: str, paths: Sequence[Path], *, limit: int | None = None) -> None:
        """Read the first image.

        Args:
            name: what a person would call them: the folder's name.
            paths: image files in the order wanted.
            limit: end after at most this many frames.

        Raises:
            SepcamError: If none of them can be read.
        """
        self.warnings = []
        self._limit = limit
        self._closed = False
        self._frames = self._read(paths)
        self._first = next(self._frames, None)
        if self._first is None:
            if len(paths) == 1:
                raise SepcamError(self.warnings[0])
            raise SepcamError(f"{name}: none of the {len(paths)} images can be read; {self.warnings[0]}")
        height, width = self._first.image.shape[:2]
        count = len(paths) if limit is None else min(limit, len(paths))
        self.info = StreamInfo(name, width, height, fps=None, frame_count=count, independent=True)

    def __enter__(self) -> "ImageSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order; ``Frame.name`` is the file's name."""
        frame, self._first = self._first, None
        while frame is not None and not self._closed:
            yield frame
            done = self._limit is not None and frame.index + 1 >= self._limit
            frame = None if done else next(self._frames, None)

    def close(self) -> None:
        """End an iteration under way in any thread; nothing is held open between images."""
        self._closed = True

    def _read(self, paths: Sequence[Path]) -> Iterator[Frame]:
        index = 0
        for path in paths:
            try:
                image = read_image(path)
            except UnreadableImageError as error:
                self.warnings.append(f"{path.name} {error}" + (": left out" if len(paths) > 1 else ""))
                continue
            if is_animation(path):
                self.warnings.append(
                    f"{path.name} is an animation: only its first frame is read; process it alone for all"
                )
            yield Frame(image, index, float(index), path.name)
            index += 1


def images_in(folder: Path) -> list[Path]:
    """The images right inside a folder, in natural order (2.jpg before 10.jpg), without hidden files.

    Raises:
        SepcamError: If there are none.
    """
    try:
        found = [path for path in folder.iterdir() if _is_image(path)]
    except OSError as error:
        raise SepcamError(f"folder {folder} cannot be read: {error.strerror}") from error
    if not found:
        raise SepcamError(f"folder {folder} has no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return sorted(found, key=natural_key)


def images_like(pattern: str) -> list[Path]:
    """The images that match a glob pattern (``**`` goes into folders), in natural order.

    Raises:
        SepcamError: If there are none.
    """
    found = [path for path in map(Path, glob.glob(pattern, recursive=True)) if _is_image(path)]
    if not found:
        raise SepcamError(f"no image matches {pattern}")
    return sorted(found, key=natural_key)


def as_glob(name: str) -> str:
    """A pattern of numbered images as FFmpeg takes it (``img_%04d.png``) as a glob; other names unchanged.

    Raises:
        SepcamError: If the system does not even say whether there is something of that name.
    """
    if is_address(name) or _is_there(name) or not _NUMBER.search(name):
        return name
    pattern, number = glob.escape(name), re.escape(name)
    exact = _NUMBER.sub(lambda match: "?" * int(match[1] or 0) or "*", pattern)
    longer = _NUMBER.sub(lambda match: "?" * int(match[1] or 0) + "*", pattern)
    numbered = re.compile(_NUMBER.sub(r"\\d+", number)).fullmatch
    # The image after %04d's 9999 is 10000.
    beyond = set(glob.glob(longer)) - set(glob.glob(exact))
    return longer if any(map(numbered, beyond)) else exact


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError as error:  # in a folder that may not be searched, a name that is too long
        raise SepcamError(f"{name} cannot be opened: {error.strerror}") from error


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """A key that sorts numbers in names by their value."""
    parts = re.findall(r"\d+|\D+", str(path).casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _claims(spec: str) -> bool:
    path = Path(spec)
    if is_address(spec) or path.is_dir():
        return path.is_dir()
    return path.suffix.lower() in IMAGE_SUFFIXES if path.exists() else bool(_GLOB.search(spec))


def _open(spec: str, options: OpenOptions) -> Source:
    path = Path(spec)
    if path.is_dir():
        return ImageSource(path.resolve().name, images_in(path), limit=options.limit)
    if not path.exists():
        return ImageSource(spec, images_like(spec), limit=options.limit)
    return ImageSource(path.name, [path], limit=options.limit)


KIND = SourceKind("images", _claims, _open)
