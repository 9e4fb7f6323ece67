"""Events: people enter once, leave once when they are gone for good, and cross what is watched."""

import json

import numpy as np
from sepcam.pipelines.analytics.events import EventDetector
from sepcam.pipelines.analytics.zones import Crossing
from sepcam.pipelines.types import Instances


def seen(*ids, label=0):
    n = len(ids)
    return Instances(
        (240, 320),
        np.tile(np.array([[10, 10, 50, 90]], np.float32), (n, 1)),
        np.ones(n, np.float32),
        np.full(n, label, np.int64),
        ("person", "dog"),
        np.array(ids, np.int64),
    )


def told(watch, frames):
    """Kinds and identities of what is told of frames a tenth of a second apart."""
    events = [e for i, found in enumerate(frames) for e in watch.update(i, i / 10, found)]
    return [(e.kind, e.track_id) for e in events], events


def test_a_person_enters_once_and_leaves_once():
    frames = [seen()] * 3 + [seen(1)] * 10 + [seen()] * 40
    kinds, events = told(EventDetector(), frames)
    assert kinds == [("enter", 1), ("leave", 1)]
    assert events[0].to_json() == {"event": "enter", "time_s": 0.3, "frame": 3, "track_id": 1}
    # When the person was last seen, not when that was noticed.
    assert events[1].to_json() == {
        "event": "leave",
        "time_s": 1.2,
        "frame": 12,
        "track_id": 1,
        "seconds": 0.9,
    }


def test_somebody_missed_for_a_moment_has_not_left():
    kinds, _ = told(EventDetector(), [seen(1)] * 5 + [seen()] * 15 + [seen(1)] * 5)
    assert kinds == [("enter", 1)]


def test_everyone_leaves_at_the_end():
    watch = EventDetector()
    told(watch, [seen(1, 2)] * 3)
    assert [(e.kind, e.track_id, e.frame) for e in watch.end()] == [("leave", 1, 2), ("leave", 2, 2)]
    assert watch.end() == []


def test_dogs_are_no_people():
    assert told(EventDetector(), [seen(1, label=1)] * 3)[0] == []


def test_crossings_are_numbered_from_one_and_have_a_direction():
    watch = EventDetector()
    events = watch.update(7, 0.7, seen(1), [Crossing(0, True, True, 1), Crossing(1, False, False, 1)])
    assert [json.loads(json.dumps(e.to_json())) for e in events[1:]] == [
        {"event": "line", "time_s": 0.7, "frame": 7, "track_id": 1, "line": 1, "direction": "in"},
        {"event": "zone", "time_s": 0.7, "frame": 7, "track_id": 1, "zone": 2, "direction": "out"},
    ]
