"""All sinks get the same frames, and the summary says what went into them."""

import sys
import threading
from types import MappingProxyType

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sinks.base import Sink
from sepcam.pipelines.sinks.fan_out import FanOut
from sepcam.pipelines.types import Frame, FrameResult, Instances, RunSummary

PICTURE = np.zeros((8, 8, 3), np.uint8)


class Notebook(Sink):
    """A sink that remembers what happened to it."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.frames: list[int] = []
        self.summary: RunSummary | None = None
        self.aborted = False
        self.fails_at = fails_at
        self.notices: list[str] = []

    def write(self, result, image=None):
        if result.frame.index == self.fails_at:
            raise SepcamError("the disk is full")
        self.frames.append(result.frame.index)

    def close(self, summary):
        self.summary = summary
        self.notices.append("closed")

    def abort(self):
        self.aborted = True


def result(index: int, ids: list[int] | None = None, labels: list[int] | None = None) -> FrameResult:
    count = len(ids or labels or [])
    found = Instances(
        size=(8, 8),
        boxes=np.zeros((count, 4), np.float32),
        scores=np.ones(count, np.float32),
        labels=np.array(labels or [0] * count, np.int64),
        names=("person", "dog"),
        track_ids=None if ids is None else np.array(ids, np.int64),
    )
    return FrameResult(Frame(PICTURE, index, index / 10), found, MappingProxyType({}))


def test_every_sink_gets_every_frame():
    sinks = [Notebook(), Notebook()]
    recorder = FanOut(sinks)
    for index in range(5):
        recorder.write(result(index), PICTURE)
    summary = recorder.finish(["cut"], complete=False)
    assert [sink.frames for sink in sinks] == [[0, 1, 2, 3, 4]] * 2
    assert sinks[0].summary is sinks[1].summary is summary
    assert (summary.frames, summary.warnings, summary.complete) == (5, ("cut",), False)
    assert summary.fps == pytest.approx(5 / summary.seconds)
    assert recorder.notices == ["closed", "closed"]


def test_people_are_counted_by_identity():
    recorder = FanOut([])
    for index, ids in enumerate([[1, 2], [2, 3], [3], []]):
        recorder.write(result(index, ids), PICTURE)
    recorder.write(result(4, [4, 5], [1, 0]), PICTURE)  # 4 is a dog
    assert recorder.finish().people == 4


def test_without_identities_people_are_the_most_in_one_frame():
    recorder = FanOut([])
    for index, labels in enumerate([[0], [0, 0, 1], [0, 1, 1]]):
        recorder.write(result(index, labels=labels), PICTURE)
    assert recorder.finish().people == 2


def test_stage_times_are_medians_within_a_percent():
    recorder = FanOut([])
    for milliseconds in (1, 2, 3, 40, 500):
        recorder.took("detect", milliseconds / 1e3)
    recorder.took("draw", 0.0)
    times = recorder.finish().stage_ms
    assert times["detect"] == pytest.approx(3, rel=0.01)
    assert times["draw"] == pytest.approx(0, abs=1e-3)


def test_a_sink_that_fails_says_so_to_the_writer():
    sinks = [Notebook(), Notebook(fails_at=1)]
    recorder = FanOut(sinks)
    recorder.write(result(0), PICTURE)
    with pytest.raises(SepcamError, match="disk is full"):
        recorder.write(result(1), PICTURE)
    recorder.abort()
    assert all(sink.aborted for sink in sinks)
    assert recorder.frames == 1


@pytest.mark.parametrize("end", ["finish", "abort"])
def test_nothing_is_written_after_the_end(end):
    sink = Notebook()
    recorder = FanOut([sink])
    getattr(recorder, end)()
    recorder.write(result(0), PICTURE)
    assert sink.frames == []


def test_the_end_waits_for_a_frame_that_is_being_written():
    writing, go_on = threading.Event(), threading.Event()

    class Slow(Notebook):
        def write(self, result, image=None):
            writing.set()
            assert go_on.wait(20)
            super().write(result)

        def close(self, summary):
            assert self.frames == [0]
            super().close(summary)

    sink = Slow()
    recorder = FanOut([sink])
    writer = threading.Thread(target=recorder.write, args=(result(0), PICTURE))
    writer.start()
    assert writing.wait(20)
    threading.Timer(0.05, go_on.set).start()
    assert recorder.finish().frames == 1
    writer.join(20)


def test_stages_may_report_while_others_read_the_totals():
    fan_out, interval = FanOut([]), sys.getswitchinterval()
    errors: list[Exception] = []

    def report() -> None:
        for number in range(3000):
            fan_out.took(f"stage {number}", 0.001)

    def read() -> None:
        try:
            while thread.is_alive():
                fan_out.counted()
        except RuntimeError as error:
            errors.append(error)

    thread, reader = threading.Thread(target=report), threading.Thread(target=read)
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        reader.start()
        thread.join()
        reader.join()
    finally:
        sys.setswitchinterval(interval)
    assert not errors
    assert len(fan_out.counted().stage_ms) == 3000
