"""A camera or a stream that stops is opened again, as often as it takes, and goes on where it was."""

import threading
import time
from collections.abc import Iterator
from itertools import islice

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sources.open_live import open_live
from sepcam.pipelines.sources.reconnecting import ReconnectingSource
from sepcam.pipelines.sources.synthetic import read_index
from sepcam.pipelines.types import Frame, StreamInfo

from tests.clips import picture
from tests.streams import NetworkCamera

PATIENCE_S = 30
AT_ONCE = (0.0,)


class Camera:
    """Gives some frames of a size, then stops."""

    def __init__(self, frames=3, size=(96, 64), fails=None):
        self.info = StreamInfo("camera", *size, 30.0)
        self.warnings: list[str] = []
        self.frames, self.size, self.fails = frames, size, fails
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.frames):
            yield Frame(picture(index, self.size), index, time.monotonic())
        if self.fails:
            raise SepcamError(self.fails)
        self.warnings.append("the camera stopped")

    def close(self):
        self.closed = True


def connecting(*cameras):
    """Opens one camera after the other; an error in place of one is raised."""
    left = list(cameras)

    def connect():
        if not left:
            raise SepcamError("camera 0 does not exist")
        camera = left.pop(0)
        if isinstance(camera, Exception):
            raise camera
        return camera

    return connect


def taken(source, count):
    return list(islice(source, count))


@pytest.mark.parametrize("fails", [None, "the driver gave up"])
def test_it_goes_on_when_the_camera_returns(fails):
    first, second = Camera(fails=fails), Camera()
    missing = SepcamError("camera 0 does not exist")
    source = ReconnectingSource(connecting(first, missing, missing, second), waits_s=AT_ONCE)
    frames = taken(source, 6)
    assert [frame.index for frame in frames] == list(range(6))
    assert first.closed
    assert source.attempt == 0
    assert source.warnings == [f"{fails or 'the camera stopped'}; reconnecting"]


def test_another_size_is_fitted_into_the_first():
    source = ReconnectingSource(connecting(Camera(), Camera(size=(64, 96))), waits_s=AT_ONCE)
    frames = taken(source, 6)
    assert {frame.image.shape for frame in frames} == {(64, 96, 3)}
    assert (source.info.width, source.info.height) == (96, 64)
    assert not frames[-1].image[:, :10].any()  # upright in a wide picture: black at its sides
    assert frames[-1].image[:, 40:56].any()


def test_the_number_of_the_attempt_is_told():
    seen = []
    connect = connecting(Camera(1), *[SepcamError("away")] * 3, Camera(1))
    source = None

    def noting():
        if source is not None:
            seen.append(source.attempt)
        return connect()

    source = ReconnectingSource(noting, waits_s=AT_ONCE)
    taken(source, 2)
    assert seen == [1, 2, 3, 4]


def test_after_the_timeout_it_gives_up_and_says_why():
    source = ReconnectingSource(connecting(Camera()), timeout_s=0.2, waits_s=(0.05,))
    with pytest.raises(SepcamError, match=r"camera did not come back within 0\.2 s: camera 0 does not exist"):
        taken(source, 10)


def test_what_was_never_there_is_said_at_once():
    with pytest.raises(SepcamError, match="does not exist"):
        ReconnectingSource(connecting())


def test_closing_ends_the_wait():
    source = ReconnectingSource(connecting(Camera()), waits_s=(1000.0,))
    got: list[Frame] = []
    thread = threading.Thread(target=lambda: got.extend(source))
    thread.start()
    while source.attempt == 0 and thread.is_alive():
        time.sleep(0.005)
    source.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert len(got) == 3


def test_what_piled_up_before_the_first_look_is_left_out():
    class Unread(Camera):
        def __iter__(self):
            for index in range(60):
                time.sleep(0.5 if index >= 50 else 0)
                yield Frame(picture(index, self.size), index, time.monotonic())

    unread = Unread()
    unread.info = StreamInfo("camera", *unread.size, 2.0)
    source = ReconnectingSource(lambda: unread)
    time.sleep(0.6)  # networks are loaded
    frames = taken(source, 3)
    assert [read_index(frame.image) for frame in frames] == [50, 51, 52]
    assert [frame.index for frame in frames] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["mjpeg", "mpegts", "rtsp"])
def test_a_stream_that_is_killed_and_restarted_goes_on(kind):
    """A real stream on this machine; the second sender has another frame size."""
    first = NetworkCamera(kind, lambda number: picture(number, (320, 240)))
    with open_live(first.url, reconnect_timeout_s=PATIENCE_S) as source:
        assert isinstance(source, ReconnectingSource)
        frames = iter(source)
        before = [next(frames) for _ in range(5)]
        first.kill()
        with NetworkCamera(kind, lambda number: picture(number, (160, 120)), port=first.port):
            # What was sent before the end comes first.
            after = [next(frames) for _ in range(200) if not source.warnings]
            after += [next(frames) for _ in range(20)]
            source.close()
    indices = [frame.index for frame in before + after]
    assert indices == list(range(len(indices)))
    assert {frame.image.shape for frame in after} == {(240, 320, 3)}
    assert "reconnecting" in source.warnings[0]
