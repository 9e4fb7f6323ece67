"""YOLOX-nano gives ONNX Runtime's outputs, and its predictions become the right boxes."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sepcam.models.detectors.yolox import YOLOXDetector, check_yolox_size, decode_yolox, yolox_cells
from sepcam.models.errors import SepcamError
from sepcam.models.networks.yolox import YOLOXNano
from sepcam.models.ops import coco
from sepcam.models.types import Detector
from sepcam.models.weights.importers import load_convs, read_onnx

GOLDEN = Path(__file__).parents[2] / "golden"
FRAME = cv2.imread(str(GOLDEN / "market_street.png"))
SIZE = (64, 96)


def runner(network):
    def run(batch):
        with torch.inference_mode():
            return tuple(out.numpy() for out in network(torch.from_numpy(batch)))

    return run


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="module")
def network() -> YOLOXNano:
    """With random weights."""
    torch.manual_seed(0)
    return YOLOXNano().eval()


@pytest.fixture(scope="module")
def trained(published_weights) -> YOLOXNano:
    module = YOLOXNano().eval()
    load_convs(module, read_onnx(published_weights / "yolox_nano.onnx"))
    return module


def test_it_has_the_published_number_of_parameters(network):
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(0.91e6, rel=0.01)


def test_outputs_are_onnx_runtimes(trained):
    canvas = np.full((1, 416, 416, 3), 114, np.uint8)
    canvas[0, :300, :300] = FRAME
    (ours,) = runner(trained)(canvas)
    assert ours.shape == (1, 3549, 85) and ours.dtype == np.float32
    golden = np.load(GOLDEN / "yolox_nano.npz")
    ours = ours[0, golden["cells"]].copy()
    ours[:, 4:] = sigmoid(ours[:, 4:])
    np.testing.assert_allclose(ours, golden["predictions"], atol=1e-3, rtol=0)


def test_people_are_found_where_they_are(trained):
    found = YOLOXDetector("yolox-nano", runner(trained)).detect(FRAME)
    people = found[(found.labels == 0) & (found.scores > 0.5)]
    reference = np.load(GOLDEN / "ssdlite_person.npz")
    best = reference["boxes"][0][[1, 0, 3, 2]] * 300
    overlap = np.minimum(people.boxes[:, 2:], best[2:]) - np.maximum(people.boxes[:, :2], best[:2])
    both = overlap.clip(0).prod(1)
    areas = (people.boxes[:, 2:] - people.boxes[:, :2]).prod(1) + (best[2:] - best[:2]).prod()
    assert (both / (areas - both)).max() > 0.7


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (416, 416), (384, 640)])
def test_there_is_a_cell_for_every_prediction(size):
    (out,) = YOLOXNano().to("meta")(torch.empty((2, *size, 3), dtype=torch.uint8, device="meta"))
    cells = yolox_cells(size)
    assert out.shape == (2, len(cells), 85)
    assert len(cells) == sum(size[0] // s * size[1] // s for s in (8, 16, 32))


def test_boxes_are_decoded_by_the_papers_formula():
    rng = np.random.default_rng(0)
    cells = yolox_cells(SIZE)
    predictions = rng.normal(size=(len(cells), 85)).astype(np.float32)
    expected, i = [], 0
    for stride in (8, 16, 32):
        for row in range(SIZE[0] // stride):
            for column in range(SIZE[1] // stride):
                x, y, w, h = predictions[i, :4]
                cx, cy, w, h = (
                    (x + column) * stride,
                    (y + row) * stride,
                    np.exp(w) * stride,
                    np.exp(h) * stride,
                )
                expected.append([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
                i += 1
    np.testing.assert_allclose(decode_yolox(predictions, cells), expected, rtol=1e-4, atol=1e-4)


def planted(objects: dict[int, tuple[float, int, float]], width: float = 2):
    """A network that sees just these, ``width`` cells wide: cell -> objectness logit, class, class logit."""

    def run(batch):
        assert batch.shape == (1, *SIZE, 3) and batch.dtype == np.uint8
        out = np.full((1, len(yolox_cells(SIZE)), 85), -200, np.float32)
        out[..., :4] = 0.5, 0.5, np.log(width), 0
        for cell, (objectness, label, logit) in objects.items():
            out[0, cell, 4], out[0, cell, 5 + label] = objectness, logit
        return (out,)

    return YOLOXDetector("y", run, SIZE)


def test_boxes_come_in_pixels_of_the_picture_best_first():
    detector = planted({0: (4.0, 16, 1.0), 12 * 3 + 5: (2.0, 0, 3.0)})
    found = detector.detect(np.zeros((128, 128, 3), np.uint8))  # shown at half its size, at the top left
    assert isinstance(detector, Detector)
    assert [coco.NAMES[i] for i in found.labels] == ["person", "dog"]
    np.testing.assert_allclose(
        found.scores, sigmoid(np.array([2.0, 4.0])) * sigmoid(np.array([3.0, 1.0])), rtol=1e-5
    )
    np.testing.assert_allclose(found.boxes, [[72, 48, 104, 64], [0, 0, 24, 16]], atol=1e-3)


def test_a_box_beside_the_picture_is_dropped():
    found = planted({12 * 3 + 11: (4.0, 0, 4.0)}).detect(np.zeros((128, 128, 3), np.uint8))
    assert len(found) == 0


def test_what_lacks_objectness_or_a_class_is_not_reported():
    assert len(planted({3: (-3.0, 0, 5.0), 9: (5.0, 0, -3.0)}).detect(FRAME)) == 0


def test_overlapping_boxes_of_a_class_are_one_object():
    neighbors = {0: (3.0, 0, 1.0), 1: (4.0, 0, 1.0), 2: (3.0, 2, 1.0)}
    picture = np.zeros((*SIZE, 3), np.uint8)
    assert planted(neighbors, width=2).detect(picture).labels.tolist() == [0, 0, 2]
    assert planted(neighbors, width=11).detect(picture).labels.tolist() == [0, 2]


@pytest.mark.parametrize("size", [(416, 400), (0, 32), (33, 32)])
def test_a_size_that_is_no_multiple_of_32_is_refused(size):
    with pytest.raises(SepcamError, match="multiples of 32"):
        check_yolox_size(size)


def test_an_untrained_network_does_no_harm():
    torch.manual_seed(0)
    module = YOLOXNano().eval()
    for parameter in module.parameters():
        parameter.data *= 4
    found = YOLOXDetector("y", runner(module), SIZE).detect(FRAME)
    assert np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()
