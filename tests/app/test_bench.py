"""The bench's own machinery: fair rounds, clips as named, processes that end, a report that reads."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from sepcam.assets import demo_clip

from tests.bench import checkout, clips, end_to_end, glass, machine, report
from tests.bench.rounds import Contender, Result, interleave, speedup
from tests.bench.worker import Worker, WorkerError


def quiet(line: str) -> None:
    """Ignores progress."""


def undisturbed() -> tuple[float, float]:
    """Seconds that the cores had, and that the host took."""
    return time.monotonic(), 0.0


def taking(seconds: float) -> dict[str, float]:
    return {"seconds": seconds, "frames": 10}


def test_the_bench_of_gpus_needs_little_more_than_torch():
    missing = ("av", "openvino", "supervision", "trackers", "platformdirs", "psutil", "yaml", "matplotlib")
    code = f"import sys; sys.modules.update(dict.fromkeys({missing})); import tests.bench.gpu"
    subprocess.run([sys.executable, "-c", code], cwd=checkout.ROOT, check=True)


def test_every_contender_runs_once_a_round_in_changing_order():
    ran: list[str] = []
    contenders = [Contender(name, lambda name=name: ran.append(name) or taking(1)) for name in "abcd"]

    results = interleave(contenders, 5, seed=1, note=quiet, clock=undisturbed)

    rounds = ["".join(ran[i : i + 4]) for i in range(0, 20, 4)]
    assert all(sorted(turn) == list("abcd") for turn in rounds)
    assert len(set(rounds)) > 1
    assert all(len(result.samples) == 5 for result in results.values())


def test_a_contender_that_fails_is_left_out_and_the_others_go_on():
    def fail() -> dict[str, float]:
        raise WorkerError("no such camera")

    results = interleave([Contender("bad", fail), Contender("good", lambda: taking(1))], 3, 0, quiet)

    assert results["bad"].error == "no such camera"
    assert len(results["good"].samples) == 3
    assert speedup(results, "good", "bad") is None


def test_a_run_that_the_host_disturbs_is_done_again_and_the_least_disturbed_one_counts():
    had, lost = 0.0, 0.0
    shares = iter([0.5, 0.01, 0.9, 0.2, 0.4])
    ran: list[float] = []

    def run() -> dict[str, float]:
        nonlocal had, lost
        ran.append(next(shares))
        had, lost = had + 10, lost + 10 * ran[-1]
        return taking(ran[-1])

    results = interleave([Contender("a", run)], 2, 0, quiet, clock=lambda: (had, lost))

    assert ran == [0.5, 0.01, 0.9, 0.2, 0.4]  # twice in the first round, three times at most in the second
    assert [sample["stolen"] for sample in results["a"].samples] == pytest.approx([0.01, 0.2])
    assert [sample["seconds"] for sample in results["a"].samples] == [0.01, 0.2]
    figures = report.Figures(machine.describe(), {}, clips={"street": results})
    assert (
        "took 10.5% of the processors' time for others in the median run, 20.0% at most"
        in report.markdown(figures)
    )


def test_a_speedup_is_the_median_of_the_rounds_own_ratios():
    # The machine was 10 times slower in the second round, for both alike.
    fast = Result("fast", [taking(1), taking(10), taking(1)])
    slow = Result("slow", [taking(2), taking(20), taking(3)])

    assert speedup({"fast": fast, "slow": slow}, "fast", "slow") == pytest.approx(2)
    assert fast.ms == pytest.approx(100)


def test_clips_are_720p_and_as_long_as_asked(tmp_path: Path):
    for cut in clips.cuts(demo_clip(), None):
        with av.open(str(clips.make(cut, 34, tmp_path))) as container:
            video = container.streams.video[0]
            assert (video.width, video.height, video.average_rate) == (1280, 720, 30)
            assert sum(1 for _ in container.decode(video)) == 34


@pytest.fixture
def floor(tmp_path: Path):
    with Worker("floor", tmp_path / "floor.log", 1) as worker:
        yield worker


def test_a_worker_runs_what_it_is_asked_and_says_why_it_could_not(floor: Worker, tmp_path: Path):
    clip = clips.make(clips.cuts(demo_clip(), None)[1], 12, tmp_path)
    for op, given in (("run_opencv", {}), ("run_av", end_to_end.X264)):
        assert floor.request(op, clip=str(clip), frames=8, folder=str(tmp_path), **given)["frames"] == 8
    with pytest.raises(WorkerError, match=r"nothing\.mp4"):
        floor.request("run_av", clip="nothing.mp4", frames=8, folder=str(tmp_path), **end_to_end.X264)
    with pytest.raises(WorkerError, match="KeyError"):
        floor.request("dance")


def test_a_closed_worker_leaves_no_process_and_answers_no_more(tmp_path: Path):
    worker = Worker("floor", tmp_path / "floor.log", 1)
    worker.close()
    assert not worker.alive
    with pytest.raises(WorkerError):
        worker.request("run_av")


def test_a_request_that_takes_too_long_ends_the_process(tmp_path: Path):
    clip = clips.make(clips.cuts(demo_clip(), None)[1], 12, tmp_path)
    with Worker("floor", tmp_path / "floor.log", 1, timeout_s=0.01) as worker:
        with pytest.raises(WorkerError, match="ended"):
            worker.request("run_opencv", clip=str(clip), frames=12, folder=str(tmp_path))
        assert not worker.alive


@pytest.mark.skipif(bool(glass.missing()), reason="needs Xvfb, xdotool and chromium")
def test_a_screen_shows_how_old_its_frames_are(tmp_path: Path):
    """A player that shows each frame 80 ms after it came; then the same, scaled and somewhere else."""
    image = np.full((90, 480, 3), 130, np.uint8)
    screen = np.zeros((400, 1000, 4), np.uint8)
    with glass.clock_camera([image]) as (url, now), av.open(url) as container:
        stop = threading.Event()

        def play() -> None:
            for frame in container.decode(video=0):
                time.sleep(0.08)
                large = cv2.resize(frame.to_ndarray(format="bgr24"), (720, 135))
                screen[50:185, 200:920, :3] = large
                if stop.is_set():
                    return

        player = threading.Thread(target=play)
        player.start()
        found = glass.watch(lambda: glass.read_clock(screen, (200, 50, 1.5), 480), now, 1.5)
        stop.set()
        player.join()
    assert found["frames"] > 5 and 80 <= found["p50"] <= found["p95"] <= found["max"]

    figures = report.Figures(machine.describe(), {}, glass={glass.WINDOW: Result(glass.WINDOW, [found])})
    assert "| glass to glass, window of sepcam live: p95 under 2 frame times |" in report.markdown(figures)


def test_the_report_states_the_machine_and_every_target_that_was_measured():
    figures = report.Figures(machine.describe(), {"threads": 2})
    figures.clips["street"] = {
        end_to_end.ALL: Result(end_to_end.ALL, [taking(0.5)]),
        end_to_end.ALL_VIDEO: Result(end_to_end.ALL_VIDEO, [taking(1)]),
        end_to_end.FLOOR: Result(end_to_end.FLOOR, [taking(0.7)]),
        "peer": Result("peer", error="unavailable"),
    }

    text = report.markdown(figures)

    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in text
    assert "| street: 0.5 of decode + encode or more | 0.70 | yes |" in text
    assert "| peer | failed: unavailable |" in text
    assert "Ultralytics" not in text
    assert report.as_dict(figures)["clips"]["street"][end_to_end.ALL]["fps"] == pytest.approx(20)
