"""The pool gives out networks that are ready, and loads others beside whoever asks."""

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.types import Detections, OnePassNetwork, Poses
from sepcam.pipelines.execution.network_pool import NetworkChoice, NetworkPool
from sepcam.pipelines.execution.network_set import NetworkSet

from tests.walkers import CenterPose, SquareDetector, square_picture

PATIENCE_S = 20


class Loader:
    """Loads stand-ins while ``gate`` is open, and remembers what it loaded in which thread."""

    def __init__(self):
        self.gate, self.begun = threading.Event(), threading.Event()
        self.loaded: list[object] = []
        self.threads: set[str] = set()
        self.error: Exception | None = None

    def detector(self, *key):
        self.begun.set()
        assert self.gate.wait(PATIENCE_S)
        self.threads.add(threading.current_thread().name)
        self.loaded.append(key)
        if self.error:
            raise self.error
        return SquareDetector()

    def pose(self, *key):
        self.loaded.append(key)
        return CenterPose()


@pytest.fixture
def loader():
    return Loader()


@pytest.fixture
def pool(loader):
    pool = NetworkPool(loader.detector, loader.pose)
    yield pool
    loader.gate.set()
    assert pool.close(PATIENCE_S)


CHOICE = NetworkChoice("squares")


def test_asking_never_waits_and_begins_the_loading(pool, loader):
    assert pool.take(CHOICE) is None
    assert pool.preparing() == (CHOICE,)
    loader.gate.set()
    networks = pool.wait(CHOICE)
    assert pool.take(CHOICE) is networks
    assert pool.preparing() == ()
    assert loader.threads == {"sepcam-networks"}


def test_what_is_asked_for_twice_is_loaded_once(pool, loader):
    for _ in range(5):
        pool.take(CHOICE)
    loader.gate.set()
    pool.wait(CHOICE)
    assert loader.loaded == [("squares", "separable", None, True), ("separable", True)]


def test_another_form_of_the_pose_network_is_a_network_of_its_own(pool, loader):
    loader.gate.set()
    one = pool.wait(CHOICE)
    other = pool.wait(NetworkChoice("squares", parts=frozenset({"pose"})))
    assert other.detector is one.detector  # it may be at work: it is neither loaded nor run again
    assert other.pose is not one.pose
    assert loader.loaded == [("squares", "separable", None, True), ("separable", True), ("separable", False)]


def test_a_network_that_finds_masks_itself_is_loaded_without_them_where_none_are_wanted(loader):
    class OnePass(SquareDetector):
        keypoint_names = ("nose",)
        skeleton = ()

        def __init__(self, *key):
            loaded.append(key)
            self.parts = frozenset({"pose", "segment"} if key[-1] else {"pose"})

    loaded = []
    pool = NetworkPool(OnePass, loader.pose)
    assert pool.wait(CHOICE).detector.parts == {"pose", "segment"}
    assert pool.wait(NetworkChoice("squares", parts=frozenset({"pose"}))).detector.parts == {"pose"}
    assert loaded == [("squares", "separable", None, True), ("squares", "separable", None, False)]
    assert pool.close(PATIENCE_S)


def test_without_parts_there_is_no_pose_network(pool, loader):
    loader.gate.set()
    assert pool.wait(NetworkChoice("squares", parts=frozenset())).pose is None


def test_networks_loaded_elsewhere_are_used(pool, loader):
    given = NetworkSet(SquareDetector(), CenterPose())
    pool.add(CHOICE, given)
    taken = pool.take(CHOICE)
    assert (taken.detector.labels, taken.pose.skeleton) == (given.detector.labels, given.pose.skeleton)
    assert len(taken.detector.detect(square_picture(0))) == 1
    assert loader.loaded == []


def test_threads_that_share_a_network_take_turns(pool, loader):
    """A network keeps buffers between calls, so two calls at once would mix up their pictures."""

    class Exclusive(SquareDetector):
        busy = False
        parts = frozenset({"pose"})
        keypoint_names = ("nose",)
        skeleton = ((0, 0),)

        def detect(self, image):
            assert not self.busy
            self.busy = True
            time.sleep(0.002)
            self.busy = False
            return super().detect(image)

    pool.add(CHOICE, NetworkSet(Exclusive(), None))
    detector = pool.take(CHOICE).detector
    assert isinstance(detector, OnePassNetwork)
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda _: detector.detect(square_picture(0)), range(20)))
    assert [len(one) for one in found] == [1] * 20


@pytest.mark.parametrize("error", [SepcamError("it is unavailable"), RuntimeError("it is unavailable")])
def test_a_failure_is_reported_and_not_tried_again_at_once(error, loader):
    now = [0.0]
    pool = NetworkPool(loader.detector, loader.pose, retry_s=10, clock=lambda: now[0])
    loader.error = error
    loader.gate.set()
    with pytest.raises(SepcamError, match="it is unavailable"):
        pool.wait(CHOICE)
    now[0] = 9.0
    with pytest.raises(SepcamError, match="it is unavailable"):
        pool.take(CHOICE)
    assert len(loader.loaded) == 1
    assert pool.close(PATIENCE_S)


def test_a_network_that_could_not_be_loaded_is_tried_again_later(loader):
    """A download may fail because the network is away; that must not last until a restart."""
    now = [0.0]
    pool = NetworkPool(loader.detector, loader.pose, retry_s=10, clock=lambda: now[0])
    loader.error = SepcamError("the server cannot be reached")
    loader.gate.set()
    with pytest.raises(SepcamError, match="cannot be reached"):
        pool.wait(CHOICE)
    loader.error = None
    now[0] = 11.0
    assert pool.take(CHOICE) is None
    assert len(pool.wait(CHOICE).detector.detect(square_picture(0))) == 1
    assert pool.close(PATIENCE_S)


def test_whoever_waits_tries_again_at_once(pool, loader):
    loader.error = SepcamError("the server cannot be reached")
    loader.gate.set()
    with pytest.raises(SepcamError, match="cannot be reached"):
        pool.wait(CHOICE)
    loader.error = None
    assert pool.wait(CHOICE).detector.name == "squares"


def test_networks_that_nobody_uses_are_released_the_oldest_first(loader):
    loader.gate.set()
    pool = NetworkPool(loader.detector, loader.pose, resident=2)
    released = weakref.ref(pool.wait(NetworkChoice("a", "standard")).pose)
    for name in ("b", "c"):
        pool.wait(NetworkChoice(name))
    gc.collect()
    assert released() is None
    pool.wait(NetworkChoice("a", "standard"))
    assert [key[:2] for key in loader.loaded if len(key) == 4].count(("a", "standard")) == 2
    assert pool.close(PATIENCE_S)


def test_networks_at_work_are_never_loaded_a_second_time(loader):
    loader.gate.set()
    pool = NetworkPool(loader.detector, loader.pose, resident=1)
    at_work = pool.wait(NetworkChoice("a"))
    for name in ("b", "c", "d"):
        pool.wait(NetworkChoice(name))
    again = pool.take(NetworkChoice("a"))
    assert again is not None
    assert (again.detector, again.pose) == (at_work.detector, at_work.pose)
    assert pool.close(PATIENCE_S)


def test_networks_are_warmed_up_before_they_are_given_out(loader):
    calls = []

    class Cold(SquareDetector):
        def detect(self, image):
            calls.append("detect")
            return Detections.empty()

    class ColdPose(CenterPose):
        def estimate(self, image, rois, *, masks) -> Poses:
            calls.append((len(rois), masks))
            return super().estimate(image, np.asarray(rois), masks=masks)

    pool = NetworkPool(lambda *key: Cold(), lambda *key: ColdPose())
    pool.wait(CHOICE)
    assert calls == ["detect", (7, True)]
    assert pool.close(PATIENCE_S)


def test_a_closed_pool_loads_nothing_more(loader):
    pool = NetworkPool(loader.detector, loader.pose)
    pool.take(CHOICE)
    pool.take(NetworkChoice("squares", "standard"))
    assert loader.begun.wait(PATIENCE_S)
    assert not pool.close(0.0)  # one is being loaded
    loader.gate.set()
    assert pool.close(PATIENCE_S)
    assert [key[1] for key in loader.loaded if len(key) == 4] == ["separable"]
    with pytest.raises(SepcamError, match="stopped"):
        pool.wait(NetworkChoice("squares", "standard"))
