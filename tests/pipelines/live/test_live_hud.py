"""The HUD of live frames: it shows every figure, invents none, and fits any image."""

from itertools import pairwise

import numpy as np
import pytest
from sepcam.pipelines.drawing.text import Style
from sepcam.pipelines.execution.network_pool import NetworkChoice
from sepcam.pipelines.live.hud import LiveHud, draw_banner, draw_graph, draw_help, draw_recording
from sepcam.pipelines.live.meter import HISTORY_S, LiveFigures, LiveMeter, Sample
from sepcam.pipelines.live.settings import LiveSettings, Switches
from sepcam.pipelines.live.status import LiveStatus
from sepcam.pipelines.types import Frame, FrameResult, Instances

SIZES = [(1080, 1920), (480, 640), (240, 320), (64, 96), (1280, 720), (2, 2)]


def grey(height=480, width=640):
    return np.full((height, width, 3), 128, np.uint8)


def result_for(image):
    nobody = np.zeros((0, 4), np.float32)
    found = Instances(image.shape[:2], nobody, np.zeros(0, np.float32), np.zeros(0, np.int64), ("person",))
    return FrameResult(Frame(image, 0, 0.0), found)


def history(fps=30.0, backbone="separable"):
    return tuple(Sample(age / 10, fps, backbone) for age in range(99, -1, -1))


def status(hud, **figures):
    return LiveStatus(
        LiveSettings("yolox-nano", hud=hud), NetworkChoice("yolox-nano"), figures=LiveFigures(**figures)
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("hud", ["off", "fps", "full"])
def test_it_stays_in_its_corner_of_an_image_of_any_size(size, hud):
    image = grey(*size)
    LiveHud().draw(image, result_for(image), status(hud, history=history(), model_fps={"separable": 41.0}))
    drawn = (image != 128).any(axis=2)
    assert not drawn[:, -1].any() and not drawn[-1].any()
    assert drawn.any() == (hud != "off" and min(size) > 64)  # none where its text would be unreadable


@pytest.mark.parametrize("size", SIZES[:-1])
def test_the_recording_dot_is_in_the_upper_right_corner(size):
    image = grey(*size)
    draw_recording(image)
    rows, columns = np.nonzero((image != 128).any(axis=2))
    assert (
        len(rows) and rows.max() < max(40, size[0] // 8) and columns.min() >= size[1] - max(40, size[1] // 8)
    )


@pytest.mark.parametrize("size", SIZES)
def test_banner_and_help_are_in_the_middle_of_an_image_of_any_size(size):
    for draw in (
        lambda image: draw_banner(image, "reconnecting (12)"),
        lambda image: draw_help(image, [("q Esc", "quit")] * 15),
    ):
        image = grey(*size)
        draw(image)
        drawn = (image != 128).any(axis=2)
        if min(size) > 64:
            assert drawn[size[0] // 2].any()
            assert not drawn[0].any() and not drawn[-1].any()


def changed(hud, **figures):
    image = grey()
    LiveHud().draw(image, result_for(image), status(hud, **figures))
    return int((image != 128).any(axis=2).sum())


def test_more_detail_covers_more_and_none_covers_nothing():
    both = {"separable": 41.0, "standard": 3.2}
    assert changed("off", history=history()) == 0
    assert 0 < changed("fps", history=history()) < changed("full", history=history(), model_fps=both)


@pytest.mark.parametrize(("backbone", "channel"), [("separable", 0), ("standard", 2)])
def test_the_graph_has_the_color_of_the_backbone(backbone, channel):
    image = draw_graph(LiveFigures(history=history(backbone=backbone)), Style.of(480, 640))
    line = image[(image.max(axis=2).astype(int) - image.min(axis=2)) > 60]
    assert len(line) > 100
    assert (line.argmax(axis=1) == channel).mean() > 0.9


def test_speeds_of_different_work_are_not_compared():
    meter = LiveMeter(clock=Time())
    for number in range(20):
        meter.analyzed("separable", 0, 0.02, in_full=number % 4 == 0)
        meter.analyzed("standard", 0, 0.2)
    line = meter.figures().comparison()
    assert line is not None and line.endswith("not comparable: detections in 25 % and 100 % of the frames")
    meter = LiveMeter(clock=Time())
    for _ in range(20):
        meter.analyzed("separable", 0, 0.02)
        meter.analyzed("standard", 2, 0.2)
    line = meter.figures().comparison()
    assert line is not None and line.endswith("not comparable: different quality")


def test_the_comparison_needs_both():
    assert LiveFigures(model_fps={"separable": 41.0}).comparison() is None
    both = LiveFigures(model_fps={"separable": 41.0, "standard": 3.2})
    assert both.comparison() == "separable 41 FPS · standard 3.2 FPS · 12.8x"


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_the_meter_tells_what_arrives_what_is_shown_and_how_late():
    clock = Time()
    meter = LiveMeter(clock=clock)
    for index in range(90):
        clock.now += 1 / 30
        meter.arrived()
        if index % 3 == 0:
            meter.analyzed("separable", 0, 0.05)
            meter.shown(0.08)
    figures = meter.figures()
    assert figures.meter.source_fps == pytest.approx(30, rel=0.05)
    assert figures.meter.processing_fps == pytest.approx(10, rel=0.1)
    assert figures.meter.latency_ms_p50 == pytest.approx(80)
    assert figures.model_fps == {"separable": pytest.approx(20)}


def test_the_history_holds_ten_seconds_and_no_more():
    clock = Time()
    meter = LiveMeter(clock=clock)
    for _ in range(3000):
        clock.now += 1 / 50
        meter.shown(0.01)
    samples = meter.figures().history
    assert len(samples) <= 10 * HISTORY_S + 2
    assert samples[0].age_s == pytest.approx(HISTORY_S, abs=0.2)
    assert all(a.age_s > b.age_s for a, b in pairwise(samples))


def test_backbones_are_compared_at_the_same_quality():
    meter = LiveMeter(clock=Time())
    for seconds, level in ((0.025, 0), (0.010, 1)):
        for _ in range(5):
            meter.analyzed("separable", level, seconds)
    assert meter.figures().model_fps["separable"] == pytest.approx(100)  # alone: as it runs now
    for _ in range(5):
        meter.analyzed("standard", 0, 0.25)
    speeds = meter.figures().model_fps
    assert speeds == {"separable": pytest.approx(40), "standard": pytest.approx(4)}
    meter.restart_models()
    assert meter.figures().model_fps == {}


def test_a_backbone_has_no_speed_before_its_first_detection():
    meter = LiveMeter(clock=Time())
    meter.analyzed("standard", 0, 0.001, in_full=False)
    assert meter.figures().model_fps == {}
    meter.analyzed("standard", 0, 0.199)
    meter.analyzed("standard", 0, 0.001, in_full=False)
    assert meter.figures().model_fps == {"standard": pytest.approx(10)}


def test_a_quality_that_was_only_passed_through_is_not_compared():
    meter = LiveMeter(clock=Time())
    for level, times in ((0, 4), (3, 40)):
        for _ in range(times):
            meter.analyzed("standard", level, 0.2)
            meter.analyzed("separable", level, 0.2 if level == 0 else 0.02)  # slow at first: still settling
    assert meter.figures().comparison() == "separable 50 FPS · standard 5 FPS · 10.0x"


def test_a_message_goes_away_by_itself():
    clock = Time()
    switches = Switches(LiveSettings("yolox-nano"), clock=clock)
    switches.say("saved a.png")
    assert switches.message == "saved a.png"
    clock.now += 10
    assert switches.message is None
