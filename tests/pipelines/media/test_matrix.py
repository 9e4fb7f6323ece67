"""Every container and codec that PyAV writes is read with all frames, in order, at the times FFmpeg shows.

The pairs come from PyAV's own muxers and encoders, so a newer PyAV brings new ones. FFmpeg's times are
compared where its program is installed (`apt-get install ffmpeg`).
"""

import io
import shutil
import subprocess
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from av.codec import Codec
from av.error import FFmpegError
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sources.open import open_source
from sepcam.pipelines.sources.synthetic import read_index

from tests.clips import picture, usual_priority

FRAMES = 6
FPS = 25
FFMPEG = shutil.which("ffmpeg")

NO_FILES = {
    *("data", "rawvideo", "mkvtimestamp_v2", "a64"),  # bare data, of which nobody knows the codec or size
    *("asf_stream", "avm2", "smoothstreaming", "tee", "fifo", "null"),  # parts of a protocol
    *("segment", "stream_segment,ssegment", "hls", "dash", "hds", "webm_chunk"),  # many files
    *("crc", "framecrc", "framehash", "framemd5", "hash", "md5", "streamhash", "uncodedframecrc"),
    *("image2", "image2pipe", "ico", "mpjpeg", "webm_dash_manifest", "rtp", "rtp_mpegts", "ffmetadata"),
}
"""Muxers that write no video file."""

NO_ENCODERS = {"wrapped_avframe", "vnull", "alias_pix"}
HARDWARE = ("_amf", "_nvenc", "_qsv", "_v4l2m2m", "_vaapi", "_mf", "_videotoolbox", "_vulkan")

UNLISTED = {
    "mpegts": ("libx265", "mpeg1video", "mpeg2video", "mpeg4"),
    "mxf": ("libx264", "dnxhd", "prores", "dvvideo", "jpeg2000", "ffv1"),
    "mpeg": ("mpeg2video",),
    "vob": ("mpeg1video",),
}
"""Codecs of containers that list only their usual one."""

FFMPEG_CANNOT = {
    *(("wtv", codec) for codec in ("asv1", "asv2", "ffv1", "ffvhuff", "huffyuv", "utvideo", "wmv2", "zlib")),
    *(("wtv", "mjpeg"), ("mov", "rawvideo"), ("smjpeg", "mjpeg")),
}
"""Pairs that FFmpeg writes but cannot read: the container has no place for what the decoder needs."""

NOT_COMPARED = {
    *(("asf", "mpeg1video"), ("asf", "mpeg2video"), ("h261", "h261"), ("mxf", "libx264")),  # uneven times
    *(("flv", "libx265"), ("flv", "libvpx-vp9"), ("flv", "libsvtav1")),  # not before ffmpeg 6.1
}
"""Pairs that the program ffmpeg 5 shows wrongly: their frames follow each other evenly."""

UNEVEN = {*((name, "mpeg1video") for name in ("asf", "avi", "mpeg1video")), ("fits", "fits")}
"""Pairs whose containers store other times."""

SIZES = {"h261": (176, 144), "h263": (176, 144), "dvvideo": (720, 576), "dnxhd": (256, 128)}
OPTIONS = {
    "libx265": {"x265-params": "log-level=none"},
    "libvpx-vp9": {"cpu-used": "8"},
    "libsvtav1": {"preset": "12"},
    "dnxhd": {"profile": "dnxhr_lb"},
}
USUAL_FORMATS = ("yuvj420p", "yuv420p", "yuvj422p", "yuv422p", "yuv444p", "bgr24", "rgb24", "bgr0", "bgra")


@cache
def encoders():
    """Video encoders that run without special hardware, one for each name."""
    found = {}
    for name in sorted(av.codecs_available):
        try:
            codec = Codec(name, "w")
        except ValueError:
            continue
        if codec.type == "video" and not codec.name.endswith(HARDWARE) and codec.name not in NO_ENCODERS:
            found[codec.name] = codec
    return found


@cache
def codecs_of(container):
    """The encoders whose frames this container holds."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as output:
            supported = output.supported_codecs
    except (ValueError, FFmpegError):
        return []
    listed = [name for name, codec in encoders().items() if {name, codec.canonical_name} & supported]
    return sorted({*listed, *UNLISTED.get(container, ())} & encoders().keys())


def containers():
    """The muxers of video files."""
    found = []
    for name in sorted(av.formats_available - NO_FILES):
        try:
            if av.ContainerFormat(name, "w").is_output and codecs_of(name):
                found.append(name)
        except ValueError:
            continue
    return found


def write(path, container, encoder):
    """A clip of numbered frames; whether PyAV can write it."""
    formats = [f.name for f in encoders()[encoder].video_formats or []]
    size = SIZES.get(encoder, (64, 48))
    try:
        with usual_priority(), av.open(str(path), "w", format=container) as output:
            stream = output.add_stream(encoder, rate=FPS, options=OPTIONS.get(encoder, {}))
            stream.width, stream.height = size
            stream.pix_fmt = next((f for f in USUAL_FORMATS if f in formats), (*formats, "yuv420p")[0])
            for number in range(FRAMES):
                frame = av.VideoFrame.from_ndarray(picture(number, size), format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    except (FFmpegError, ValueError):
        return False
    return True


def times_by_ffmpeg(paths):
    """The times of the frames that ffmpeg decodes of each file, in seconds; none of what it cannot read."""
    inputs = [word for path in paths for word in ("-threads", "1", "-i", path)]
    maps = [word for number in range(len(paths)) for word in ("-map", f"{number}:v:0")]
    how = ("-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framecrc", "-")
    command = [FFMPEG, "-v", "error", "-nostdin", "-copyts", *inputs, *maps, *how]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:  # one of the files needs a newer program: the others are read without it
        half = len(paths) // 2
        return [*times_by_ffmpeg(paths[:half]), *times_by_ffmpeg(paths[half:])] if half else [[]]
    time_bases, times = {}, [[] for _ in paths]
    for line in ran.stdout.splitlines():
        if line.startswith("#tb"):
            number, _, time_base = line[4:].partition(": ")
            time_bases[int(number)] = Fraction(time_base)
        elif not line.startswith("#"):
            number, _, pts = line.split(",")[:3]
            times[int(number)].append(float(int(pts) * time_bases[int(number)]))
    return times


def start_s(path):
    """Where a file's video begins on the file's clock."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return max(0.0, float((stream.start_time or 0) * stream.time_base))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Every clip that PyAV can write and read, by container and encoder."""
    folder = tmp_path_factory.mktemp("matrix")
    written = {}
    for container in containers():
        suffix = min(av.ContainerFormat(container, "w").extensions, default=container)
        for encoder in codecs_of(container):
            path = folder / f"{container}-{encoder}.{suffix}"
            if (container, encoder) not in FFMPEG_CANNOT and write(path, container, encoder):
                written[container, encoder] = path
    return written


@pytest.fixture(scope="module")
def read(clips):
    """The times of each clip's frames, and what is wrong with them."""
    times, faults = {}, []
    for pair, path in clips.items():
        try:
            with open_source(path) as source:
                frames = list(source)
        except SepcamError as error:
            faults.append(f"{pair}: {error}")
            continue
        numbers = [read_index(frame.image) for frame in frames]
        if numbers != list(range(FRAMES)):
            faults.append(f"{pair}: has the frames {numbers}")
        warnings = [line for line in source.warnings if not line.startswith("it has no timestamps")]
        if warnings or source.info.frame_count not in (None, FRAMES):
            faults.append(f"{pair}: {source.info.frame_count} frames, {warnings}")
        times[pair] = [frame.time_s for frame in frames]
    return times, faults


def test_every_frame_is_read_once_and_in_order(read):
    times, faults = read
    assert not faults
    assert {"mp4", "mov", "matroska", "webm", "avi", "mpegts", "flv", "asf", "mxf", "gif"} <= {
        container for container, _ in times
    }


def test_frames_follow_each_other_evenly(read):
    uneven = {
        pair: times
        for pair, times in read[0].items()
        if pair not in UNEVEN and np.diff(times) != pytest.approx(1 / FPS, abs=0.011)
    }
    assert not uneven


@pytest.mark.skipif(not FFMPEG, reason="needs the program ffmpeg")
def test_times_are_those_of_ffmpeg(clips, read):
    pairs = [pair for pair in clips if pair not in NOT_COMPARED]
    for some in (pairs[start : start + 64] for start in range(0, len(pairs), 64)):
        for pair, theirs in zip(some, times_by_ffmpeg([clips[pair] for pair in some]), strict=True):
            expected = [time - start_s(clips[pair]) for time in theirs]
            assert not theirs or read[0][pair] == pytest.approx(expected, abs=1e-5), pair
