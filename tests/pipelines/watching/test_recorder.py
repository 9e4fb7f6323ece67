"""An event's clip begins before its rule held, and plays; a killed program leaves whole ones."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from sepcam.pipelines.sources.synthetic import read_index
from sepcam.pipelines.types import Frame, FrameResult, Instances, StreamInfo
from sepcam.pipelines.watching.keeping import Keeping
from sepcam.pipelines.watching.packets import PacketEncoder, PacketRing
from sepcam.pipelines.watching.recorder import EventRecorder
from sepcam.pipelines.watching.rules import parse_rule
from sepcam.pipelines.watching.store import EventStore

from tests.clips import picture

SIZE = (160, 96)
INFO = StreamInfo("yard", *SIZE, 10.0, live=True)
SOMEBODY = parse_rule("at least 1 person")
START_S = 1000.0


def result(index: int, *, somebody: bool, fps: float = 10.0) -> FrameResult:
    """A frame that bears its index."""
    found = Instances.empty(SIZE[::-1])
    if somebody:
        box = np.array([[10, 20, 40, 90]], np.float32)
        one = np.ones(1, np.int64)
        found = Instances(SIZE[::-1], box, np.ones(1, np.float32), 0 * one, ("person",), one)
    return FrameResult(Frame(picture(index, SIZE), index, START_S + index / fps), found)


def record(folder, frames, **options):
    """The events that a sequence of frames makes; with somebody in those that are given."""
    told: list[tuple[str, str]] = []
    store = EventStore(folder)
    total, seen = frames
    options = {"on_event": lambda state, event: told.append((state, event.id))} | options
    with EventRecorder(INFO, [SOMEBODY], store, **options) as recorder:
        for index in range(total):
            recorder.write(result(index, somebody=index in seen))
    return store, told


def indices(path) -> list[int]:
    """The indices that the frames of a clip bear, all decoded."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = [frame.time for frame in frames]
    assert times[0] == 0 and all(b > a for a, b in pairwise(times))
    return [read_index(frame.to_ndarray(format="bgr24")) for frame in frames]


def test_a_clip_begins_before_its_rule_held_and_ends_after_it(tmp_path):
    store, told = record(tmp_path, (300, range(120, 140)))
    (event,) = store.events()
    shown = indices(store.find(event.id) / "clip.mp4")
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert 120 - 60 <= shown[0] <= 120 - 50 and 139 + 50 <= shown[-1] <= 139 + 52
    assert 5 <= event.before_s <= 6 and event.seconds == pytest.approx(len(shown) / 10)
    assert told == [("begin", event.id), ("end", event.id)]
    assert (event.rule, event.zone, event.ids, event.source) == ("at least 1 person", "", (1,), "yard")
    facts = json.loads((tmp_path / event.id / "event.json").read_text())
    assert facts["format"] == "sepcam-event" and facts["time"].startswith(f"{event.id[:4]}-")
    thumbnail = cv2.imread(str(tmp_path / event.id / "thumbnail.jpg"))
    assert thumbnail.shape == (96, 160, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [event.id]


def test_a_clip_begins_with_the_source_where_that_is_younger(tmp_path):
    store, _ = record(tmp_path, (100, range(20, 22)))
    (event,) = store.events()
    assert indices(store.find(event.id) / "clip.mp4")[0] == 0
    assert event.before_s == pytest.approx(2.0)


def test_one_event_lasts_while_its_rule_holds_again_in_time(tmp_path):
    store, _ = record(tmp_path, (400, {50, 90, 130, 330}))
    late, early = store.events()
    assert indices(store.find(early.id) / "clip.mp4")[-1] in range(180, 183)
    assert indices(store.find(late.id) / "clip.mp4")[0] in range(270, 281)
    assert late.id != early.id


def test_an_event_that_does_not_end_is_cut(tmp_path):
    store, _ = record(tmp_path, (200, range(200)), most_s=6.0, before_s=2.0)
    clips = [indices(store.find(event.id) / "clip.mp4") for event in reversed(store.events())]
    assert len(clips) >= 3 and all(len(clip) <= 93 for clip in clips)
    assert all(second[0] <= first[-1] for first, second in pairwise(clips))
    assert clips[-1][-1] == 199


def test_an_event_ends_when_no_frame_comes_any_more(tmp_path):
    store = EventStore(tmp_path)
    with EventRecorder(INFO, [SOMEBODY], store, after_s=0.2) as recorder:
        recorder.write(result(0, somebody=True))
        recorder.write(result(1, somebody=False))
        for _ in range(100):
            if not recorder.recording and store.events():
                break
            time.sleep(0.1)
        assert not recorder.recording
    assert len(store.events()) == 1


def test_a_folder_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    failures: list[str] = []
    folder = tmp_path / "events"
    store = EventStore(folder)
    folder.write_bytes(b"")  # in the meantime somebody put a file there
    with EventRecorder(INFO, [SOMEBODY], store, fail=failures.append) as recorder:
        for index in range(10):
            recorder.write(result(index, somebody=True))
        folder.unlink()
        for index in range(10, 15):
            recorder.write(result(index, somebody=True))
    assert len(failures) >= 1 and len(set(failures)) == len(failures)
    assert len(store.events()) == 1


# --- the ring


def packets_of(seconds: float, fps: float = 10.0):
    encoder = PacketEncoder(INFO)
    for index in range(round(seconds * fps)):
        yield encoder.encode(picture(index, SIZE), index / fps)
    yield encoder.flush()
    encoder.close()


@pytest.mark.parametrize("fps", [3.0, 10.0, 0.5])
def test_the_ring_holds_what_is_asked_for_from_a_keyframe_on(fps):
    ring = PacketRing(5.0, 10**9)
    for packets in packets_of(20, fps):
        for packet in packets:
            ring.add([packet])
            held = list(ring)
            assert held[0].keyframe and held[-1] == packet
            assert held[0].time_s <= max(0.0, packet.time_s - 5.0)
            assert packet.time_s - held[0].time_s <= 6.0 + 1 / fps
            assert ring.size_bytes == sum(len(one.data) for one in held)


def test_the_ring_is_bounded_in_bytes():
    for packets in packets_of(1):
        largest = max((len(packet.data) for packet in packets), default=0)
    ring = PacketRing(5.0, 1)
    for packets in packets_of(5):
        ring.add(packets)
        if packets:
            assert len(list(ring)) <= 11 and next(iter(ring)).keyframe
    assert largest >= 0


def test_what_was_before_a_gap_is_dropped():
    ring = PacketRing(5.0, 10**9)
    encoder = PacketEncoder(INFO)
    for index, time_s in enumerate([*range(10), 5000, 5001, 5002]):
        ring.add(encoder.encode(picture(index, SIZE), float(time_s)))
    ring.add(encoder.flush())
    encoder.close()
    assert [packet.time_s for packet in ring] == [5000, 5001, 5002]


def test_a_clip_has_nothing_from_before_an_outage(tmp_path):
    """The encoder holds a frame back: when the first new one comes, the ring has only old ones."""
    store = EventStore(tmp_path)
    with EventRecorder(INFO, [SOMEBODY], store) as recorder:
        for index in range(100):
            recorder.write(result(index, somebody=False))
        for index in range(1100, 1120):
            recorder.write(result(index, somebody=True))
    (event,) = store.events()
    assert indices(store.find(event.id) / "clip.mp4") == list(range(1100, 1120))
    assert event.before_s == 0 and event.seconds == pytest.approx(2.0)


# --- the store


def test_the_oldest_go_by_age_and_by_size(tmp_path):
    store, _ = record(tmp_path, (700, {0, 200, 400, 600}), before_s=1.0, after_s=1.0)
    ids = [event.id for event in store.events()]
    assert len(ids) == 4
    sizes = [sum(path.stat().st_size for path in (tmp_path / one).iterdir()) for one in ids]
    assert EventStore(tmp_path, Keeping(age_s=3600)).retain() == []
    limited = EventStore(tmp_path, Keeping(size_bytes=sizes[0] + sizes[1]))
    assert [event.id for event in limited.events()] == ids[:2]
    facts = json.loads((tmp_path / ids[1] / "event.json").read_text())
    facts["time_unix"] -= 7200
    (tmp_path / ids[1] / "event.json").write_text(json.dumps(facts))
    assert [event.id for event in EventStore(tmp_path, Keeping(age_s=3600)).events()] == ids[:1]
    assert [event.id for event in EventStore(tmp_path, Keeping(size_bytes=1)).events()] == ids[:1]
    assert sorted(os.listdir(tmp_path)) == ids[:1]


def test_an_event_is_deleted_whole_and_only_an_event(tmp_path):
    store, _ = record(tmp_path / "events", (30, {0}))
    (tmp_path / "events" / "notes").mkdir()
    (event,) = store.events()
    for name in ("notes", "..", "", "../events", "nothing"):
        assert store.find(name) is None and not store.remove(name)
    assert store.remove(event.id) and not store.remove(event.id)
    assert [path.name for path in (tmp_path / "events").iterdir()] == ["notes"]


KILLED = """
import sys, time
from pathlib import Path
from sepcam.pipelines.watching.recorder import EventRecorder
from sepcam.pipelines.watching.store import EventStore
from tests.pipelines.watching.test_recorder import INFO, SOMEBODY, result

told = lambda state, event: print(state, flush=True)
recorder = EventRecorder(INFO, [SOMEBODY], EventStore(Path(sys.argv[1])), on_event=told, after_s=1.0)
for index in range(10_000):
    recorder.write(result(index, somebody=index < 5 or index > 40))
    time.sleep(0.001)
"""


def test_kill_9_leaves_finished_events_whole_and_no_half_one(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout is not None
        said = [one.stdout.readline().strip() for _ in range(3)]
        one.send_signal(signal.SIGKILL)
    assert said == ["begin", "end", "begin"]
    hidden = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(hidden) == 1
    store = EventStore(tmp_path)
    (event,) = store.events()
    assert indices(store.find(event.id) / "clip.mp4")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == [event.id]


def test_another_program_that_still_records_is_left_alone(tmp_path):
    with EventRecorder(INFO, [SOMEBODY], EventStore(tmp_path)) as recorder:
        for index in range(3):
            recorder.write(result(index, somebody=True))
        command = (
            "import sys; from pathlib import Path; from sepcam.pipelines.watching.store import EventStore"
        )
        code = f"{command}; assert EventStore(Path(sys.argv[1])).events() == []"
        assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == 0
    assert len(EventStore(tmp_path).events()) == 1


def test_odd_sizes_and_short_events_play(tmp_path):
    info = StreamInfo("odd", 161, 97, None, live=True)
    store = EventStore(tmp_path)
    with EventRecorder(info, [SOMEBODY], store) as recorder:
        one = result(0, somebody=True)
        frame = Frame(np.full((97, 161, 3), 90, np.uint8), 0, 3.5)
        recorder.write(FrameResult(frame, one.instances))
    (event,) = store.events()
    with av.open(str(tmp_path / event.id / "clip.mp4")) as container:
        assert len(list(container.decode(video=0))) == 1
        assert container.streams.video[0].average_rate > Fraction(1)


def test_a_source_whose_name_is_not_unicode_has_events_that_are(tmp_path):
    store, told = EventStore(tmp_path), []
    info = replace(INFO, name="yard-\udcff.mp4")
    with EventRecorder(info, [SOMEBODY], store, on_event=lambda state, event: told.append(state)) as recorder:
        for index in range(5):
            recorder.write(result(index, somebody=True))
    (event,) = store.events()
    assert (event.source, told) == ("yard-?.mp4", ["begin", "end"])


def test_two_programs_that_record_at_the_same_time_get_names_of_their_own(tmp_path):
    one, other = EventStore(tmp_path), EventStore(tmp_path)
    moment = datetime(2026, 3, 1, 18, 45, 1)
    folders = [store.begin(moment, "line Door crossed") for store in (one, other)]
    assert len({folder.name for folder in folders}) == 2
    for folder in folders:
        folder.publish()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(folder.name for folder in folders)
