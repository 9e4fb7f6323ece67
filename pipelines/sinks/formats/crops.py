"""Images of the people that were found, a folder for each identity."""

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

from ....models.files import fit_name
from ....models.types import U8
from ...types import FrameResult, Instances
from ..base import SinkKind
from ..folder_sink import FolderSink
from ..image_folder import encoded_jpeg

EVERY_S: Final = 1.0
"""Seconds from one crop of an identity to the next."""

_MARGIN = 0.05  # around a box, of its sides


class CropsSink(FolderSink):
    """JPEGs of what was found, cut out of the clean images.

    With tracking ``<label>-<identity>/<frame>.jpg``, at most one each second; else
    ``<label>/<frame or image>-<number>.jpg``. What the tracker only predicts is left out.
    """

    needs_clean_image = True

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        """See `FolderSink`."""
        super().__init__(folder, overwrite=overwrite)
        self._last_s: dict[int, float] = {}

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add the crops of a frame, from its own image.

        Raises:
            SepcamError: If one cannot be written (a full disk), or another image has the same name.
        """
        frame, found = result.frame, result.instances
        self._seen.add(frame.name)
        stem = Path(frame.name).name if frame.name else f"{frame.index:06d}"
        numbers: Counter[str] = Counter()
        for row, label in enumerate(found.labels.tolist()):
            name = _file_part(found.names[int(label)])
            crop = _crop(frame.image, found, row)
            if not crop.size:
                continue
            if found.track_ids is None:
                numbers[name] += 1
                folder, file = name, f"{stem}-{numbers[name]}"
            elif self._is_due(found, row, frame.time_s):
                folder, file = f"{name}-{found.track_ids[row]:04d}", stem
            else:
                continue
            self._folder.write(Path(folder, fit_name(self._folder.hidden, file, ".jpg")), encoded_jpeg(crop))

    def _is_due(self, found: Instances, row: int, time_s: float) -> bool:
        """Whether a track has had no crop for a while and was detected; counts it as one."""
        assert found.track_ids is not None
        number = int(found.track_ids[row])
        recent = 0 <= time_s - self._last_s.get(number, -EVERY_S) < EVERY_S - 1e-6
        if recent or (found.coasted is not None and found.coasted[row]):
            return False
        self._last_s[number] = time_s
        return True


def _crop(image: U8, found: Instances, row: int) -> U8:
    """The part of an image with an object and some margin; empty where it lies outside."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = np.nan_to_num(found.boxes[row]).tolist()
    dx, dy = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    left, right = (int(np.clip(round(x), 0, width)) for x in (x1 - dx, x2 + dx))
    top, bottom = (int(np.clip(round(y), 0, height)) for y in (y1 - dy, y2 + dy))
    return image[top:bottom, left:right]


def _file_part(label: str) -> str:
    """A class's name as part of a file name."""
    return "".join(char if char.isalnum() else "-" for char in label) or "object"


KIND = SinkKind(
    "crops",
    frozenset(("video", "images")),
    lambda name: name.path("-crops"),
    lambda path, context: CropsSink(path, overwrite=context.overwrite),
    image="clean",
)
