"""Results as YOLO's text files, one for each image or frame."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ....models.files import fit_name
from ....models.types import U8
from ...types import FrameResult, Instances
from ..base import SinkKind
from ..folder_sink import FolderSink

_DECIMALS = 6
_MIN_SCORE = 0.5  # of a keypoint that counts as visible


class YoloSink(FolderSink):
    """A folder with ``classes.txt``, ``boxes/<name>.txt``, and, where asked for, ``pose`` and ``segments``.

    A line is an object: its class, counted from 0, then fractions of the image's width and height:

    - ``boxes``: center x, center y, width, height;
    - ``pose``: the same, and for each keypoint x, y and 2 where it is visible, else 1; only people;
    - ``segments``: the outline x, y, x, y ... of the largest part of its mask; only who has one.

    Images without objects have empty files. Frames of a video are called by their index, from ``000000``.
    """

    def __init__(self, folder: Path, labels: Sequence[str], *, overwrite: bool = False) -> None:
        """Create the hidden folder that holds the files until ``close``.

        Args:
            folder: where they go; exists only after ``close``.
            labels: names of the classes.
            overwrite: whether files in it may be replaced; its other files are kept.

        Raises:
            SepcamError: If the folder exists, or cannot be created.
        """
        super().__init__(folder, overwrite=overwrite)
        self._names: set[str] = set()
        try:
            self._folder.write("classes.txt", "".join(f"{label}\n" for label in labels).encode())
        except BaseException:
            self._folder.abort()
            raise

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add a frame's files; the image is not used.

        Raises:
            SepcamError: If one cannot be written (a full disk), or another image has the same name.
        """
        frame, found = result.frame, result.instances
        self._seen.add(frame.name)
        file = self._file_name(frame.name, frame.index)
        kinds: dict[str, Callable[[Instances, int], str]] = {"boxes": _box}
        if found.keypoints is not None:
            kinds["pose"] = _pose
        if found.masks is not None:
            kinds["segments"] = _segment
        for kind, line in kinds.items():
            lines = [line(found, row) for row in range(len(found))]
            text = "".join(f"{one}\n" for one in lines if one)
            self._folder.write(Path(kind, file), text.encode())

    def _file_name(self, name: str, index: int) -> str:
        stem = Path(name).stem if name else f"{index:06d}"
        if stem in self._names:  # a.png beside a.jpg
            stem = Path(name).name
        self._names.add(stem)
        return fit_name(self._folder.hidden, stem, ".txt")


def _line(label: int, values: np.ndarray) -> str:
    return " ".join([str(label), *(f"{value:.{_DECIMALS}f}" for value in values.tolist())])


def _box(found: Instances, row: int) -> str:
    height, width = found.size
    x1, y1, x2, y2 = np.clip(found.boxes[row].astype(np.float64) / (width, height, width, height), 0, 1)
    return _line(int(found.labels[row]), np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]))


def _pose(found: Instances, row: int) -> str:
    if found.keypoints is None or not found.people[row]:
        return ""
    height, width = found.size
    places = found.keypoints[row, :, :2].astype(np.float64) / (width, height)
    outside = np.any((places < 0) | (places > 1), axis=1)
    words = [_box(found, row)]
    for (x, y), score, out in zip(
        places.clip(0, 1), found.keypoints[row, :, 2], outside.tolist(), strict=True
    ):
        seen = 0 if out else 2 if score >= _MIN_SCORE else 1
        words.append(f"{x:.{_DECIMALS}f} {y:.{_DECIMALS}f} {seen}" if seen else "0 0 0")
    return " ".join(words)


def _segment(found: Instances, row: int) -> str:
    import cv2  # here, because the registry imports every sink for the help

    mask = None if found.masks is None else found.masks[row]
    if mask is None:
        return ""
    height, width = found.size
    pixels = np.ascontiguousarray(mask.pixels)
    contours, _ = cv2.findContours(
        pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(mask.x, mask.y)
    )
    largest = max(contours, key=cv2.contourArea, default=None)
    if largest is None or len(largest) < 3:
        return ""
    # Pixel centers: the outline runs through the middle of the pixels at the edge.
    points = (largest[:, 0].astype(np.float64) + 0.5) / (width, height)
    return _line(int(found.labels[row]), points.clip(0, 1).reshape(-1))


KIND = SinkKind(
    "yolo",
    frozenset(("video", "images")),
    lambda name: name.path("-yolo"),
    lambda path, context: YoloSink(path, context.header["labels"], overwrite=context.overwrite),
)
