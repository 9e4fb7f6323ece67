"""A live session shows the newest picture, follows its switches on the next frame, and always ends.

Its detector finds the white square that its source draws, so that only the session is under test; the tests
of the window run the real networks.
"""

import gc
import json
import threading
import time
from dataclasses import replace
from itertools import islice, pairwise

import av
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.types import Detections
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.analytics.zones import parse_zone
from sepcam.pipelines.drawing.options import DrawOptions
from sepcam.pipelines.execution.network_pool import NetworkPool
from sepcam.pipelines.live.adaptive_quality import Quality
from sepcam.pipelines.live.analysis import LiveAnalysis, choice_for
from sepcam.pipelines.live.meter import LiveMeter
from sepcam.pipelines.live.recordings import Recordings
from sepcam.pipelines.live.session import LiveSession
from sepcam.pipelines.live.settings import LiveSettings, Switches
from sepcam.pipelines.live.view import LiveDrawing
from sepcam.pipelines.sinks.base import Sink
from sepcam.pipelines.sinks.fan_out import FanOut
from sepcam.pipelines.sinks.formats.jsonl import JsonlSink
from sepcam.pipelines.sources.realtime import PacedSource
from sepcam.pipelines.sources.reconnecting import ReconnectingSource
from sepcam.pipelines.sources.synthetic import read_index
from sepcam.pipelines.types import Frame, FrameResult, Instances, StreamInfo

from tests.walkers import KEYPOINTS, SIZE, CenterPose, Clock, SquareDetector, square_picture

PATIENCE_S = 30


class Squares(SquareDetector):
    """Finds the square below the stamp."""

    def detect(self, image):
        below = image.copy()
        below[:16] = 0
        return super().detect(below)


class Slow(Squares):
    """Takes its time over it."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def detect(self, image):
        time.sleep(self.seconds)
        return super().detect(image)


def pool_of(**detectors):
    """A pool whose detectors are given by name, or by ``standard`` for the other backbone."""

    def load(name, backbone, size, masks):
        found = detectors.get("standard" if backbone == "standard" else name, Squares())
        if isinstance(found, Exception):
            raise found
        return found() if isinstance(found, type) else found

    return NetworkPool(load, lambda *key: CenterPose())


class Cars(Squares):
    """Knows the square as a car, class 2 of many."""

    name, labels = "cars", ("person", "bicycle", "car", "truck")

    def detect(self, image):
        found = super().detect(image)
        return replace(found, labels=np.full(len(found), 2, np.int64))


class Reversed(Squares):
    """Has its classes in another order."""

    name, labels = "reversed", ("dog", "person")

    def detect(self, image):
        found = super().detect(image)
        return replace(found, labels=np.ones(len(found), np.int64))


class Blind(Squares):
    """Knows only people, and finds nobody."""

    name, labels = "blind", ("person",)

    def detect(self, image):
        return Detections.empty()


class OnePass(Squares):
    """Finds keypoints itself: five of them, joined in another way."""

    name, parts = "one-pass", frozenset(("pose",))
    keypoint_names = ("nose", "left_hand", "right_hand", "left_foot", "right_foot")
    skeleton = ((0, 3), (0, 4), (1, 4))

    def detect(self, image):
        found = super().detect(image)
        middle = found.boxes.reshape(-1, 2, 2).mean(1)
        points = np.concatenate([middle, np.ones((len(found), 1))], 1).astype(np.float32)
        return replace(found, keypoints=np.repeat(points[:, None], 5, axis=1))


@pytest.fixture
def session_of():
    """Starts a session; all are stopped at the end, and leave no thread behind."""
    sessions = []

    def start(source, pool=None, *, settings=None, **options):
        session = LiveSession(
            source
            if isinstance(source, ReconnectingSource | PacedSource)
            else ReconnectingSource(lambda: source),
            pool or pool_of(),
            settings or LiveSettings("squares", hud="off"),
            **{"prepare_ahead": False, "target_fps": 0, **options},
        )
        sessions.append(session)
        session.start()
        return session

    yield start
    for session in sessions:
        session.stop()
    gc.collect()
    assert [t.name for t in threading.enumerate() if t.name.startswith("sepcam-")] == []


def shots(session, after=0):
    """The pictures that a viewer sees."""
    while (shot := session.wait(after, PATIENCE_S)) is not None:
        after = shot.number
        session.shown(shot)
        yield shot


def until(session, condition):
    """The first picture of which something holds."""
    give_up = time.monotonic() + PATIENCE_S
    for shot in shots(session):
        if condition(shot):
            return shot
        assert time.monotonic() < give_up
    raise AssertionError(f"the session ended: {session.error!r}")


def test_pictures_come_in_order_and_have_everything_that_was_found(session_of):
    seen = list(islice(shots(session_of(Clock())), 8))
    assert [a.number < b.number for a, b in pairwise(seen)] == [True] * 7
    assert seen[-1].result.instances.track_ids is not None
    assert seen[-1].result.instances.keypoints is not None
    assert seen[-1].image is seen[-1].result.frame.image


def test_a_slow_viewer_gets_the_newest_picture_and_holds_up_nobody(session_of):
    session = session_of(Clock(fps=100))
    first = session.wait(0, PATIENCE_S)
    others = [shot.number for shot in islice(shots(session), 30)]
    late = session.wait(first.number, PATIENCE_S)
    assert late.number >= others[-1]


def test_times_count_from_the_first_frame(session_of):
    first = session_of(Clock()).wait(0, PATIENCE_S)
    assert first.result.frame.time_s < 1.0


def test_a_task_is_switched_on_the_next_frame(session_of):
    session = session_of(Clock())
    until(session, lambda shot: shot.result.instances.keypoints is not None)
    session.change(tasks=frozenset({"track"}))
    shot = until(session, lambda shot: shot.result.instances.keypoints is None)
    assert shot.result.instances.masks is None
    assert shot.result.instances.track_ids is not None


def test_the_picture_goes_on_while_the_other_backbone_is_prepared(session_of):
    gate, ready = threading.Event(), Slow()

    def loading(name, backbone, size, masks):
        if backbone == "standard":
            assert gate.wait(PATIENCE_S)
            return ready
        return Squares()

    session = session_of(Clock(), NetworkPool(loading, lambda *key: CenterPose()))
    ids = until(session, lambda shot: len(shot.result.instances) == 1).result.instances.track_ids
    session.change(backbone="standard")
    waiting = until(session, lambda shot: shot.status.preparing)
    assert waiting.status.preparing == ("the standard backbone",)
    later = until(session, lambda shot: shot.number > waiting.number + 10)
    assert later.status.active.backbone == "separable"
    gate.set()
    switched = until(
        session, lambda shot: shot.status.active.backbone == "standard" and len(shot.result.instances)
    )
    assert switched.result.instances.track_ids.tolist() == ids.tolist()


def test_both_backbones_are_compared_once_both_have_run(session_of):
    session = session_of(Clock(fps=60), pool_of(standard=Slow(0.05)), options=AnalysisOptions(detect_every=1))
    until(session, lambda shot: "separable" in shot.status.figures.model_fps)
    assert session.status().figures.comparison() is None
    session.change(backbone="standard")
    shot = until(session, lambda shot: (shot.status.figures.comparison() or "").endswith("x"))
    line = shot.status.figures.comparison()
    assert line.startswith("separable ") and " FPS · standard " in line
    # Other work per frame: what was measured compares with nothing any more.
    session.change(tasks=frozenset({"track"}))
    until(session, lambda shot: shot.result.instances.keypoints is None)
    assert "separable" not in session.status().figures.model_fps


def test_a_duel_is_prepared_beside_the_video_measured_and_then_raced(session_of):
    gate = threading.Event()

    def loading(name, backbone, size, masks):
        if backbone == "standard":
            assert gate.wait(PATIENCE_S)
            return Slow(0.05)
        return Slow(0.005)

    session = session_of(Clock(fps=100), NetworkPool(loading, lambda *key: CenterPose()))
    with pytest.raises(SepcamError, match="there is no duel with a result"):
        session.duel.card()
    session.duel.begin(0.2)
    waiting = until(session, lambda shot: shot.status.duel.state == "preparing")
    later = until(session, lambda shot: shot.number > waiting.number + 5)
    assert not later.duel  # the video continues
    gate.set()
    running = until(session, lambda shot: shot.duel)
    assert running.image.shape[1] > 2 * 600 and not len(running.result.instances)
    assert session.follow_at(10, 10) is None
    done = until(session, lambda shot: shot.status.duel.state == "done")
    assert done.image.shape == running.image.shape
    result = session.status().duel.result
    assert result is not None and set(result.sides) == {"separable", "standard"}
    assert 0 < result.ratio.low <= result.ratio.median <= result.ratio.high
    raced = [shot.image for shot in islice(shots(session, done.number), 12)]
    assert not np.array_equal(raced[0], raced[-1])
    assert session.status().duel.result is result  # it stays
    assert json.loads(session.duel.card().json())["frames"] == result.frames
    assert json.dumps(session.status().to_json())
    session.duel.end()
    assert until(session, lambda shot: not shot.duel).image.shape[1] == SIZE[0]
    assert session.status().duel.state == "off"


def test_a_duel_without_its_networks_is_called_off_with_a_word(session_of):
    session = session_of(Clock(), pool_of(standard=SepcamError("standard is unavailable")))
    session.duel.begin()
    shot = until(session, lambda shot: shot.status.message)
    assert shot.status.message == "no duel: standard is unavailable"
    assert session.duel.status().state == "off"


def test_nothing_is_recorded_during_a_duel(session_of, tmp_path):
    session = session_of(Clock(fps=60))
    until(session, lambda shot: True)
    session.recordings.start(tmp_path / "all.mp4")
    until(session, lambda shot: shot.number > 6)
    session.duel.begin(0.1)
    until(session, lambda shot: shot.status.duel.state == "done")
    session.duel.end()
    number = until(session, lambda shot: not shot.duel).number
    until(session, lambda shot: shot.number > number + 4)
    session.recordings.stop()
    assert session.error is None
    with av.open(str(tmp_path / "all.mp4")) as container:
        assert {(frame.width, frame.height) for frame in container.decode(video=0)} == {SIZE}


def test_the_other_backbone_is_prepared_ahead_of_the_first_switch(session_of):
    loaded = threading.Event()

    class Telling(Squares):
        def __init__(self):
            loaded.set()

    session_of(Clock(fps=100), pool_of(standard=Telling), prepare_ahead=True)
    assert loaded.wait(PATIENCE_S)


def test_networks_that_cannot_be_had_are_told_and_the_old_ones_stay(session_of):
    session = session_of(Clock(), pool_of(missing=SepcamError("missing is unavailable")))
    session.change(detector="missing")
    shot = until(session, lambda shot: shot.status.message)
    assert shot.status.message == "missing is unavailable"
    assert session.settings.detector == "squares"


def test_an_identity_keeps_its_class_when_the_detector_is_switched(session_of):
    """Another detector may know other classes, in another order: tracks are followed by name."""
    session = session_of(Clock(), pool_of(reversed=Reversed, cars=Cars, blind=Blind))
    classes: dict[int, str] = {}
    for detector in ("squares", "reversed", "cars", "blind", "squares", "cars", "reversed"):
        session.change(detector=detector)
        until(session, lambda shot, name=detector: shot.result.model.detector == name)
        for shot in islice(shots(session, session.wait(0).number), 8):
            found = shot.result.instances
            assert found.names == shot.result.model.labels
            for number, label in zip(found.track_ids.tolist(), found.labels.tolist(), strict=True):
                assert classes.setdefault(number, found.names[label]) == found.names[label]
    assert session.error is None
    assert classes[1] == "person"
    assert set(classes.values()) == {"person", "car"}


def test_a_person_keeps_the_identity_when_the_other_detector_has_other_class_numbers(session_of):
    session = session_of(Clock(), pool_of(reversed=Reversed))
    before = until(session, lambda shot: len(shot.result.instances) == 1).result.instances
    session.change(detector="reversed")
    after = until(
        session,
        lambda shot: shot.result.model.detector == "reversed" and len(shot.result.instances),
    ).result.instances
    assert (before.labels.tolist(), after.labels.tolist()) == ([0], [1])
    assert after.track_ids.tolist() == before.track_ids.tolist()


@pytest.mark.parametrize("tasks", [frozenset({"track", "pose"}), frozenset({"track", "pose", "segment"})])
def test_networks_with_other_keypoints_can_be_switched_to_and_back(session_of, tasks):
    session = session_of(
        Clock(fps=60), pool_of(onepass=OnePass), settings=LiveSettings("squares", tasks=tasks)
    )
    for detector, count in (("onepass", 5), ("squares", KEYPOINTS)) * 3:
        session.change(detector=detector)
        shot = until(
            session,
            lambda shot, count=count: (
                len(shot.result.instances) and shot.result.instances.keypoints.shape[1] == count
            ),
        )
        model = shot.result.model
        assert len(model.keypoint_names) == count
        assert max(max(pair) for pair in model.skeleton) < count
    assert session.error is None


def test_a_frame_is_drawn_with_the_skeleton_that_it_was_analyzed_with():
    """While a frame waits for its drawing, the networks may be switched."""
    switches = Switches(LiveSettings("onepass", tasks=frozenset({"track", "pose"})))
    pool = pool_of(onepass=OnePass)
    analysis, drawing = LiveAnalysis(pool, switches, LiveMeter()), LiveDrawing(DrawOptions())
    waiting = [analysis.analyze(0.0, frame) for frame in islice(Clock(fps=1000), 4)]
    switches.change(detector="squares")
    pool.wait(choice_for(switches.settings, Quality()))
    later = analysis.analyze(0.0, next(iter(Clock())))
    assert later.result.model != waiting[-1].result.model
    for analyzed in [later, *waiting, later]:
        drawing.draw(analyzed)
    pool.close()


def test_confidence_is_switched_and_identities_are_kept(session_of):
    session = session_of(Clock())
    ids = until(session, lambda shot: len(shot.result.instances) == 1).result.instances.track_ids
    session.change(conf=0.5)
    now = session.wait(0).number
    later = until(session, lambda shot: shot.number > now + 5)
    assert later.result.instances.track_ids.tolist() == ids.tolist()


@pytest.mark.parametrize("conf", [-0.1, 1.1])
def test_a_confidence_out_of_range_is_refused(conf):
    with pytest.raises(ValueError, match="conf must lie between 0 and 1"):
        LiveSettings("squares", conf=conf)


def test_a_click_follows_a_person_and_dims_the_rest(session_of):
    session = session_of(Clock())
    shot = until(session, lambda shot: len(shot.result.instances) == 1)
    x, y = shot.result.instances.boxes[0].reshape(2, 2).mean(0)
    track_id = session.follow_at(x, y)
    assert track_id == shot.result.instances.track_ids[0]
    dimmed = until(session, lambda shot: shot.image[200:, 200:].max() < 40)  # the ground has 60
    box = dimmed.result.instances.boxes[0].astype(int)
    assert dimmed.image[box[1] + 5 : box[3] - 5, box[0] + 3 : box[2] - 3].max() > 200
    assert session.follow_at(300, 230) is None
    until(session, lambda shot: shot.image[200:, 200:].max() == 60)


def test_people_are_hidden_from_the_first_picture_on(session_of):
    """The square is hidden also in frames in which it has no identity yet."""
    session = session_of(Clock(), settings=LiveSettings("squares", hud="off", blur="people"))
    for shot in islice(shots(session), 10):
        square = shot.image[20:44]
        # Of the sharp edges of the white square nothing is left.
        assert int((square.min(axis=2) > 250).sum()) < 12 * 24


def test_a_pause_holds_the_picture_and_the_newest_one_comes_after_it(session_of):
    camera = Clock(fps=60)
    session = session_of(camera)
    session.wait(0, PATIENCE_S)
    session.pause()
    assert session.notice() == "paused"
    number = session.wait(0).number
    while (late := session.wait(number, 1.0)) is not None:  # on its way at the pause
        number = late.number
    resumed_ms = camera.now_ms()
    session.pause(False)
    # A second has passed since the pause: what comes now is not from then.
    assert read_index(session.wait(number, PATIENCE_S).image) >= resumed_ms - 500


def test_a_camera_that_returns_goes_on_with_the_same_identities(session_of):
    cameras = [Clock(frames=20), Clock()]
    away = threading.Event()

    def connect():
        if len(cameras) == 1 and not away.is_set():
            raise SepcamError("it is away")
        return cameras.pop(0)

    source = ReconnectingSource(connect, waits_s=(0.02,))
    session = session_of(source)
    before = until(session, lambda shot: len(shot.result.instances) == 1).result.instances.track_ids
    give_up = time.monotonic() + PATIENCE_S
    while not (notice := session.notice()) or not notice.startswith("reconnecting ("):
        assert time.monotonic() < give_up
        time.sleep(0.005)
    last = session.wait(0)
    away.set()
    after = until(session, lambda shot: shot.number > last.number + 3 and len(shot.result.instances))
    assert session.notice() is None
    assert after.result.instances.track_ids.tolist() == before.tolist()


def analyzed(frames):
    """The identities in the last of these frames, by the analysis of a live session."""
    pool = pool_of()
    analysis = LiveAnalysis(pool, Switches(LiveSettings("squares")), LiveMeter(), fps=30)
    ids = [analysis.analyze(0.0, frame).result.instances.track_ids.tolist() for frame in frames]
    pool.close()
    return ids


def standing(times, sequence=0):
    """The square stands still while these times pass."""
    return [Frame(square_picture(0, SIZE), k, time_s, sequence=sequence) for k, time_s in enumerate(times)]


@pytest.mark.parametrize(
    ("gap_s", "after"), [(0.3, 1), (1.5, 1), (2.5, 2), (300.0, 2)], ids=["0.3 s", "1.5 s", "2.5 s", "5 min"]
)
def test_after_a_long_gap_whoever_stands_there_is_somebody_new(gap_s, after):
    begin = [k / 30 for k in range(10)]
    ids = analyzed(standing([*begin, *(begin[-1] + gap_s + time_s for time_s in begin)]))
    assert (ids[9], ids[-1]) == ([1], [after])


def test_a_camera_that_is_always_slow_keeps_identities():
    assert analyzed(standing(3.0 * k for k in range(12)))[-1] == [1]


def test_each_pass_through_a_looping_file_has_identities_of_its_own():
    begin = [k / 30 for k in range(10)]
    ids = analyzed([*standing(begin), *standing([1 / 3 + time_s for time_s in begin], sequence=1)])
    assert (ids[9], ids[-1]) == ([1], [2])


class Film:
    """A file of 12 frames, 0.3 s, in which the square stands still."""

    def __init__(self):
        self.info, self.warnings = StreamInfo("film", *SIZE, 40.0, frame_count=12), []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __iter__(self):
        return iter(standing(k / 40 for k in range(12)))

    def close(self):
        pass


class Kept(Sink):
    """Keeps every result."""

    def __init__(self):
        self.results = []

    def write(self, result, image=None):
        self.results.append(result)

    def close(self, summary):
        pass

    def abort(self):
        pass


def test_a_looping_file_numbers_people_from_1_each_time_while_nothing_is_kept(session_of):
    told = []
    session = session_of(
        PacedSource(Film, loop=True), on_event=lambda event: told.append((event.kind, event.track_id))
    )
    first = until(session, lambda shot: len(shot.result.instances))
    session.change(follow=1)
    last = until(
        session,
        lambda shot: shot.result.frame.sequence > first.result.frame.sequence and len(shot.result.instances),
    )
    assert last.result.instances.track_ids.tolist() == [1]
    assert session.settings.follow is None  # it was somebody of the pass before
    assert told[:3] == [("enter", 1), ("leave", 1), ("enter", 1)]


def test_while_something_is_kept_an_identity_is_one_person_in_every_pass(session_of):
    session = session_of(PacedSource(Film, loop=True))
    sink = Kept()
    recorder = FanOut([sink])
    session.recordings.attach(recorder)
    begun = until(session, lambda shot: len(shot.result.instances)).result.frame.sequence
    until(session, lambda shot: shot.result.frame.sequence > begun + 2)
    session.recordings.detach(recorder)
    passes = {}
    for result in sink.results:
        for number in result.instances.track_ids.tolist():
            passes.setdefault(number, set()).add(result.frame.sequence)
    assert len(passes) > 1
    assert [len(sequences) for sequences in passes.values()] == [1] * len(passes)
    assert until(session, lambda shot: 1 in shot.result.instances.track_ids)


def test_a_recorder_gets_no_frame_from_before_identities_began_again():
    frames = [Frame(square_picture(0, SIZE), k, k / 30, sequence=k // 3) for k in range(6)]
    recordings, sink = Recordings(Clock().info, print), Kept()
    assert recordings.begin_again(1)
    recordings.attach(FanOut([sink]))
    for frame in frames:
        recordings.write(FrameResult(frame, Instances.empty(SIZE[::-1])))
    assert [result.frame.index for result in sink.results] == [3, 4, 5]
    assert not recordings.begin_again(2)


def test_a_camera_that_stays_away_ends_the_session_with_the_reason(session_of):
    cameras = [Clock(frames=5)]

    def connect():
        if not cameras:
            raise SepcamError("it is away")
        return cameras.pop(0)

    session = session_of(ReconnectingSource(connect, timeout_s=0.1, waits_s=(0.02,)))
    list(shots(session))
    assert session.ended
    assert isinstance(session.error, SepcamError)
    assert "did not come back" in str(session.error)


def test_an_error_in_the_analysis_ends_the_session_and_is_kept(session_of):
    class Broken(Squares):
        def detect(self, image):
            if image.shape[:2] == SIZE[::-1]:
                raise OSError("broken")
            return Detections.empty()

    session = session_of(Clock(), pool_of(squares=Broken()))
    list(shots(session))
    assert isinstance(session.error, OSError)


def test_a_recording_plays_in_real_time_and_the_results_beside_it_begin_at_zero(session_of, tmp_path):
    session = session_of(Clock(fps=30), pool_of(squares=Slow(0.05)))
    results = FanOut([JsonlSink(tmp_path / "out.jsonl", session.info, {})])
    session.recordings.attach(results)
    session.recordings.start(tmp_path / "out.mp4")
    assert session.recordings.video == tmp_path / "out.mp4"
    begun = time.monotonic()
    written = sum(1 for _ in islice(shots(session), 25))
    lasted = time.monotonic() - begun
    assert session.recordings.stop() == tmp_path / "out.mp4"
    session.recordings.detach(results)
    assert session.recordings.video is None
    with av.open(str(tmp_path / "out.mp4")) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    assert len(times) >= written - 1
    assert times[0] == 0
    assert times[-1] == pytest.approx(lasted, rel=0.35)  # far from what 25 frames take at the camera's 30 FPS
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    frames = [line for line in lines if line["type"] == "frame"]
    assert lines[0]["type"] == "header" and lines[-1]["type"] == "summary"
    assert frames[0]["time_s"] < 2 * lasted
    assert np.diff([frame["time_s"] for frame in frames]).min() > 0


def test_two_recordings_one_after_the_other(session_of, tmp_path):
    session = session_of(Clock(fps=60))
    for name in ("a.mp4", "b.mp4"):
        session.recordings.start(tmp_path / name)
        with pytest.raises(SepcamError, match="is being recorded"):
            session.recordings.start(tmp_path / "c.mp4")
        number = session.wait(0, PATIENCE_S).number
        until(session, lambda shot, number=number: shot.number > number + 5)
        session.recordings.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_what_cannot_be_written_any_more_stops_and_the_picture_goes_on(session_of):
    class FullDisk(Sink):
        aborted = False

        def write(self, result, image=None):
            raise SepcamError("the disk is full")

        def close(self, summary):
            raise AssertionError("it was given up")

        def abort(self):
            self.aborted = True

    session = session_of(Clock())
    sink = FullDisk()
    session.recordings.attach(FanOut([sink]))
    shot = until(session, lambda shot: shot.status.message)
    assert shot.status.message == "the disk is full"
    assert sink.aborted
    assert session.recordings.failures == ["the disk is full"]
    until(session, lambda later: later.number > shot.number + 3)


def test_stopping_completes_what_is_being_recorded(session_of, tmp_path):
    session = session_of(Clock(fps=60))
    session.recordings.start(tmp_path / "out.mp4")
    until(session, lambda shot: shot.number > 5)
    session.stop()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 3


def test_events_and_counts(session_of):
    told = []
    session = session_of(
        Clock(fps=40, step=1),
        zones=[parse_zone("60,0,60,239", "line"), parse_zone("80,0,319,0,319,239,80,239", "zone")],
        on_event=lambda event: told.append((event.kind, event.track_id)),
    )
    # The square starts again at the left now and then, so both happen sooner or later.
    shot = until(session, lambda shot: all(count.first + count.second for count in shot.status.counts))
    assert [str(count).split(":")[0] for count in shot.status.counts] == ["line 1", "zone 1"]
    assert {kind for kind, _ in told} >= {"enter", "line", "zone"}
    session.stop()
    assert told[-1][0] == "leave"


def test_a_zone_outside_the_frame_is_refused_and_the_source_closed():
    camera = Clock()
    with pytest.raises(SepcamError, match="lies outside the frame"):
        LiveSession(
            ReconnectingSource(lambda: camera),
            pool_of(),
            LiveSettings("squares"),
            zones=[parse_zone("0,0,9999,9999", "line")],
        )
    assert camera._closed.is_set()


def test_a_slow_machine_does_less_says_so_and_keeps_the_picture_moving(session_of):
    settings = LiveSettings("squares", hud="full")
    session = session_of(
        Clock(fps=30),
        pool_of(squares=Slow(0.06)),
        settings=settings,
        target_fps=None,
        options=AnalysisOptions(detect_every=1),
    )
    shot = until(session, lambda shot: shot.status.quality)
    assert shot.status.quality.startswith("detecting every")


def test_the_read_out_can_be_switched_off_and_on(session_of):
    session = session_of(Clock())
    plain = until(session, lambda shot: shot.number > 3).image
    session.change(hud="full")

    def darker(shot):
        """Whether a corner, whichever is the emptiest, is."""
        height, width = plain.shape[0] // 3, plain.shape[1] // 3
        rows, columns = (slice(height), slice(-height, None)), (slice(width), slice(-width, None))
        return any(shot.image[y, x].mean() < 0.9 * plain[y, x].mean() for y in rows for x in columns)

    until(session, darker)


def test_the_status_is_json(session_of):
    session = session_of(Clock(), settings=LiveSettings("squares", hud="full"))
    until(session, lambda shot: shot.number > 5)
    status = json.loads(json.dumps(session.status().to_json()))
    assert status["detector"] == "squares"
    assert status["backbone"] == "separable"
    assert status["tasks"] == ["track", "pose", "segment"]
    assert status["shown_fps"] > 0 and status["camera_fps"] > 0
    assert status["latency_ms_p95"] >= status["latency_ms_p50"] > 0
