"""One visitor's camera: JPEG frames, analyzed with the networks that all visitors share."""

import base64
import io
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from ....models.errors import SepcamError
from ....models.types import U8
from ....pipelines.analysis.options import AnalysisOptions
from ....pipelines.drawing.options import DrawOptions
from ....pipelines.drawing.skeleton import Skeleton
from ....pipelines.execution.network_pool import NetworkPool
from ....pipelines.live.analysis import LiveAnalysis
from ....pipelines.live.duel import RACE, LiveDuel
from ....pipelines.live.meter import LiveMeter
from ....pipelines.live.settings import LiveSettings, Switches
from ....pipelines.types import Frame, ModelInfo
from ..live.jpeg_stream import encode_jpeg
from ..shared.websocket import RejectedMessageError
from .serialize import style_to_json, to_json

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_PIXELS: Final = 1920 * 1080
_MIN_SIDE = 16


class CameraSession:
    """Analyzes one visitor's frames, in order. One thread at a time may use it, except ``switches``.

    Attributes:
        switches: the visitor's settings.
    """

    switches: Switches

    def __init__(
        self, pool: NetworkPool, settings: LiveSettings, options: AnalysisOptions, drawing: DrawOptions
    ) -> None:
        """Load the networks, unless the pool has them already.

        Raises:
            SepcamError: If they are unavailable.
        """
        self.switches = Switches(settings)
        self._meter = LiveMeter()
        self._pool, self._drawing = pool, drawing
        # However often detections are asked for of the server's own source, visitors get them when necessary.
        options = replace(options, detect_every="auto")
        self._analysis = LiveAnalysis(pool, self.switches, self._meter, options)
        name = "a visitor's camera"
        self._duel = LiveDuel(pool, self.switches, options, source=name, fps=None, race_note=RACE)
        self._duel_size: tuple[int, int] | None = None
        self._card_sent = False
        self._sent: ModelInfo | None = None
        self._count = 0

    def duel(self, seconds: float) -> None:
        """Begins a duel of both backbones on the visitor's frames; 0 seconds end it."""
        self._duel_size, self._card_sent = None, False
        if seconds:
            self._duel.begin(seconds)
        else:
            self._duel.end()

    def analyze(self, data: bytes) -> dict[str, Any]:
        """The objects in a JPEG frame, and measurements, as JSON.

        Raises:
            RejectedMessageError: If it is not a JPEG that can be decoded, or too large.
        """
        image = read_jpeg(data)
        arrived = time.monotonic()
        self._meter.arrived()
        frame = Frame(image, self._count, arrived)
        self._count += 1
        dueling = self._duel_image(frame)
        if dueling is not None:
            return dueling
        analyzed = self._analysis.analyze(arrived, frame)
        took = time.monotonic() - arrived
        self._meter.shown(took)
        model, active = analyzed.result.model, self._analysis.active
        settings = self.switches.settings
        answer: dict[str, Any] = {
            "size": [image.shape[1], image.shape[0]],
            "objects": to_json(analyzed.result, self._drawing),
            "ms": round(took * 1e3, 1),
            "backbone": active.backbone,
            "detector": active.detector,
            "preparing": settings.backbone != active.backbone and bool(self._pool.preparing()),
            "notice": self.switches.message,
            "duel": self._duel.status().to_json(),
            **self._meter.figures().to_json(),
        }
        if model != self._sent:
            self._sent = model
            skeleton = Skeleton(model.skeleton, model.keypoint_names)
            answer["style"] = style_to_json(skeleton, self._drawing)
        return answer

    def _duel_image(self, frame: Frame) -> dict[str, Any] | None:
        """The image of a duel, and once its card; None while there is none."""
        size = frame.image.shape[1], frame.image.shape[0]
        if self._duel.on and size != (self._duel_size or size):
            self._duel.end()
            self.switches.say("the frames have another size: the duel has ended")
        self._duel_size = size
        image = self._duel.frame(frame)
        if image is None:
            return None
        answer: dict[str, Any] = {
            "size": list(size),
            "image": base64.b64encode(encode_jpeg(image)).decode(),
            "duel": self._duel.status().to_json(),
        }
        if not self._card_sent:
            with suppress(SepcamError):  # while it is not complete
                card = self._duel.card()
                answer["card"] = {"png": base64.b64encode(card.png()).decode(), "json": card.json()}
                self._card_sent = True
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
