"""Several sources on one set of networks: fair shares, and one that dies harms no other."""

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np
import pytest
from sepcam.app.live.many.feeds import Feeds
from sepcam.app.live.many.grid import Caption, Grid
from sepcam.app.live.many.names import comes_back, file_stems, shown_names
from sepcam.app.live.request import load_networks

from tests.app.live.test_request import REQUEST
from tests.streams import NetworkCamera
from tests.walkers import SquareDetector, square_picture

PATIENCE_S = 60


class Slow(SquareDetector):
    """A network that leaves each of four sources a few frames a second."""

    def detect(self, image):
        time.sleep(0.02)
        return super().detect(image)


def until(condition):
    give_up = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return found


def frames_of(feed):
    shot = None if feed.session is None else feed.session.wait(0, 0)
    return 0 if shot is None else shot.number


def test_no_source_starves_however_fast_another_one_is(tmp_path):
    """At most 50 analyses a second for 250 frames: the quick sources share evenly, the slow one gets all."""
    specs = ["synthetic:96x64@120x100000", "synthetic:96x64@60x100000", "synthetic:96x64@60x100000"]
    slow = replace(REQUEST, analysis=replace(REQUEST.analysis, detector=f"{__name__}:Slow", detect_every=1))
    request = replace(slow, target_fps=0)
    sources = [*specs, "synthetic:96x64@5x100000"]
    with Feeds(request, sources, tmp_path) as feeds:
        feeds.open()
        loaded = load_networks(request)
        with closing(loaded.pool):
            feeds.begin(loaded, prepare_ahead=False)
            until(lambda: all(frames_of(feed) >= 3 for feed in feeds))
            before = [frames_of(feed) for feed in feeds]
            until(lambda: sum(map(frames_of, feeds)) - sum(before) >= 60)
            shares = [frames_of(feed) - was for feed, was in zip(feeds, before, strict=True)]
            feeds.stop()
    quick = shares[:3]
    assert max(quick) - min(quick) <= 4, shares
    assert shares[3] >= 4 * sum(shares) // 50, shares  # 5 a second, of at most 50


def test_one_dead_source_among_three_harms_no_other_and_comes_back(tmp_path):
    """A stream that is not there yet, and a file that never is: both say so, and the first is tried again."""
    with NetworkCamera("mjpeg", lambda number: square_picture(number)) as gone:
        port, url = gone.port, gone.url
    sources = ["synthetic:96x64@30x100000", url, "nowhere.mp4"]
    request = replace(REQUEST, target_fps=0)
    events = []
    with Feeds(request, sources, tmp_path) as feeds:
        feeds.open()
        loaded = load_networks(request)
        with closing(loaded.pool):
            feeds.begin(
                loaded, prepare_ahead=False, on_event=lambda feed, event: events.append((feed.name, event))
            )
            first, stream, file = feeds
            until(lambda: frames_of(first) > 3)
            assert file.over and file.notice() == "nowhere.mp4 does not exist"
            assert stream.session is None and not stream.over
            assert "cannot be reached" in stream.notice() and "trying again (" in stream.notice()
            feeds.change(hud="off")
            with NetworkCamera("mjpeg", lambda number: square_picture(number), port=port):
                until(lambda: frames_of(stream) > 3)
                assert stream.notice() is None and stream.failure is None
                assert stream.session.settings.hud == "off"  # what was switched for all is for it too
                assert not feeds.over
            until(lambda: "reconnecting" in (stream.notice() or ""))
            number = frames_of(first)
            until(lambda: frames_of(first) > number + 3)
            stream.session.halt()
            number = frames_of(first)
            until(lambda: frames_of(first) > number + 3)  # the networks are still there
            feeds.stop()
    assert {name for name, _ in events} == {first.name, stream.name}


def test_sources_of_the_same_name_are_told_apart():
    specs = ["a/clip.mp4", "b/clip.mp4", "clip-2.mp4", "0", "/dev/video1", "rtsp://me:secret@host/x?y=1"]
    names = shown_names(specs)
    assert names == ["clip.mp4", "clip.mp4 (2)", "clip-2.mp4", "camera 0", "camera 1", "rtsp://host/x"]


def test_files_of_all_sources_have_names_of_their_own(tmp_path):
    names = ["clip.mp4", "clip.mp4 (2)", "CLIP.avi", "clip-2.mp4", "rtsp://host/x"]
    stems = file_stems(names, tmp_path)
    assert len({stem.casefold() for stem in stems}) == len(names)
    assert stems[0] == "clip" and stems[3] == "clip-2" and stems[4] == "host-x"


@pytest.mark.parametrize(
    ("spec", "there"),
    [("0", True), ("/dev/video2", True), ("rtsp://host/x", True), ("clip.mp4", False), ("file:///a", False)],
)
def test_cameras_and_streams_may_come_later_and_files_may_not(spec, there):
    assert comes_back(spec) is there


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_each_card_of_the_grid_has_its_own_place(count):
    grid = Grid(count, 3 / 2)
    width, height = grid.size
    assert width <= 1280 and height <= 720
    for place in range(count):
        grid.draw(place, np.full((40, 60, 3), 20 * place + 40, np.uint8), Caption(f"camera {place}"))
    seen = {}
    for y in range(0, height, 4):
        for x in range(0, width, 4):
            seen.setdefault(grid.at(x, y), []).append(int(grid.image[y, x, 0]))
    assert set(seen) - {None} == set(range(count))
    for place in range(count):
        values, counts = np.unique(seen[place], return_counts=True)
        assert values[counts.argmax()] == 20 * place + 40


def test_a_card_without_a_frame_says_why_and_long_names_are_shortened():
    grid = Grid(4, 16 / 9)
    grid.draw(0, None, Caption("rtsp://a-long-name.example/" + "x" * 300, "29.9 FPS   40 ms", "lost"))
    card = cv2.cvtColor(grid.image[: grid.size[1] // 2, : grid.size[0] // 2], cv2.COLOR_BGR2GRAY)
    assert (card[40:] > 150).any()  # the notice


def live(*words, folder):
    command = [sys.executable, "-c", "from sepcam.app.cli import main; main()", "live", *words]
    return subprocess.run(
        [*command, "-o", str(folder)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ},
        cwd=folder,
    )


NETWORK = "--detector", "ssdlite-person", "--tasks", "track"


def test_headless_each_source_has_its_files_its_events_and_its_line(tmp_path):
    same = "synthetic:96x64@20x8"
    words = *NETWORK, "--headless", "--record", "all.mp4"
    done = live(same, same, "none.mp4", *words, "--save", "jsonl", folder=tmp_path)
    assert done.returncode == 1, done.stderr  # one of them is not there
    lines = done.stderr.splitlines()
    names = shown_names([same, same])
    assert lines.count("warning: none.mp4 does not exist") == 2  # at the beginning and at the end
    for name in names:
        (line,) = [line for line in lines if line.startswith(f"{name}: ") and "frames shown" in line]
        assert "FPS), " in line and " dropped -> " in line
    stems = file_stems(names, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"all-{stem}{suffix}" for stem in stems for suffix in (".mp4", ".jsonl")
    }
    for stem in stems:
        header = json.loads((tmp_path / f"all-{stem}.jsonl").read_text().splitlines()[0])
        assert header["type"] == "header"
    again = live(same, same, *words, folder=tmp_path)
    assert again.returncode == 2
    assert again.stderr.startswith("error: all-") and "exists: use --overwrite" in again.stderr


def test_where_no_source_can_be_opened_each_says_why(tmp_path):
    done = live("none.mp4", "neither.mp4", "--headless", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: none.mp4 does not exist",
        "error: neither.mp4 does not exist",
    ]


def test_a_duel_is_of_one_source(tmp_path):
    done = live("a.mp4", "b.mp4", "--duel", "5", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: --duel compares both backbones on one SOURCE: name one\n"
