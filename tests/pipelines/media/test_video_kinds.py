"""Videos of every kind keep their frames, times, colors and sound; see issue 15, items 1 to 4."""

import os
import socket
import threading
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sinks.formats.video import VideoSink
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.synthetic import read_index
from sepcam.pipelines.types import Frame, FrameResult, Instances, RunSummary

from tests.clips import picture, write_clip

SUMMARY = RunSummary(frames=1, people=0, seconds=1.0, fps=1.0, stage_ms={})


def read(path, **options):
    with open_source(path, **options) as source:
        return source.info, list(source), source.warnings


def copy_video(path, target, **options):
    with open_source(path, **options) as source:
        return write(source, VideoSink(target, source.info, path if source.info.has_audio else None))


def write(source, sink):
    for frame in source:
        size = frame.image.shape[:2]
        nothing = Instances(
            size, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), ["person"]
        )
        sink.write(FrameResult(Frame(frame.image, frame.index, frame.time_s), nothing))
    sink.close(SUMMARY)
    return sink.notices


def flash_and_beep(path, codec, audio):
    """Two seconds: after one, images become white and a tone begins."""
    rate = 48_000 if audio == "libopus" else 44_100
    with av.open(str(path), "w") as output:
        video = output.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound = output.add_stream(audio, rate=rate, layout="mono")
        sound.bit_rate = 64_000
        for index in range(50):
            image = np.full((64, 96, 3), 255 if index >= 25 else 0, np.uint8)
            output.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        output.mux(video.encode(None))
        wave = np.sin(np.arange(2 * rate) * 0.1) * (np.arange(2 * rate) >= rate) * 20_000
        block = sound.codec_context.frame_size or 1152
        for start in range(0, len(wave) - block, block):
            samples = wave[None, start : start + block].astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
    return path


@contextmanager
def sent_once(path, kind):
    """The name of a source that can be opened once: a FIFO, or a server for one client."""
    data = path.read_bytes()
    if kind == "fifo":
        name = path.with_name("fifo")
        os.mkfifo(name)

        def send():
            name.write_bytes(data)

    else:
        server = socket.create_server(("127.0.0.1", 0))
        name = f"{kind}://127.0.0.1:{server.getsockname()[1]}" + ("/v" if kind == "http" else "")

        def send():
            with server, server.accept()[0] as client:
                if kind == "http":
                    client.recv(4096)
                    client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
                client.sendall(data)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    yield name
    sender.join(10)


def two_streams(path, sizes, default=0):
    """A clip of two video streams."""
    with av.open(str(path), "w") as output:
        streams = []
        for number, (width, height) in enumerate(sizes):
            stream = output.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = av.stream.Disposition.default if number == default else 0
            streams.append(stream)
        for stream, size in zip(streams, sizes, strict=True):
            for index in range(6):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index, size), format="bgr24")))
            output.mux(stream.encode(None))
    return path


class TestStreams:
    @pytest.mark.parametrize(
        ("sizes", "default", "width"),
        [
            ([(96, 64), (128, 96)], 1, 128),
            ([(96, 64), (128, 96)], 0, 96),
            ([(160, 120), (96, 64)], None, 160),
            ([(96, 64), (160, 120)], None, 160),
        ],
    )
    def test_the_video_that_players_show(self, tmp_path, sizes, default, width):
        path = two_streams(tmp_path / "a.mkv", sizes, default)
        assert read(path)[0].width == width

    def test_a_cover_is_never_taken_for_the_video(self, tmp_path):
        for name, codecs in (("a.mp4", ("mjpeg", "libx264")), ("song.m4a", ("mjpeg", "aac"))):
            with av.open(str(tmp_path / name), "w", format="mp4") as output:
                streams = [output.add_stream(codecs[0], rate=10), output.add_stream(codecs[1], rate=8000)]
                cover, other = streams
                cover.width, cover.height, cover.pix_fmt = 600, 600, "yuvj420p"
                cover.disposition = av.stream.Disposition.attached_pic
                if codecs[1] == "libx264":
                    other.width, other.height, other.pix_fmt = 96, 64, "yuv420p"
                    image = av.VideoFrame.from_ndarray(picture(0), format="bgr24")
                else:
                    image = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                    image.sample_rate = 8000
                output.mux(other.encode(image))
                output.mux(other.encode(None))
                still = av.VideoFrame.from_ndarray(np.zeros((600, 600, 3), np.uint8), format="bgr24")
                output.mux(cover.encode(still))
                output.mux(cover.encode(None))
        assert read(tmp_path / "a.mp4")[0].width == 96
        with pytest.raises(SepcamError, match="has sound but no video"):
            open_source(tmp_path / "song.m4a")

    def test_a_stream_that_is_asked_for(self, tmp_path):
        path = two_streams(tmp_path / "a.mkv", [(96, 64), (128, 96)])
        assert [read(path, stream=number)[0].width for number in (0, 1)] == [96, 128]
        with pytest.raises(SepcamError, match=r"no video stream 2: .* 0 \(96x64\), 1 \(128x96\)"):
            open_source(path, stream=2)


class TestTimes:
    def test_h264_with_b_frames_in_avi(self, tmp_path):
        path = write_clip(tmp_path / "a.avi", frames=40, options={"bf": "2", "b_strategy": "0"})
        info, frames, warnings = read(path)
        assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.1)
        assert (warnings, info.frame_count) == ([], 40)

    @pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "flv", "mov"])
    def test_a_start_is_exact_with_open_groups(self, tmp_path, suffix):
        options = {"g": "10", "bf": "3", "b_strategy": "0", "x264-params": "open-gop=1"}
        path = write_clip(tmp_path / f"a.{suffix}", frames=60, options=options)
        times = [frame.time_s for frame in read(path)[1]]
        for first in (1, 18, 27, 39, 58):
            _, frames, _ = read(path, start_s=times[first], limit=2)
            assert read_index(frames[0].image) == first

    @pytest.mark.parametrize(
        ("time_base", "gap_s"),
        [(Fraction(1, 1_000_000), 1000), (Fraction(1, 90_000), 900), (Fraction(1), 86_400)],
    )
    def test_frames_far_apart(self, tmp_path, time_base, gap_s):
        ticks = [round(gap_s * i / time_base) for i in range(6)]
        options = {"bf": "0"}
        path = write_clip(
            tmp_path / "a.mp4", frames=6, fps=Fraction(1), ticks=ticks, time_base=time_base, options=options
        )
        copy_video(path, tmp_path / "out.mp4")
        assert [f.time_s for f in read(tmp_path / "out.mp4")[1]] == pytest.approx(
            [gap_s * i for i in range(6)]
        )

    def test_the_last_of_frames_an_hour_apart_lasts_an_hour(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=3, fps=Fraction(1, 3600))
        copy_video(path, tmp_path / "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as made:
            assert made.duration == 3 * 3600 * av.time_base


class TestBroadcasts:
    @pytest.mark.parametrize(("suffix", "options"), [("ts", {}), ("m2ts", {"mpegts_m2ts_mode": "1"})])
    def test_a_clock_that_overflows_runs_on(self, tmp_path, suffix, options):
        """Transport streams count 90,000 ticks a second in 33 bits, and start again after 26.5 hours."""
        ticks = [2**33 - 45_000 + 9000 * index for index in range(20)]
        path = write_clip(
            tmp_path / f"a.{suffix}",
            frames=20,
            ticks=ticks,
            time_base=Fraction(1, 90_000),
            options={"bf": "2", "b_strategy": "0"},
            container_options=options,
        )
        _, frames, warnings = read(path)
        assert [read_index(frame.image) for frame in frames] == list(range(20))
        assert [frame.time_s for frame in frames] == pytest.approx([0.1 * index for index in range(20)])
        assert warnings == []


class TestPipes:
    def test_what_cannot_be_read_from_a_pipe_says_so(self, tmp_path):
        path = tmp_path / "a.mp4"
        path.write_bytes(bytes(5000))
        with sent_once(path, "fifo") as name, pytest.raises(SepcamError, match="in a pipe, an MP4 needs its"):
            open_source(name)


class TestBareStreams:
    @pytest.mark.parametrize(("suffix", "codec"), [("h264", "libx264"), ("hevc", "libx265")])
    def test_without_timestamps_the_rate_that_the_codec_states_holds(self, tmp_path, suffix, codec):
        options = {"libx265": {"x265-params": "log-level=none"}}.get(codec, {})
        path = write_clip(tmp_path / f"a.{suffix}", frames=20, fps=Fraction(50), codec=codec, options=options)
        _, frames, warnings = read(path)
        assert [frame.time_s for frame in frames] == pytest.approx([i / 50 for i in range(20)])
        assert warnings == ["it has no timestamps: 50 frames a second are assumed"]


class TestImages:
    @pytest.mark.parametrize("matrix", ["YCgCo", "bt2020c", "smpte2085", "chroma-derived-nc", "ICtCp"])
    def test_a_matrix_that_is_not_known_here(self, tmp_path, matrix):
        path = write_clip(tmp_path / "a.mp4", frames=2, options={"x264-params": f"colormatrix={matrix}"})
        _, frames, warnings = read(path)
        assert len(frames) == 2
        assert "converted as if they were BT.601" in warnings[0]

    def test_a_change_of_resolution_keeps_one_frame_size(self, tmp_path):
        parts = [write_clip(tmp_path / f"{w}.ts", frames=10, size=(w, h)) for w, h in ((96, 64), (160, 120))]
        path = tmp_path / "a.ts"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        info, frames, warnings = read(path)
        assert len(frames) == 20
        assert {frame.image.shape for frame in frames} == {(info.height, info.width, 3)} == {(64, 96, 3)}
        assert "changes from 96x64 to 160x120" in warnings[0]

    def test_interlaced_frames_become_whole_images(self, tmp_path):
        image = np.full((64, 96, 3), 40, np.uint8)
        image[::2] = 200  # one field is bright, as when the camera moves fast
        options = {"flags": "+ilme+ildct", "crf": "1"}
        path = write_clip(tmp_path / "a.mp4", images=[image] * 6, pix_fmt="yuv420p", options=options)
        combed = read(path, deinterlace=False)[1]
        whole = read(path)[1]
        assert [frame.time_s for frame in whole] == [frame.time_s for frame in combed]
        steps = [np.abs(np.diff(f[3].image[20:40, 48, 1].astype(int))).mean() for f in (combed, whole)]
        assert steps[1] < steps[0] / 2


class TestSound:
    @pytest.mark.parametrize(
        ("suffix", "codec", "audio"),
        [
            ("mkv", "libx264", "aac"),
            ("avi", "mpeg4", "pcm_s16le"),
            ("wmv", "wmv2", "wmav2"),
            ("ts", "libx264", "mp2"),
        ],
    )
    def test_a_flash_and_a_beep_stay_together(self, tmp_path, suffix, codec, audio):
        path = flash_and_beep(tmp_path / f"a.{suffix}", codec, audio)
        copy_video(path, tmp_path / "out.mp4")
        lag_s = [_beep_s(file) - _flash_s(file) for file in (path, tmp_path / "out.mp4")]
        assert lag_s[0] == pytest.approx(0, abs=0.06)
        assert lag_s[1] == pytest.approx(lag_s[0], abs=0.04)

    @pytest.mark.parametrize(
        ("kind", "suffix", "audio"),
        [
            ("fifo", "ts", "mp2"),
            ("fifo", "mkv", "pcm_s16le"),
            ("http", "ts", "aac"),
            ("tcp", "mkv", "libopus"),
        ],
    )
    def test_what_can_be_opened_once_keeps_its_times_and_sound(self, tmp_path, kind, suffix, audio):
        path = flash_and_beep(tmp_path / f"a.{suffix}", "libx264", audio)
        with sent_once(path, kind) as name, open_source(name) as source:
            source.sound_feed.keep()
            write(source, VideoSink(tmp_path / "out.mp4", source.info, source.sound_feed))
        frames = read(tmp_path / "out.mp4")[1]
        assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=0.002)
        assert len(frames) == 50
        lag_s = [_beep_s(file) - _flash_s(file) for file in (path, tmp_path / "out.mp4")]
        assert lag_s[1] == pytest.approx(lag_s[0], abs=0.04)

    def test_joined_recordings_keep_their_sound(self, tmp_path):
        part = write_clip(tmp_path / "part.ts", frames=30, audio="aac")
        path = tmp_path / "a.ts"
        path.write_bytes(part.read_bytes() * 2)
        copy_video(path, tmp_path / "out.mp4")
        assert len(read(tmp_path / "out.mp4")[1]) == 60
        with av.open(str(tmp_path / "out.mp4")) as container:
            ends = [float(frame.time) for frame in container.decode(audio=0)]
        assert ends[-1] == pytest.approx(6, abs=0.15)

    def test_all_tracks_and_their_languages(self, tmp_path):
        path = tmp_path / "a.mkv"
        with av.open(str(path), "w") as output:
            video = output.add_stream("libx264", rate=10)
            video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
            tracks = [output.add_stream(codec, rate=48_000, layout="mono") for codec in ("aac", "pcm_s16le")]
            for track, language in zip(tracks, ("deu", "fra"), strict=True):
                track.metadata["language"] = language
            for index in range(10):
                output.mux(video.encode(av.VideoFrame.from_ndarray(picture(index), format="bgr24")))
            output.mux(video.encode(None))
            for track in tracks:
                for start in range(0, 48_000, 1024):
                    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
                    frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
                    output.mux(track.encode(frame))
                output.mux(track.encode(None))
        copy_video(path, tmp_path / "out.mp4")
        with av.open(str(tmp_path / "out.mp4")) as container:
            kept = [(s.codec_context.name, s.metadata["language"]) for s in container.streams.audio]
        assert kept == [("aac", "deu"), ("aac", "fra")]


def _flash_s(path):
    with av.open(str(path)) as container:
        return next(
            float(f.time) for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128
        )


def _beep_s(path):
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray()
            scale = 32_768 if samples.dtype == np.int16 else 1
            loud = np.abs(samples / scale).reshape(-1, frame.samples).max(axis=0) > 0.2
            if loud.any():
                return float(frame.time) + int(loud.argmax()) / frame.sample_rate
    return None
