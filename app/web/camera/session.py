"""One visitor's camera: JPEG frames, analyzed with the networks that all visitors share."""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from ....models.types import U8
from ....pipelines.execution.network_pool import NetworkPool, Networks
from ....pipelines.live.analysis import LiveAnalysis
from ....pipelines.live.meter import LiveMeter
from ....pipelines.live.settings import LiveSettings, Switches
from ....pipelines.types import Frame
from ..shared.websocket import RejectedMessageError
from .serialize import to_json

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_PIXELS: Final = 1920 * 1080
_MIN_SIDE = 16


@dataclass(frozen=True, slots=True)
class CameraLimits:
    """Limits of the analysis of visitors' cameras.

    Attributes:
        classes: names of the classes to report, or None.
        max_people: keypoints and masks for at most this many people.
    """

    classes: Sequence[str] | None
    max_people: int


class CameraSession:
    """Analyzes one visitor's frames, in order. One thread at a time may use it, except ``switches``.

    Attributes:
        switches: the visitor's settings.
    """

    switches: Switches

    def __init__(self, pool: NetworkPool, settings: LiveSettings, limits: CameraLimits) -> None:
        """Load the networks, unless the pool has them already.

        Raises:
            SepcamError: If they are unavailable.
        """
        self.switches = Switches(settings)
        self._meter = LiveMeter()
        self._pool = pool
        self._analysis = LiveAnalysis(
            pool, self.switches, self._meter, classes=limits.classes, max_people=limits.max_people
        )
        self._sent: Networks | None = None
        self._count = 0

    def analyze(self, data: bytes) -> dict[str, Any]:
        """The objects in a JPEG frame, and measurements, as JSON.

        Raises:
            RejectedMessageError: If it is not a JPEG that can be decoded, or too large.
        """
        image = read_jpeg(data)
        arrived = time.monotonic()
        self._meter.arrived()
        analyzed = self._analysis.analyze(arrived, Frame(image, self._count, arrived))
        self._count += 1
        took = time.monotonic() - arrived
        self._meter.shown(took)
        networks, active = self._analysis.networks, self._analysis.active
        settings = self.switches.settings
        answer: dict[str, Any] = {
            "size": [image.shape[1], image.shape[0]],
            "objects": to_json(analyzed.result),
            "ms": round(took * 1e3, 1),
            "backbone": active.backbone,
            "detector": active.detector,
            "preparing": settings.backbone != active.backbone and bool(self._pool.preparing()),
            "notice": self.switches.message,
            **self._meter.figures().to_json(),
        }
        if networks is not self._sent:
            self._sent = networks
            points = networks.landmarks
            answer["skeleton"] = [] if points is None else [list(pair) for pair in points.skeleton]
            answer["sides"] = [] if points is None else [_side(name) for name in points.keypoint_names]
        return answer


def read_jpeg(data: bytes) -> U8:
    """Decodes a JPEG to (H, W, 3) uint8 BGR; checks its size before it decodes anything.

    Raises:
        RejectedMessageError: If it is not a JPEG that can be decoded, or too large.
    """
    if len(data) > MAX_BYTES:
        raise RejectedMessageError(f"the image has {len(data)} bytes: at most {MAX_BYTES} are accepted")
    try:
        with JpegImageFile(io.BytesIO(data)) as header:
            width, height = header.size
    except Exception as error:  # a parser may raise anything for arbitrary bytes
        raise RejectedMessageError("the image is not a valid JPEG") from error
    if width * height > MAX_PIXELS:
        raise RejectedMessageError(f"the image has {width}x{height} pixels: at most 1920x1080 are accepted")
    if min(width, height) < _MIN_SIDE:
        raise RejectedMessageError(f"the image has only {width}x{height} pixels")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None or image.shape[:2] != (height, width):
        raise RejectedMessageError("the image is damaged: it cannot be decoded")
    return np.asarray(image, np.uint8)


def _side(name: str) -> int:
    """1 for the person's left, -1 for their right, 0 for the middle."""
    return name.startswith("left_") - name.startswith("right_")
