"""The adaptive does less while frames take too long, in a fixed order, and more again when there is room."""

from itertools import pairwise

import pytest
from sepcam.pipelines.live.adaptive_quality import AdaptiveQuality, Quality, quality_levels


class Machine:
    """Runs frames on a clock of its own; how long one takes depends on what is left out."""

    def __init__(self, governor_of, cost, target=30.0):
        self.now = 0.0
        self.adaptive = governor_of(lambda: self.now)
        self.cost, self.target = cost, target
        self.seen = [Quality()]

    def run(self, seconds):
        until = self.now + seconds
        while self.now < until:
            took = self.cost(self.adaptive.quality)
            self.now += max(took, 1 / self.target)
            quality = self.adaptive.frame(took, self.target)
            if quality != self.seen[-1]:
                self.seen.append(quality)
        return self.adaptive.quality


def machine(cost, detector="yolox-nano", **options):
    return Machine(lambda clock: AdaptiveQuality(quality_levels(detector, **options), clock=clock), cost)


def test_the_order_is_detections_then_people_then_the_detectors_input():
    steps = quality_levels("yolox-nano")
    assert steps[0] == Quality()
    changes = [
        [name for name in ("detect_every", "pose_every", "size") if getattr(a, name) != getattr(b, name)]
        for a, b in pairwise(steps)
    ]
    assert all(len(change) == 1 for change in changes)
    order = [change[0] for change in changes]
    assert order == sorted(order, key=["detect_every", "pose_every", "size"].index)
    assert set(order) == {"detect_every", "pose_every", "size"}


def test_what_does_not_apply_is_no_step():
    assert all(quality.size is None for quality in quality_levels("ssdlite-person"))
    assert all(quality.pose_every == 1 for quality in quality_levels("yolox-nano", pose=False))


def test_a_machine_that_keeps_up_leaves_nothing_out():
    fast = machine(lambda quality: 0.02)
    fast.run(60)
    assert fast.seen == [Quality()]


def test_a_machine_that_never_quite_keeps_up_goes_down_step_by_step_and_stays():
    slow = machine(lambda quality: 0.045)
    slow.run(200)
    assert slow.seen == list(quality_levels("yolox-nano"))


def test_the_further_behind_a_machine_is_the_sooner_it_does_less():
    steps = quality_levels("yolox-nano")
    slow = machine(lambda quality: 0.060 if steps.index(quality) < 6 else 0.025)
    assert slow.run(1.0) == steps[6]
    assert [steps.index(quality) for quality in slow.seen] == [0, 2, 4, 6]


def test_a_single_slow_frame_changes_nothing():
    times = iter([0.02] * 3 + [0.15] + [0.02] * 1000)
    fast = machine(lambda quality: next(times))
    fast.run(10)
    assert fast.seen == [Quality()]


def test_it_settles_where_frames_fit():
    def cost(quality):
        return 0.010 + 0.060 / quality.detect_every

    settled = machine(cost)
    assert settled.run(30) == Quality(detect_every=3)


def test_it_recovers_when_the_load_is_gone():
    load = [1.0]
    recovering = machine(lambda quality: 0.005 + 0.1 * load[0])
    recovering.run(30)
    assert recovering.adaptive.level > 0
    load[0] = 0.0
    assert recovering.run(600) == Quality()


def test_steps_up_that_prove_too_much_become_rare():
    # Full quality never fits, the first step down always does, with so much room that it looks inviting.
    teasing = machine(lambda quality: 0.040 if quality == Quality() else 0.010)
    teasing.run(600)
    tries = sum(quality == Quality() for quality in teasing.seen[1:])
    assert 2 <= tries <= 16


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        (Quality(), "full quality"),
        (Quality(5), "detecting every 5 frames"),
        (Quality(8, 3), "detecting every 8 frames, poses every 3 frames"),
        (Quality(8, 3, (320, 320)), "detecting every 8 frames, poses every 3 frames, detector at 320 px"),
    ],
)
def test_it_says_in_words_what_is_left_out(quality, words):
    assert str(quality) == words


def test_other_steps_begin_at_the_top():
    slow = machine(lambda quality: 1.0)
    slow.run(5)
    assert slow.adaptive.level > 0
    slow.adaptive.use(quality_levels("ssdlite-person"))
    assert slow.adaptive.quality == Quality()
