"""Whatever a user names becomes frames: in order, upright, with true times and colors, or one clear line."""

import gc
import re
import sys
import threading
from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sepcam.models.errors import SepcamError
from sepcam.pipelines.media.timestamps import FrameClock
from sepcam.pipelines.sources.base import Source
from sepcam.pipelines.sources.images import natural_key
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.synthetic import read_index, stamp_index

from tests.clips import cut, picture, turn, write_clip
from tests.servers import MotionJpeg, files_in, served


def read(spec, **options):
    with open_source(spec, **options) as source:
        return source.info, list(source), source.warnings


def indices(frames):
    return [read_index(frame.image) for frame in frames]


class TestVideoFiles:
    def test_every_frame_arrives_once_in_order_with_its_time(self, tmp_path):
        info, frames, warnings = read(write_clip(tmp_path / "a.mp4", frames=30))
        assert indices(frames) == [frame.index for frame in frames] == list(range(30))
        assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(30)])
        assert (info.name, info.width, info.height, info.fps, info.frame_count) == ("a.mp4", 96, 64, 10, 30)
        assert not (info.has_audio or info.live or info.independent or info.partial or warnings)

    def test_2997_stays_2997(self, tmp_path):
        info, frames, _ = read(write_clip(tmp_path / "a.mp4", fps=Fraction(30000, 1001)))
        assert info.fps == pytest.approx(30000 / 1001)
        assert frames[-1].time_s == pytest.approx(11 * 1001 / 30000)

    def test_a_variable_rate_stays_variable(self, tmp_path):
        ticks = [0, 40, 50, 300, 1000, 1001, 1700]
        path = write_clip(tmp_path / "a.mp4", frames=7, ticks=ticks, time_base=Fraction(1, 1000))
        assert [frame.time_s for frame in read(path)[1]] == pytest.approx([t / 1000 for t in ticks])

    def test_a_file_that_begins_late_begins_at_0(self, tmp_path):
        ticks = [9_000_000 + 9000 * i for i in range(8)]
        path = write_clip(tmp_path / "a.ts", frames=8, ticks=ticks, time_base=Fraction(1, 90_000))
        _, frames, warnings = read(path)
        assert frames[0].time_s == 0
        assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.1)
        assert warnings == []

    @pytest.mark.parametrize(
        ("suffix", "codec", "pix_fmt", "options"),
        [
            ("mp4", "libx264", "yuv444p", {}),
            ("mp4", "libx264", "yuv420p", {"flags": "+ilme+ildct"}),
            ("mkv", "libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
            ("mp4", "libx265", "yuv420p", {"x265-params": "log-level=none"}),
            ("mp4", "libsvtav1", "yuv420p", {"preset": "12"}),
            ("webm", "libvpx-vp9", "yuv420p", {"cpu-used": "8"}),
            ("avi", "mjpeg", "yuvj420p", {}),
            ("mov", "prores", "yuv422p10le", {}),
            ("avi", "mpeg4", "yuv420p", {}),
            ("gif", "gif", "rgb8", {}),
            ("mkv", "ffv1", "bgr0", {}),
        ],
    )
    def test_codecs_of_all_kinds(self, tmp_path, monkeypatch, suffix, codec, pix_fmt, options):
        monkeypatch.setenv("SVT_LOG", "0")
        path = write_clip(
            tmp_path / f"a.{suffix}", frames=8, size=(128, 96), codec=codec, pix_fmt=pix_fmt, options=options
        )
        _, frames, warnings = read(path)
        assert indices(frames) == list(range(8))
        assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(8)], abs=0.011)
        assert warnings == []

    def test_an_odd_size(self, tmp_path):
        path = write_clip(tmp_path / "a.mkv", size=(97, 65), codec="ffv1", pix_fmt="bgr0")
        info, frames, _ = read(path)
        assert (info.width, info.height) == (97, 65)
        assert frames[3].image.shape == (65, 97, 3)

    @pytest.mark.parametrize(
        ("aspect", "size"),
        [(Fraction(16, 11), (140, 64)), (Fraction(1, 2), (96, 128)), (Fraction(9), (96, 64))],
    )
    def test_pixels_that_are_not_square_are_stretched(self, tmp_path, aspect, size):
        info, frames, _ = read(write_clip(tmp_path / "a.mp4", pixel_aspect=aspect))
        assert (info.pixel_aspect, info.width, info.height) == (aspect, *size)
        assert frames[0].image.shape == (size[1], size[0], 3)

    @pytest.mark.parametrize(
        ("matrix", "turned", "degrees"),
        [
            ((1, 0, 0, 1), lambda image: image, 0),
            ((0, 1, -1, 0), lambda image: np.rot90(image, -1), 90),
            ((-1, 0, 0, -1), lambda image: np.rot90(image, 2), 180),
            ((0, -1, 1, 0), np.rot90, 270),
            ((-1, 0, 0, 1), np.fliplr, 0),
            ((1, 0, 0, -1), np.flipud, 180),
            ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2), 270),
        ],
    )
    def test_pictures_are_turned_as_the_file_asks(self, tmp_path, matrix, turned, degrees):
        plain = read(write_clip(tmp_path / "plain.mp4", frames=2))[1]
        path = turn(write_clip(tmp_path / "turned.mp4", frames=2), matrix)
        info, frames, _ = read(path)
        for frame, before in zip(frames, plain, strict=True):
            np.testing.assert_array_equal(frame.image, turned(before.image))
            assert frame.image.flags.c_contiguous
        assert (info.height, info.width) == frames[0].image.shape[:2]
        assert info.rotation == degrees

    @pytest.mark.parametrize("full_range", [False, True])
    @pytest.mark.parametrize(
        ("matrix", "height"), [("bt709", 64), ("smpte170m", 64), (None, 64), (None, 720)]
    )
    def test_colors_follow_the_files_matrix_and_range(self, tmp_path, matrix, height, full_range):
        bgr = (40, 90, 220)
        # Encoded by hand after ITU-R BT.601 and BT.709; without a name, players take BT.709 for HD.
        kr, kb = (
            (0.2126, 0.0722) if matrix == "bt709" or (matrix is None and height == 720) else (0.299, 0.114)
        )
        blue, green, red = (value / 255 for value in bgr)
        y = kr * red + (1 - kr - kb) * green + kb * blue
        cb, cr = (blue - y) / (2 - 2 * kb), (red - y) / (2 - 2 * kr)
        luma, chroma, offset = (255, 255, 0) if full_range else (219, 224, 16)
        planes = [round(y * luma + offset), round(cb * chroma + 128), round(cr * chroma + 128)]
        path = tmp_path / "a.mkv"
        _write_yuv(path, planes, (96, height), {"colorspace": matrix} if matrix else {}, full_range)
        image = read(path)[1][0].image
        assert image[height // 2, 48].tolist() == pytest.approx(bgr, abs=3)

    def test_a_start_and_a_number_of_frames(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=60, options={"g": "12"})
        info, frames, warnings = read(path, start_s=2.05, limit=5)
        assert indices(frames) == [21, 22, 23, 24, 25]
        assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
        assert frames[0].time_s == pytest.approx(2.1)
        assert (info.partial, info.start_s, warnings) == (True, 2.05, [])
        assert read(path, limit=7)[0].frame_count == 7

    def test_a_single_frame(self, tmp_path):
        info, frames, warnings = read(write_clip(tmp_path / "a.mp4", frames=1))
        assert (len(frames), info.frame_count, warnings) == (1, 1, [])


def test_decoded_frames_are_freed_as_they_go(tmp_path):
    """They hold megabytes each, and the garbage collector counts objects, not megabytes."""
    write_clip(tmp_path / "clip.mp4", frames=40)

    def frames_alive():
        return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = frames_alive()  # of threads that other tests have left
        assert len(read(tmp_path / "clip.mp4")[1]) == 40
        alive = frames_alive()
    finally:
        gc.enable()
    assert alive - before <= 1  # the first one's rotation was read


def _write_yuv(path, planes, size, tags, full_range):
    import av

    width, height = size
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "1", **tags})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.color_range = 2 if full_range else 1
        for _ in range(2):
            yuv = np.empty((height * 3 // 2, width), np.uint8)
            yuv[:height] = planes[0]
            yuv[height : height + height // 4] = planes[1]
            yuv[height + height // 4 :] = planes[2]
            frame = av.VideoFrame.from_ndarray(yuv, format="yuv420p")
            frame.color_range = 2 if full_range else 1
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


class TestDamagedFiles:
    def test_a_file_cut_in_half_gives_its_first_half(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=200, container_options={"movflags": "faststart"})
        _, frames, warnings = read(cut(path, 0.6))
        assert 40 < len(frames) < 190
        assert indices(frames) == list(range(len(frames)))
        assert warnings[0] == f"cut after {len(frames)} of 200 frames"

    def test_a_file_that_counts_no_frames_is_measured_in_seconds(self, tmp_path):
        path = write_clip(tmp_path / "a.mkv", frames=200)
        _, frames, warnings = read(cut(path, 0.6))
        assert 40 < len(frames) < 190
        assert warnings[0].startswith("cut after ")
        assert warnings[0].endswith(f" of 20.0 s ({len(frames)} frames)")

    @pytest.mark.parametrize("suffix", ["mkv", "avi"])
    def test_a_segment_of_a_longer_recording_is_not_cut(self, tmp_path, suffix):
        ticks = range(200, 220)
        write_clip(tmp_path / f"a.{suffix}", frames=20, ticks=ticks, options={"bf": "0"})
        info, frames, warnings = read(tmp_path / f"a.{suffix}")
        assert (len(frames), warnings) == (20, [])
        assert info.frame_count in (None, 20)

    def test_a_gif_whose_last_frame_is_held_is_not_cut(self, tmp_path):
        first, *others = [Image.fromarray(picture(index)) for index in range(3)]
        first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=[100, 100, 3000])
        _, frames, warnings = read(tmp_path / "a.gif")
        assert (len(frames), warnings) == (3, [])

    def test_a_damaged_middle_does_not_end_the_run(self, tmp_path):
        path = write_clip(tmp_path / "a.avi", frames=60, codec="mjpeg", pix_fmt="yuvj420p")
        data = bytearray(path.read_bytes())
        start = data.index(b"\xff\xd8", len(data) // 2)
        data[start : start + 600] = bytes(600)
        path.write_bytes(data)
        _, frames, warnings = read(path)
        assert len(frames) >= 57
        assert read_index(frames[-1].image) == 59
        assert any(re.search("damaged packets? could not be decoded", line) for line in warnings)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty"),
            (b"[project]\nname = 'x'\n" * 400, "is not a video"),
            (b"just words, nothing else", "is not a video"),
            (bytes(range(256)) * 64, "is not a video"),
        ],
    )
    @pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.txt"])
    def test_what_is_no_video(self, tmp_path, content, words, name):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SepcamError, match=words) as caught:
            open_source(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_an_mp4_without_its_index(self, tmp_path):
        path = cut(write_clip(tmp_path / "a.mp4", frames=60), 0.5)
        with pytest.raises(SepcamError, match="cut or damaged"):
            open_source(path)

    def test_sound_without_video(self, tmp_path):
        import av

        with av.open(str(tmp_path / "a.wav"), "w") as output:
            stream = output.add_stream("pcm_s16le", rate=8000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8000
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        with pytest.raises(SepcamError, match="sound but no video"):
            open_source(tmp_path / "a.wav")

    def test_a_start_after_the_end(self, tmp_path):
        with pytest.raises(SepcamError, match="no frames after 99 s"):
            open_source(write_clip(tmp_path / "a.mp4"), start_s=99)

    @pytest.mark.parametrize("spec", ["nothing.mp4", "nothing/*.png", "synthetic:10x10", "synthetic:bad"])
    def test_what_is_not_there(self, tmp_path, monkeypatch, spec):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SepcamError, match=r"nothing|synthetic"):
            open_source(spec)

    @pytest.mark.parametrize("options", [{"limit": 0}, {"start_s": -1.0}, {"start_s": float("nan")}])
    def test_bad_numbers(self, options):
        with pytest.raises(SepcamError, match="must be"):
            open_source("synthetic", **options)


class TestTimestamps:
    @given(
        st.lists(st.none() | st.integers(-(10**6), 10**6), min_size=1, max_size=60),
        st.sampled_from([Fraction(1, 10), Fraction(1001, 30000), Fraction(1, 90_000)]),
        st.sampled_from([None, 0.5, 10.0, 240.0]),
    )
    def test_they_always_increase(self, stamps, time_base, fps):
        clock = FrameClock(time_base, fps, Fraction(0))
        times = [clock.time_s(stamp) for stamp in stamps]
        assert all(a < b for a, b in pairwise(times))

    def test_good_ones_are_kept(self):
        clock = FrameClock(Fraction(1, 1000), 25, Fraction(1))
        assert [clock.time_s(t) for t in (1000, 1007, 1500)] == [0.0, 0.007, 0.5]
        assert clock.repaired == 0

    def test_a_missing_one_follows_by_a_frame(self):
        clock = FrameClock(Fraction(1, 1000), 25, Fraction(0))
        assert [clock.time_s(t) for t in (0, None, None, 120)] == [0.0, 0.04, 0.08, 0.12]
        assert clock.repaired == 2

    def test_a_clock_that_was_set_back_is_carried_on(self):
        clock = FrameClock(Fraction(1, 1000), 25, Fraction(0))
        assert [clock.time_s(t) for t in (8000, 8040, 0, 40, 80)] == [8.0, 8.04, 8.08, 8.12, 8.16]
        assert clock.repaired == 1

    def test_a_clock_that_was_set_ahead_is_carried_on(self, tmp_path):
        ticks = [*range(10), *range(17_000_000_000, 17_000_000_010)]
        write_clip(tmp_path / "a.mkv", frames=20, ticks=ticks, options={"bf": "0"})
        _, frames, warnings = read(tmp_path / "a.mkv")
        assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(20)])
        assert warnings == ["timestamps were missing, went back or leapt ahead: 1 repaired"]

    def test_one_that_steps_back_is_put_just_after(self):
        clock = FrameClock(Fraction(1, 1000), 25, Fraction(0))
        assert [clock.time_s(t) for t in (0, 40, 10, 80)] == [0.0, 0.04, 0.06, 0.08]

    def test_joined_recordings_give_one_warning(self, tmp_path):
        parts = [write_clip(tmp_path / f"{i}.ts", frames=30).read_bytes() for i in range(2)]
        (tmp_path / "joined.ts").write_bytes(b"".join(parts))
        _, frames, warnings = read(tmp_path / "joined.ts")
        assert len(frames) == 60
        assert np.diff([frame.time_s for frame in frames]).min() > 0
        assert len([line for line in warnings if "timestamps" in line]) == 1


class TestLifeOfASource:
    @pytest.fixture(params=["clip", "synthetic", "images"])
    def spec(self, request, tmp_path):
        if request.param == "clip":
            return write_clip(tmp_path / "a.mp4", frames=40)
        if request.param == "images":
            for i in range(40):
                cv2.imwrite(str(tmp_path / f"{i}.png"), picture(i))
            return tmp_path
        return "synthetic:96x64@10x40"

    def test_all_kinds_follow_the_protocol(self, spec):
        with open_source(spec) as source:
            assert isinstance(source, Source)
            assert indices(source) == list(range(40))
            assert source.info.frame_count == 40

    def test_closing_ends_an_iteration(self, spec):
        source = open_source(spec)
        frames = iter(source)
        next(frames)
        source.close()
        source.close()
        assert list(frames) == []

    def test_closing_in_another_thread_ends_an_iteration(self, spec):
        source = open_source(spec)
        started, seen = threading.Event(), []

        def work():
            for frame in source:
                seen.append(frame.index)
                started.set()
                closed.wait(10)

        closed = threading.Event()
        thread = threading.Thread(target=work)
        thread.start()
        assert started.wait(10)
        source.close()
        closed.set()
        thread.join(10)
        assert not thread.is_alive()
        assert seen == [0]

    @pytest.mark.skipif(sys.platform != "linux", reason="counts the open files in /proc")
    def test_nothing_stays_open(self, tmp_path):
        from pathlib import Path

        path = write_clip(tmp_path / "a.mp4", frames=40)

        def opened():
            gc.collect()
            return sum(str(link.resolve()) == str(path) for link in Path("/proc/self/fd").iterdir())

        for frame in open_source(path):
            if frame.index == 3:
                break
        assert opened() == 0
        frames = iter(open_source(path))
        next(frames)
        del frames
        assert opened() == 0
        with pytest.raises(SepcamError):
            open_source(path, start_s=99)
        assert opened() == 0

    def test_closing_while_frames_are_decoded_breaks_nothing(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=60, size=(320, 240))
        for _ in range(10):
            source = open_source(path)
            seen = []
            thread = threading.Thread(target=lambda source=source, seen=seen: seen.extend(source))
            thread.start()
            source.close()
            thread.join(10)
            assert not thread.is_alive()
            assert [frame.index for frame in seen] == list(range(len(seen)))


class TestImages:
    def test_a_folder_in_natural_order(self, tmp_path):
        for i in (10, 9, 1):
            cv2.imwrite(str(tmp_path / f"shot{i}.png"), picture(i))
        (tmp_path / ".hidden.png").write_bytes(b"")
        (tmp_path / "notes.txt").write_text("no image")
        info, frames, warnings = read(tmp_path)
        assert [frame.name for frame in frames] == ["shot1.png", "shot9.png", "shot10.png"]
        assert indices(frames) == [1, 9, 10]
        assert [frame.time_s for frame in frames] == [0, 1, 2]
        assert (info.independent, info.fps, info.frame_count, info.name) == (True, None, 3, tmp_path.name)
        assert warnings == []

    def test_a_glob(self, tmp_path):
        for name in ("a1.png", "a2.jpg", "b1.png"):
            cv2.imwrite(str(tmp_path / name), picture(1))
        assert [frame.name for frame in read(str(tmp_path / "a*"))[1]] == ["a1.png", "a2.jpg"]

    def test_one_image(self, tmp_path):
        path = tmp_path / "über 7.png"
        cv2.imencode(".png", picture(7))[1].tofile(path)
        info, frames, _ = read(path)
        assert indices(frames) == [7]
        assert (info.name, info.width, info.height) == ("über 7.png", 96, 64)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_exif_orientation_is_respected(self, tmp_path, orientation):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = picture(3)
        Image.fromarray(image[..., ::-1].copy()).save(tmp_path / "a.jpg", exif=exif, quality=95)
        frame = read(tmp_path / "a.jpg")[1][0].image
        turned = {
            1: image,
            2: np.fliplr(image),
            3: np.rot90(image, 2),
            4: np.flipud(image),
            5: image.transpose(1, 0, 2),
            6: np.rot90(image, -1),
            7: np.rot90(image, 2).transpose(1, 0, 2),
            8: np.rot90(image),
        }[orientation]
        assert frame.shape == turned.shape
        assert np.abs(frame.astype(int) - turned).mean() < 4

    def test_an_unreadable_one_is_left_out_with_a_warning(self, tmp_path):
        for i in range(3):
            cv2.imwrite(str(tmp_path / f"{i}.png"), picture(i))
        (tmp_path / "1.png").write_bytes(b"not a picture")
        (tmp_path / "3.png").write_bytes(b"")
        _, frames, warnings = read(tmp_path)
        assert indices(frames) == [0, 2]
        assert [frame.index for frame in frames] == [0, 1]
        assert warnings == ["1.png cannot be read as an image: left out", "3.png is empty: left out"]

    def test_no_image_at_all(self, tmp_path):
        with pytest.raises(SepcamError, match="has no images"):
            open_source(tmp_path)
        (tmp_path / "a.png").write_bytes(b"x")
        (tmp_path / "b.png").write_bytes(b"x")
        with pytest.raises(SepcamError, match="none of the 2 images"):
            open_source(tmp_path)
        with pytest.raises(SepcamError, match=r"a\.png cannot be read as an image$"):
            open_source(tmp_path / "a.png")

    @given(st.lists(st.integers(0, 10**6), unique=True))
    def test_numbers_in_names_sort_by_value(self, numbers):
        from pathlib import Path

        paths = [Path(f"shot_{n}.png") for n in numbers]
        assert [p.name for p in sorted(paths, key=natural_key)] == [f"shot_{n}.png" for n in sorted(numbers)]


class TestSynthetic:
    @given(st.integers(0, 2**24 - 1), st.integers(64, 2000))
    def test_a_stamp_can_be_read_back(self, index, width):
        image = np.full((48, width, 3), 130, np.uint8)
        stamp_index(image, index)
        assert read_index(image) == index

    def test_its_specification(self):
        info = open_source("synthetic:320x240@29.97x40").info
        assert (info.width, info.height, info.fps, info.frame_count) == (320, 240, 29.97, 40)
        info = open_source("synthetic").info
        assert (info.width, info.height, info.fps, info.frame_count) == (640, 480, 30, 300)

    def test_its_figures_move(self):
        _, frames, _ = read("synthetic:320x240@10", limit=11)
        assert np.any(frames[0].image[80:] != frames[10].image[80:])
        assert len(frames) == 11


class TestCamerasAndStreams:
    @pytest.mark.parametrize("spec", [97, "97", "/dev/video97"])
    def test_a_camera_that_is_not_there(self, spec):
        with pytest.raises(SepcamError, match="camera 97"):
            open_source(spec)

    @pytest.mark.parametrize("address", ["http://127.0.0.1:9/a.mp4", "rtsp://127.0.0.1:9/a"])
    def test_an_address_that_nobody_answers(self, address):
        with pytest.raises(SepcamError, match=r"cannot be reached.*refused"):
            open_source(address)

    def test_a_file_behind_an_address_is_a_file(self, tmp_path):
        write_clip(tmp_path / "a.mp4", frames=20)
        with served(files_in(tmp_path)) as address:
            info, frames, warnings = read(f"{address}/a.mp4")
        assert indices(frames) == list(range(20))
        assert (info.live, info.frame_count, warnings) == (False, 20, [])

    def test_a_stream_without_an_end_is_live(self):
        with served(MotionJpeg) as address:
            info, frames, warnings = read(f"{address}/camera")
        assert info.live
        assert indices(frames) == list(range(MotionJpeg.FRAMES))
        assert np.diff([frame.time_s for frame in frames]).min() >= 0
        assert "the stream ended after" in warnings[0]
