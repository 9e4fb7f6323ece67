"""One sound track on its way into an MP4: its packets copied, or its samples encoded as AAC."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from ...models.types import F32

_COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
_NEED_HEADER = frozenset({"alac", "flac", "opus"})
_LEAST_MP3_RATE = 16_000
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000})
_AAC_LAYOUTS = frozenset({"mono", "stereo", "5.1"})
_AAC_BLOCK = 1024
_TOLERANCE_S = Fraction(4, 100)
"""A shorter gap or overlap is inexact rounding by the container, and not kept."""

_SILENCE_S = 10
"""The longest gap that is filled with silence; a longer one stays a gap."""


class Track(Protocol):
    """Packets of one sound track for the new file."""

    def take(self, packet: Packet, shift_s: Fraction) -> Iterator[Packet]:
        """The packets for the new file that become complete with one of the source.

        Args:
            packet: of the source.
            shift_s: seconds from the source's clock to that of the new file.
        """
        ...

    def flush(self) -> Iterator[Packet]:
        """The last packets."""
        ...


def add_track(
    source: AudioStream, output: OutputContainer, *, whole: bool
) -> tuple[Track | None, str | None]:
    """Adds a track to an MP4 before anything is written to it.

    Args:
        source: the sound.
        output: the MP4.
        whole: whether sound before 0 (an encoder's run-in) belongs to the new file.

    Returns:
        The track, or None where the sound cannot be decoded, and a line that the user should know, or None.
    """
    context = source.codec_context
    if context is None or not context.sample_rate or not context.layout.nb_channels:
        return (
            None,
            f"the sound ({'unknown codec' if context is None else context.name}) cannot be decoded: left out",
        )
    name = context.codec.canonical_name
    if _can_copy(source, name):
        target = output.add_stream_from_template(source)
        track, notice = CopiedTrack(target, whole=whole), None
    else:
        rate = context.sample_rate if context.sample_rate in _AAC_RATES else 48_000
        target = output.add_stream("aac", rate=rate)
        target.layout = context.layout.name if context.layout.name in _AAC_LAYOUTS else "stereo"
        track = EncodedTrack(context, target)
        notice = f"the sound ({name}) is encoded as AAC, since MP4 does not hold it"
    for key in ("language", "title"):
        if key in source.metadata:
            target.metadata[key] = source.metadata[key]
    target.disposition = source.disposition
    return track, notice


def _can_copy(source: AudioStream, name: str) -> bool:
    context = source.codec_context
    if name == "mp3" and context.sample_rate < _LEAST_MP3_RATE:
        return False
    return name in _COPIED and (name not in _NEED_HEADER or bool(context.extradata))


class CopiedTrack:
    """Packets as they are, with times that increase."""

    def __init__(self, target: AudioStream, *, whole: bool) -> None:
        self._target, self._whole = target, whole
        self._last: int | None = None
        self._next = 0

    def take(self, packet: Packet, shift_s: Fraction) -> Iterator[Packet]:
        """See `Track`. A packet without a time, or that repeats one, follows the packet before it.

        One that lies further back is left out, so that sound and video stay together.
        """
        if packet.is_corrupt or not packet.size or packet.time_base is None:
            return
        stamp = packet.dts if packet.pts is None else packet.pts
        ticks = self._next if stamp is None else stamp + round(shift_s / packet.time_base)
        if ticks < 0 and not self._whole:
            return
        length = packet.duration or 1
        if self._last is not None and ticks <= self._last:
            if self._next - ticks > length:
                return
            ticks = max(self._next, self._last + 1)
        self._last, self._next = ticks, ticks + length
        packet.pts = packet.dts = ticks
        packet.stream = self._target
        yield packet

    def flush(self) -> Iterator[Packet]:
        """See `Track`."""
        return iter(())


class EncodedTrack:
    """Sound as AAC without holes: gaps become silence, and what overlaps is left out."""

    def __init__(self, decoder: AudioCodecContext, target: AudioStream) -> None:
        self._decoder, self._target = decoder, target
        self._rate = target.codec_context.sample_rate
        self._layout = target.layout.name
        self._channels = target.layout.nb_channels
        self._resampler: AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._waiting = np.zeros((self._channels, 0), np.float32)
        self._at: int | None = None  # sample number of the first one that waits

    def take(self, packet: Packet, shift_s: Fraction) -> Iterator[Packet]:
        """See `Track`. What cannot be decoded is left out."""
        try:
            frames = self._decoder.decode(packet)
        except FFmpegError:
            return
        for frame in frames:
            time_s = None
            if frame.pts is not None and frame.time_base is not None:
                time_s = frame.pts * frame.time_base + shift_s
            yield from self._add(self._samples(frame), time_s)

    def flush(self) -> Iterator[Packet]:
        """See `Track`."""
        if self._waiting.shape[1]:
            yield from self._encode(self._waiting)
        yield from self._target.encode(None)

    def _samples(self, frame: av.AudioFrame) -> F32:
        """(channels, n) float32 at the rate of the new file."""
        format_ = frame.format.name, frame.layout.name, frame.sample_rate
        if format_ != self._format:
            self._resampler = AudioResampler("fltp", self._layout, self._rate)
            self._format = format_
        assert self._resampler is not None
        frame.pts = None
        parts = [part.to_ndarray() for part in self._resampler.resample(frame)]
        empty = np.zeros((self._channels, 0), np.float32)
        return np.concatenate([empty, *parts], axis=1).astype(np.float32, copy=False)

    def _add(self, samples: F32, time_s: Fraction | None) -> Iterator[Packet]:
        place = None if time_s is None else round(time_s * self._rate)
        if self._at is None:
            place = place or 0
            samples = samples[:, max(0, -place) :]
            if not samples.shape[1]:
                return
            self._at = max(0, place)
        elif place is not None:
            gap = place - self._at - self._waiting.shape[1]
            if gap > _SILENCE_S * self._rate:
                if self._waiting.shape[1]:
                    yield from self._encode(self._waiting)
                self._waiting, self._at = self._waiting[:, :0], place
            elif gap > _TOLERANCE_S * self._rate:
                samples = np.pad(samples, ((0, 0), (gap, 0)))
            elif gap < -_TOLERANCE_S * self._rate:
                samples = samples[:, -gap:]
        self._waiting = np.concatenate([self._waiting, samples], axis=1)
        while self._waiting.shape[1] >= _AAC_BLOCK:
            yield from self._encode(self._waiting[:, :_AAC_BLOCK])
            self._waiting = self._waiting[:, _AAC_BLOCK:]
            self._at += _AAC_BLOCK

    def _encode(self, samples: F32) -> Iterator[Packet]:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
        yield from self._target.encode(frame)
