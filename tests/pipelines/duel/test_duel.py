"""A duel is fair: the same frames for both sides, every one in full, and figures that say what they cost."""

import json

import cv2
import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.profiling.energy import EnergyMeter
from sepcam.models.types import Detections
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.duel.contest import Duel
from sepcam.pipelines.duel.race import MOST_FRAMES, Race
from sepcam.pipelines.duel.result import KINDS, table
from sepcam.pipelines.duel.view import side_image
from sepcam.pipelines.execution.network_set import NetworkSet
from sepcam.pipelines.live.duel_images import DuelImages
from sepcam.pipelines.live.settings import LiveSettings
from sepcam.pipelines.types import Frame

from tests.walkers import SquareDetector, square_picture


class Costly(SquareDetector):
    """Takes as many seconds of a clock as it is asked to, which grow with every frame."""

    def __init__(self, clock, seconds, *, shift=0.0):
        self.clock, self.seconds, self.shift = clock, seconds, shift
        self.seen = []

    def detect(self, image):
        self.seen.append(image.copy())
        self.clock.now += self.seconds * (1 + len(self.seen) / 100)
        found = super().detect(image)
        return Detections(found.boxes + np.float32(self.shift), found.scores, found.labels)


class FakeClock:
    now = 0.0

    def __call__(self):
        return self.now


def duel_of(*, fast=0.02, slow=0.1, shift=0.0, **options):
    clock = FakeClock()
    detectors = {"separable": Costly(clock, fast), "standard": Costly(clock, slow, shift=shift)}
    asked = AnalysisOptions(tasks=("track",), **options)
    sides = {kind: NetworkSet(detectors[kind], None, kind) for kind in KINDS}
    return Duel(sides, asked, fps=30, clock=clock), detectors


def frames(count, first=0):
    return [Frame(square_picture(index), index, index / 30) for index in range(first, first + count)]


def test_the_ratio_is_that_of_the_cost_with_its_interval_and_the_number_of_frames():
    duel, _ = duel_of()
    for frame in frames(4):
        duel.step(frame)
    assert duel.result() is None  # too few to say anything
    for frame in frames(36, 4):
        duel.step(frame)
    result = duel.result()
    assert result is not None
    assert result.headline == "5.0x (5.0\u20135.0), 40 frames"
    assert result.ratio.median == pytest.approx(5)
    assert result.sides["separable"].ms.median == pytest.approx(20 * 1.205, rel=0.01)
    assert result.sides["standard"].fps == pytest.approx(10 / 1.205, rel=0.01)
    assert result.people == pytest.approx(1, abs=0.05) and result.alike == 40
    assert result.agreement == "the same objects in 40 of 40 frames; boxes differ by at most 0 px"


def test_both_sides_look_at_every_frame_in_full_whatever_schedule_was_asked_for():
    duel, detectors = duel_of(detect_every="auto")
    for frame in frames(20):
        before = frame.image.copy()
        found = duel.step(frame)
        assert np.array_equal(frame.image, before)
        assert [found[kind].frame for kind in KINDS] == [frame, frame]
    seen = [detectors[kind].seen for kind in KINDS]
    assert len(seen[0]) == len(seen[1]) == 20
    assert np.array_equal(seen[0], seen[1])


def test_a_warm_up_is_not_counted():
    duel, detectors = duel_of()
    duel.warm_up(frames(1)[0])
    assert detectors["standard"].seen and duel.frames == 0


def test_chance_says_which_side_is_first():
    duel, detectors = duel_of()
    first = []
    for frame in frames(30):
        before = {kind: len(detectors[kind].seen) for kind in KINDS}
        order = []
        for kind in KINDS:
            detectors[kind].seen = _Noted(detectors[kind].seen, kind, order)
        duel.step(frame)
        assert all(len(detectors[kind].seen) == before[kind] + 1 for kind in KINDS)
        first.append(order[0])
    assert set(first) == set(KINDS)


class _Noted(list):
    def __init__(self, items, name, order):
        super().__init__(items)
        self.name, self.order = name, order

    def append(self, item):
        self.order.append(self.name)
        super().append(item)


def test_predictions_that_differ_are_measured():
    duel, _ = duel_of(shift=1.5)
    for frame in frames(6):
        duel.step(frame)
    result = duel.result()
    assert result is not None
    assert result.difference.boxes_px == pytest.approx(1.5, abs=0.01)
    assert "boxes differ by at most 1.5 px" in result.agreement


def test_costs_of_networks_that_nobody_knows_are_left_out():
    duel, _ = duel_of()
    for frame in frames(6):
        duel.step(frame)
    result = duel.result()
    assert result is not None
    assert table(result)[0] == ["", "ms per frame (95 %)", "FPS"]
    assert "macs" not in result.to_json()["sides"]["separable"]


class Known(SquareDetector):
    name = "people"


def test_costs_of_the_registry_and_energy_where_the_machine_measures_it(tmp_path):
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "energy_uj").write_text("0")
    (zone / "max_energy_range_uj").write_text("1000000000")

    class Warm(Known):
        def detect(self, image):
            spent = int((zone / "energy_uj").read_text())
            (zone / "energy_uj").write_text(str(spent + 500_000))
            return super().detect(image)

    sides = {kind: NetworkSet(Warm(), None, kind) for kind in KINDS}
    duel = Duel(sides, AnalysisOptions(tasks=()), energy=EnergyMeter(tmp_path))
    for frame in frames(6):
        duel.step(frame)
    result = duel.result()
    assert result is not None
    assert table(result)[0][-3:] == ["MACs", "weights", "J per frame"]
    assert table(result)[2][-3:] == ["45.1 G", "96.6 M", "0.5"]


def images_of(blur="nothing"):
    clock = FakeClock()
    sides = {kind: NetworkSet(Costly(clock, 0), None, kind) for kind in KINDS}
    settings = LiveSettings("squares", tasks=frozenset({"track"}), blur=blur)
    return DuelImages(sides, settings, AnalysisOptions(), source="clip.mp4", fps=30)


def test_the_card_is_an_image_and_its_figures(tmp_path):
    images = images_of()
    for frame in frames(3):
        images.step(frame)
    assert images.card() is None
    for frame in frames(4, 3):
        images.step(frame)
    card = images.card()
    assert card is not None
    paths = card.save(tmp_path / "out" / "clip-duel")
    assert [path.name for path in paths] == ["clip-duel.png", "clip-duel.json"]
    drawn, entry = cv2.imread(str(paths[0])), json.loads(paths[1].read_text())
    assert drawn is not None and drawn.shape[1] > 2 * 600
    assert entry["frames"] == 7 and entry["source"] == "clip.mp4"
    assert entry["difference"]["frames_with_same_objects"] == 7
    with pytest.raises(SepcamError, match="exists already"):
        card.save(tmp_path / "out" / "clip-duel")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip-duel.json", "clip-duel.png"]


def test_the_view_keeps_its_size_and_hides_who_is_to_be_hidden():
    shown, hidden = images_of(), images_of("people")
    for frame in frames(6):
        shown.step(frame)
        hidden.step(frame)
    early, late = shown.image(None, "4 s left"), shown.image(shown.duel.result(), "done")
    assert early.shape == late.shape == shown.race_image(1.0, None, "race").shape
    covered = hidden.image(None, "4 s left")
    assert not np.array_equal(covered[60:400, :640], early[60:400, :640])
    assert not np.array_equal(covered[60:400, 650:], early[60:400, 650:])


def test_in_a_race_each_side_advances_at_its_own_rate():
    race = Race()
    for number in range(MOST_FRAMES + 5):
        image = np.full((48, 64, 3), number, np.uint8)
        race.add({kind: image for kind in KINDS}, {"separable": 20.0, "standard": 100.0})
    assert len(race) == MOST_FRAMES
    at = race.at(1.05)
    assert (at["separable"].frames, at["standard"].frames) == (52, 10)
    assert at["separable"].image.mean() == pytest.approx(51, abs=1)
    assert at["standard"].image.mean() == pytest.approx(9, abs=1)
    again = race.at(MOST_FRAMES * 0.02 + 0.05)["separable"]  # it has begun once more
    assert again.frames == MOST_FRAMES + 2 and again.image.mean() == pytest.approx(1, abs=1)


@pytest.mark.parametrize(("width", "height"), [(160, 96), (540, 360), (1920, 1080), (1080, 1920), (4000, 60)])
def test_sides_of_any_shape_fit_beside_each_other(width, height):
    side = side_image(np.zeros((height, width, 3), np.uint8))
    assert side.shape[0] <= 560 and 320 <= side.shape[1] <= 640
