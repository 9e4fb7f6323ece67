"""The files of an event, written while it happens."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.stream import VideoStream

from ...models.errors import SepcamError
from ...models.files import write_failure
from ...models.types import U8
from ..media.containers import url_of
from ..media.video_writer import MADE_BY, muxer_options
from .packets import TIME_BASE, Packet
from .store import HiddenFolder
from .stored import CLIP, FACTS, THUMBNAIL, StoredEvent

_THUMBNAIL_WIDTH = 480
_QUALITY = 80
_ONE_FRAME_S = 0.04  # length of a clip of a single frame


class Clip:
    """An event that is being recorded; all its files are hidden until `publish`.

    Attributes:
        began_s: time of the frame in which its rule held first.
        held_s: the same of the last frame in which it held.
        last_s: time of the last frame that was written.
    """

    began_s: float
    held_s: float
    last_s: float

    def __init__(
        self, folder: HiddenFolder, event: StoredEvent, template: VideoStream, began_s: float
    ) -> None:
        """Open the clip.

        Args:
            folder: for the files; discarded where this fails.
            event: what is known at the beginning.
            template: the encoder's stream.
            began_s: time of the frame in which its rule held first.

        Raises:
            SepcamError: If it cannot be written.
        """
        self._folder, self._event = folder, event
        self._path = folder.path / CLIP
        self._ids = set(event.ids)
        self._first: Packet | None = None
        self._count = 0
        self._waiting: Packet | None = None  # its length is known with the next one
        self.began_s = self.held_s = self.last_s = began_s
        self._active_at = time.monotonic()
        try:
            self._container = av.open(url_of(self._path), "w", options=muxer_options(TIME_BASE))
            self._container.metadata["comment"] = MADE_BY
            self._stream = self._container.add_stream_from_template(template)
        except FFmpegError as error:
            folder.discard()
            raise write_failure(self._path, error) from error

    @property
    def event(self) -> StoredEvent:
        """What is known so far."""
        first, last = self._first, self._waiting
        if first is None or last is None:
            return replace(self._event, ids=tuple(sorted(self._ids)))
        return replace(
            self._event,
            before_s=max(0.0, self.began_s - first.time_s),
            seconds=float((last.pts - first.pts) * TIME_BASE) + self._length(last),
            ids=tuple(sorted(self._ids)),
        )

    @property
    def idle_s(self) -> float:
        """Seconds since the last frame came, by the clock."""
        return time.monotonic() - self._active_at

    def hold(self, time_s: float, ids: Iterable[int]) -> None:
        """The rule holds in a frame, for these identities."""
        self.held_s = time_s
        self._ids.update(ids)

    def add_thumbnail(self, image: U8) -> None:
        """Writes the thumbnail of an (H, W, 3) uint8 BGR image.

        Raises:
            SepcamError: If it cannot be written.
        """
        scale = min(1.0, _THUMBNAIL_WIDTH / image.shape[1])
        small = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        self._write(THUMBNAIL, data.tobytes())

    def add(self, packet: Packet) -> None:
        """Writes the next frame; nothing before the first keyframe.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        self._active_at = time.monotonic()
        if self._first is None and not packet.keyframe:
            return
        self._first = self._first or packet
        self._count += 1
        if self._waiting is not None:
            self._mux(self._waiting, packet.pts - self._waiting.pts)
        self._waiting, self.last_s = packet, packet.time_s

    def publish(self) -> StoredEvent:
        """Completes the files and shows them.

        Raises:
            SepcamError: If they cannot be written; nothing is left then.
        """
        event = self.event
        try:
            if self._waiting is None:
                raise SepcamError("an event has no frame")
            self._mux(self._waiting, round(self._length(self._waiting) / TIME_BASE))
            try:
                self._container.close()
            except FFmpegError as error:
                raise write_failure(self._path, error) from error
            self._write(FACTS, event.text().encode())
        except BaseException:
            self.discard()
            raise
        self._folder.publish()
        return event

    def discard(self) -> None:
        """Deletes the files."""
        with suppress(FFmpegError):
            self._container.close()
        self._folder.discard()

    def _length(self, packet: Packet) -> float:
        """Seconds for which the last frame is shown: as long as one on average."""
        first = self._first
        if first is None or packet.pts == first.pts:
            return _ONE_FRAME_S
        return min(1.0, float((packet.pts - first.pts) * TIME_BASE) / max(1, self._count - 1))

    def _mux(self, packet: Packet, ticks: int) -> None:
        assert self._first is not None
        shown = av.Packet(packet.data)
        shown.pts = shown.dts = packet.pts - self._first.pts
        shown.duration = ticks
        shown.time_base = TIME_BASE
        shown.is_keyframe = packet.keyframe
        shown.stream = self._stream
        try:
            self._container.mux(shown)
        except FFmpegError as error:
            raise write_failure(self._path, error) from error

    def _write(self, name: str, data: bytes) -> None:
        path = self._folder.path / name
        try:
            path.write_bytes(data)
        except OSError as error:
            raise write_failure(path, error) from error
