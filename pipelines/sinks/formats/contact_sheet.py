"""A contact sheet: one image that shows a whole video, or a set of images."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ....models.files import PartialFile
from ....models.types import U8
from ...types import FrameResult, RunSummary
from ..base import Sink, SinkContext, SinkKind
from ..image_folder import encoded_jpeg

if TYPE_CHECKING:
    from ...drawing.options import DrawOptions

MOST: Final = 24
"""Images on a sheet at the most."""

_COLUMNS = 4
_WIDTH = 480  # of an image on the sheet, in pixels
_TALLEST = 4 * _WIDTH  # so that a sheet of long screenshots is not too large for JPEG
_GAP = 8
_GROUND = 24
_TEXT = 16  # height of the captions, in pixels


class ContactSheetSink(Sink):
    """A JPEG of annotated images at even intervals, in reading order, with their times or names below.

    There are from 13 to ``MOST``, or all of a short source. It draws on the clean images, without a HUD, so
    that the same results give the same sheet.
    """

    needs_clean_image = True

    def __init__(
        self,
        path: Path,
        header: Mapping[str, Any],
        drawing: "DrawOptions | None" = None,
        *,
        overwrite: bool = False,
    ) -> None:
        """Begin a sheet.

        Args:
            path: of the finished file; it appears on ``close``.
            header: has the ``skeleton`` and the ``keypoint_names``.
            drawing: what is drawn, and how; None is the default.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        from ...drawing.overlay import Overlay  # here, because the registry imports every sink for the help

        pairs = [(a, b) for a, b in header.get("skeleton", ())]
        names = header.get("keypoint_names", ())
        self._overlay = Overlay(pairs, keypoint_names=names, options=drawing)
        self._file = PartialFile(path, overwrite=overwrite)
        self._cells: list[U8] = []
        self._every, self._count = 1, 0
        self._done = False

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add the frame's own image, if it is its turn."""
        if self._count % self._every == 0:
            if len(self._cells) == MOST:  # the source is longer than thought: every other one is enough
                self._cells = self._cells[::2]
                self._every *= 2
            if self._count % self._every == 0:
                shown = result.frame.image.copy()
                self._overlay.draw(shown, result)
                self._cells.append(_cell(shown, result.frame.name or _time(result.frame.time_s)))
        self._count += 1

    def prepare(self, summary: RunSummary) -> None:
        """Write the sheet.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        if self._done or not self._cells:
            return
        self._done = True
        try:
            self._file.path.write_bytes(encoded_jpeg(_grid(self._cells)))
        except OSError as error:
            self.abort()
            raise self._file.failure(error) from error
        self._file.flush()

    def close(self, summary: RunSummary) -> None:
        """Give the file its name; without a single frame there is none.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self.prepare(summary)
        if self._done:
            self._file.publish()
        else:
            self._file.discard()

    def abort(self) -> None:
        """Delete the unfinished file."""
        self._file.discard()


def _cell(image: U8, caption: str) -> U8:
    """An image in the sheet's width, or as high as images may be, with a caption below."""
    import cv2

    from ...drawing.colors import FAINT
    from ...drawing.text import put_text

    scale = min(_WIDTH / image.shape[1], _TALLEST / image.shape[0])
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])
    cell = np.full((height + 2 * _TEXT, _WIDTH, 3), _GROUND, np.uint8)
    cell[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    put_text(cell, caption, 4, height + round(1.3 * _TEXT), FAINT, _TEXT)
    return cell


def _grid(cells: list[U8]) -> U8:
    columns = min(_COLUMNS, len(cells))
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    tall = [max(cell.shape[0] for cell in row) for row in rows]
    sheet = np.full(
        (sum(tall) + _GAP * (len(rows) + 1), columns * (_WIDTH + _GAP) + _GAP, 3), _GROUND, np.uint8
    )
    top = _GAP
    for row, height in zip(rows, tall, strict=True):
        for column, cell in enumerate(row):
            left = _GAP + column * (_WIDTH + _GAP)
            sheet[top : top + cell.shape[0], left : left + _WIDTH] = cell
        top += height + _GAP
    return sheet


def _time(seconds: float) -> str:
    """``1:02:03.4``, without hours where there are none."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest / 10:04.1f}" if hours else f"{minutes}:{rest / 10:04.1f}"
    return f"{hours}:{text}" if hours else text


def _open(path: Path, context: SinkContext) -> Sink:
    return ContactSheetSink(path, context.header, context.drawing, overwrite=context.overwrite)


KIND = SinkKind(
    "contact-sheet",
    frozenset(("video", "images")),
    lambda name: name.path("-sheet.jpg"),
    _open,
    image="clean",
)
