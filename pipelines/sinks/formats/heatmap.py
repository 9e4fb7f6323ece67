"""A heat map of where people stood, as a PNG."""

from pathlib import Path
from typing import Final

from ....models.files import PartialFile
from ....models.types import F32, U8
from ...types import FrameResult, RunSummary
from ..base import Sink, SinkContext, SinkKind

_CELL: Final = 4  # pixels of the frame to a cell of the map
_RADIUS: Final = 0.025  # of a place, of the frame's longer side
_OPACITY: Final = 0.65  # where people stood most
_LEAST_STEP_S, _MOST_STEP_S = 1e-3, 2.0  # of a frame, in the sum of seconds


class HeatmapSink(Sink):
    """Seconds that people stood at each place, in colors over the first frame.

    supervision's HeatMapAnnotator adds up and colors whole images, in every frame; this adds up places and
    colors one image at the end.
    """

    needs_clean_image = True

    def __init__(self, path: Path, context: SinkContext) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            context: the run.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._file = PartialFile(path, overwrite=context.overwrite)
        self._background: U8 | None = None
        self._heat: F32 | None = None
        self._last_s = 0.0
        self._written = False

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add a frame's people; the first one is the background."""
        import numpy as np

        from ...analytics.places import places_of

        if self._background is None or self._heat is None:
            self._background = result.frame.image.copy()
            height, width = self._background.shape[:2]
            self._heat = np.zeros((-(-height // _CELL), -(-width // _CELL)), np.float32)
            self._last_s = result.frame.time_s
        step_s = result.frame.time_s - self._last_s
        self._last_s = result.frame.time_s
        places = places_of(result.instances, result.model.keypoint_names)
        for label, (x, y) in zip(places.labels, places.feet, strict=True):
            if label == "person":
                self._heat[int(y) // _CELL, int(x) // _CELL] += min(max(step_s, _LEAST_STEP_S), _MOST_STEP_S)

    def prepare(self, summary: RunSummary) -> None:
        """Write everything.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        if self._written:
            return
        self._written = True
        try:
            self._file.path.write_bytes(self._png())
        except OSError as error:
            self._file.discard()
            raise self._file.failure(error) from error
        self._file.flush()

    def close(self, summary: RunSummary) -> None:
        """Finish the file and give it its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self.prepare(summary)
        self._file.publish()

    def abort(self) -> None:
        """Delete the unfinished file."""
        self._file.discard()

    def _png(self) -> bytes:
        """The background with the heat over it."""
        import cv2
        import numpy as np

        if self._background is None or self._heat is None:
            return cv2.imencode(".png", np.zeros((1, 1, 3), np.uint8))[1].tobytes()
        image = self._background
        height, width = image.shape[:2]
        spread = max(1.0, _RADIUS * max(height, width) / _CELL)
        heat = cv2.GaussianBlur(self._heat, (0, 0), spread)
        heat = cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR)
        # A square root shows where people pass beside where they stand.
        heat = np.sqrt(heat / max(float(heat.max()), 1e-9))
        colors = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
        share = (np.minimum(1, 2 * heat) * _OPACITY)[..., None]
        mixed = image * (1 - share) + colors * share
        return cv2.imencode(".png", mixed.round().astype(np.uint8))[1].tobytes()


KIND = SinkKind(
    "heatmap",
    frozenset(("video", "live")),
    lambda name: name.path(".heatmap.png"),
    HeatmapSink,
    image="clean",
)
