"""The SSD networks give TensorFlow's outputs, and their anchors and boxes are TensorFlow's."""

from pathlib import Path

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from sepcam.models.detectors.anchors import anchors, decode, ssd_heads
from sepcam.models.detectors.ssd import COCO_LOGITS, PERSON_LOGITS, SSDDetector, SSDPass
from sepcam.models.errors import SepcamError
from sepcam.models.networks.ssd import SSDLitePerson, SSDMobileNetV1
from sepcam.models.ops import coco
from sepcam.models.spec import Thresholds
from sepcam.models.types import Detector
from sepcam.models.weights.importers import load_convs, read_tflite
from sepcam.models.weights.store import WeightStore

GOLDEN = Path(__file__).parents[2] / "golden"
SHARED_GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
FRAME = cv2.imread(str(GOLDEN / "market_street.png"))
SIZES = [(300, 300), (588, 780), (300, 332), (876, 1164)]


def runner(network):
    def run(batch):
        with torch.inference_mode():
            return tuple(out.numpy() for out in network(torch.from_numpy(batch)))

    return run


@pytest.fixture(scope="module")
def person() -> SSDLitePerson:
    network = SSDLitePerson()
    network.load_state_dict(WeightStore().load("ssdlite-person"))
    return network.eval()


@pytest.fixture(
    scope="module", params=["market_street", *sorted(SHARED_GOLDEN.glob("ssdlite_person_*.npz"))], ids=str
)
def golden(request):
    """A 300 x 300 BGR picture and what TensorFlow makes of it."""
    if request.param == "market_street":
        return FRAME, dict(np.load(GOLDEN / "ssdlite_person.npz"))
    file = np.load(request.param)
    names = {"encodings": "box_encodings", "logits": "class_logits", "scores": "detection_scores"}
    reference = {ours: file[theirs] for ours, theirs in names.items()}
    reference["boxes"] = file["detection_boxes_yxyx_norm"]
    return np.ascontiguousarray(file["image_rgb_u8"][..., ::-1]), reference


# --- parity ---


def test_raw_outputs_are_tensorflows(person, golden):
    picture, reference = golden
    encodings, logits = runner(person)(picture[None])
    np.testing.assert_allclose(encodings[0], reference["encodings"], atol=1e-3, rtol=0)
    np.testing.assert_allclose(logits[0], reference["logits"], atol=1e-3, rtol=0)


def test_final_boxes_are_tensorflows(person, golden):
    picture, reference = golden
    floor = 0.08
    found = SSDDetector("p", [SSDPass(runner(person))], thresholds=Thresholds(floor, 0.6)).detect(picture)
    expected = reference["scores"] >= floor
    assert expected.any()
    np.testing.assert_allclose(found.boxes, reference["boxes"][expected][:, [1, 0, 3, 2]] * 300, atol=0.5)
    np.testing.assert_allclose(found.scores, reference["scores"][expected], atol=1e-4)


def test_fewer_heads_give_the_first_anchors_of_all(person):
    two = SSDLitePerson(heads=2)
    two.load_state_dict(person.state_dict())
    for fewer, every in zip(runner(two.eval())(FRAME[None]), runner(person)(FRAME[None]), strict=True):
        assert fewer.shape[1] == 19 * 19 * 3 + 10 * 10 * 6
        np.testing.assert_allclose(fewer, every[:, : fewer.shape[1]], atol=1e-6)


def test_coco_outputs_are_those_of_the_quantized_network_within_its_steps(published_weights):
    network = SSDMobileNetV1().eval()
    load_convs(network, read_tflite(published_weights / "coco_ssd_mobilenet_v1_1.0_quant.tflite"))
    golden = np.load(GOLDEN / "ssd_mobilenet_v1_coco.npz")
    for name, ours in zip(("encodings", "logits"), runner(network)(FRAME[None]), strict=True):
        scale, zero = golden[f"{name}_scale_zero"]
        theirs = (golden[name].astype(np.float32) - zero) * scale
        difference = np.abs(ours[0][golden["anchors"]] - theirs)
        assert difference.mean() < scale  # one step of the quantized output; every layer before adds its own
        assert np.corrcoef(ours[0][golden["anchors"]].ravel(), theirs.ravel())[0, 1] > 0.998


# --- anchors and boxes ---


def test_anchors_at_300_are_the_1917_of_the_paper():
    found = anchors()
    assert found.shape == (1917, 4) and found.dtype == np.float32
    np.testing.assert_allclose(found[0], [0.5 / 19, 0.5 / 19, 0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(found[1], [0.5 / 19, 0.5 / 19, 0.2 / 2**0.5, 0.2 * 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(found[3], [0.5 / 19, 1.5 / 19, 0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(found[-1], [0.5, 0.5, 0.95**0.5, 0.95**0.5], rtol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_there_is_an_anchor_for_every_output_and_its_pixel_size_stays(size):
    network = SSDLitePerson(heads=ssd_heads(size)).to("meta")
    encodings, logits = network(torch.empty((1, *size, 3), dtype=torch.uint8, device="meta"))
    found = anchors(size)
    assert encodings.shape[1] == logits.shape[1] == len(found)
    assert ((found[:, :2] > 0) & (found[:, :2] < 1)).all()
    np.testing.assert_allclose(found[0, 2:] * size, [30, 30], rtol=1e-5)


@pytest.mark.parametrize("size", [(320, 320), (300, 301), (268, 300), (0, 0)])
def test_a_size_with_another_padding_is_refused(size):
    with pytest.raises(SepcamError, match="300 plus multiples of 32"):
        anchors(size)


@given(
    st.integers(0, 1916),
    st.tuples(*[st.floats(-0.5, 1.5)] * 2),
    st.tuples(*[st.floats(0.01, 1.5)] * 2),
)
def test_decoding_undoes_encoding(index, center, side):
    anchor = anchors()[index].astype(np.float64)
    encoded = [
        *(10 * (np.array(center) - anchor[:2]) / anchor[2:]),
        *(5 * np.log(np.array(side) / anchor[2:])),
    ]
    box = decode(np.array([encoded], np.float32), anchors()[[index]])[0]
    (cy, cx), (h, w) = center, side
    np.testing.assert_allclose(box, [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], atol=1e-4)


# --- the detector ---


def planted(
    logits: dict[tuple[int, int], float], columns: int = 2, size=(300, 300), encodings=None, least=0.0
):
    """A network that sees just these: (anchor, column) -> logit."""
    count = len(anchors(size))

    def run(batch):
        assert batch.shape == (1, *size, 3) and batch.dtype == np.uint8
        out = np.full((1, count, columns), -9, np.float32)
        out[..., 0] = 9  # background
        for place, value in logits.items():
            out[0][place] = value
        shifts = np.zeros((1, count, 4), np.float32)
        for anchor, shift in (encodings or {}).items():
            shifts[0, anchor] = shift
        return shifts, out

    return SSDPass(run, size, least=least)


PICTURE = np.zeros((200, 400, 3), np.uint8)


def test_boxes_come_in_pixels_of_the_picture_best_first():
    middle, corner = 3 * (9 * 19 + 9), 3 * (2 * 19 + 2)
    detector = SSDDetector("p", [planted({(middle, 1): 0.0, (corner, 1): 2.0})])
    found = detector.detect(PICTURE)
    assert isinstance(detector, Detector)
    np.testing.assert_allclose(found.scores, [1 / (1 + np.exp(-2)), 0.5], rtol=1e-6)
    np.testing.assert_allclose(found.boxes[1], [180, 90, 220, 110], atol=1e-3)
    assert found.labels.tolist() == [0, 0]


def test_boxes_are_clipped_to_the_picture_and_those_outside_it_dropped():
    detector = SSDDetector("p", [planted({(0, 1): 1.0, (3, 1): 2.0}, encodings={3: (0, -90, 0, 0)})])
    found = detector.detect(PICTURE)
    assert len(found) == 1
    assert (found.boxes[0, :2] == 0).all()


def test_nothing_above_the_floor_gives_nothing():
    found = SSDDetector("p", [planted({(5, 1): -3.0})]).detect(PICTURE)
    assert len(found) == 0 and found.boxes.shape == (0, 4)


def test_passes_of_both_sizes_are_merged_by_nms():
    picture = np.zeros((588, 780, 3), np.uint8)
    middle, large_middle = 3 * (9 * 19 + 9), 3 * (18 * 49 + 24)
    small_pass = planted({(middle, 1): 0.0})

    # 30 x 30 pixels of the first pass's input are 78 x 59 of the picture, of the second's they are 30 x 30.
    different = planted({(large_middle, 1): 1.0}, size=(588, 780))
    assert len(SSDDetector("p", [small_pass, different]).detect(picture)) == 2

    grown = (0, 0, 5 * np.log(588 / 300), 5 * np.log(780 / 300))
    same = planted({(large_middle, 1): 1.0}, size=(588, 780), encodings={large_middle: grown})
    found = SSDDetector("p", [small_pass, same]).detect(picture)
    np.testing.assert_allclose(found.scores, [1 / (1 + np.exp(-1))], rtol=1e-6)


def test_a_pass_may_be_asked_for_large_boxes_only():
    small, large = 3 * (9 * 19 + 9), 3 * (9 * 19 + 9) + 1  # 30 x 30 pixels of 300, and 85 x 42
    both = {(small, 1): 0.0, (large, 1): 1.0}
    assert len(SSDDetector("p", [planted(both)]).detect(PICTURE)) == 2
    found = SSDDetector("p", [planted(both, least=0.25)]).detect(PICTURE)
    np.testing.assert_allclose(found.scores, [1 / (1 + np.exp(-1))], rtol=1e-6)
    assert len(SSDDetector("p", [planted(both, least=0.3)]).detect(PICTURE)) == 0


def test_coco_ids_become_80_names_and_unused_ids_nothing():
    logits = {(0, 1): 3.0, (300, 90): 2.0, (600, 18): 1.0, (900, 12): 4.0}
    found = SSDDetector("c", [planted(logits, 91)], coco.NAMES, COCO_LOGITS).detect(PICTURE)
    assert [coco.NAMES[i] for i in found.labels] == ["person", "toothbrush", "dog"]


def test_an_anchor_may_hold_two_classes():
    found = SSDDetector("c", [planted({(0, 1): 3.0, (0, 2): 2.0}, 91)], coco.NAMES, COCO_LOGITS).detect(
        PICTURE
    )
    assert [coco.NAMES[i] for i in found.labels] == ["person", "bicycle"]


def test_a_picture_full_of_boxes_gives_no_more_than_the_limit():
    everywhere = {(i, 1): 1.0 for i in range(1917)}
    assert len(SSDDetector("p", [planted(everywhere)]).detect(PICTURE)) == 100


def test_an_untrained_network_does_no_harm():
    torch.manual_seed(0)
    network = SSDMobileNetV1().eval()
    for parameter in network.parameters():
        parameter.data *= 4
    found = SSDDetector("c", [SSDPass(runner(network))], coco.NAMES, COCO_LOGITS).detect(FRAME)
    assert np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()


def test_labels_belong_to_cocos_categories():
    assert len(coco.NAMES) == len(set(coco.NAMES)) == len(coco.CATEGORY_IDS) == 80
    ids = dict(zip(coco.NAMES, coco.CATEGORY_IDS, strict=True))
    assert [ids[n] for n in ("person", "stop sign", "dog", "tv", "toothbrush")] == [1, 13, 18, 72, 90]
    assert (COCO_LOGITS >= 0).sum() == 80 and PERSON_LOGITS.tolist() == [-1, 0]


@pytest.mark.parametrize("floor", [0.0, 1.0, -1.0])
def test_a_floor_outside_0_to_1_is_refused(floor):
    with pytest.raises(ValueError, match="score_floor"):
        Thresholds(floor, 0.5)
