"""The lite and heavy BlazePose networks give LiteRT's numbers, and selfie segmentation gives MediaPipe's.

The references in golden/ are what those make of the crop in ``blazepose_a.npz`` (mask logits at every fourth
pixel, heatmaps at every eighth, both rounded to float16 when they were stored; probabilities to 1 / 255).
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sepcam.models import zoo
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conversion import to_standard
from sepcam.models.pose.segmentation import RegionSegmenter
from sepcam.models.registry import REGISTRY
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import PoseEstimator
from sepcam.models.weights.store import WeightStore
from sepcam.pipelines.types import Frame

from tests.walkers import analyzer_of

GOLDEN = Path(__file__).parents[2] / "golden"
OPTIONS = RuntimeOptions("openvino", "cpu", "f32", threads=2)
WHOLE = np.array([[128, 128, 256, 0]], np.float32)


@pytest.fixture(scope="module")
def crop():
    return cv2.imdecode(np.load(GOLDEN / "blazepose_a.npz")["image_png"], cv2.IMREAD_COLOR)


def trained(name):
    network = REGISTRY[name].build().eval()
    network.load_state_dict(WeightStore().load(name))
    return network


def outputs(network, picture):
    with torch.inference_mode():
        return [output[0].numpy() for output in network(torch.from_numpy(picture[None]))]


@pytest.mark.parametrize("size", ["lite", "heavy"])
def test_agrees_with_litert(size, crop):
    reference = np.load(GOLDEN / f"blazepose-{size}.npz")
    landmarks, presence, mask, heatmaps, world = outputs(trained(f"blazepose-{size}"), crop)
    np.testing.assert_allclose(landmarks, reference["landmarks"], atol=0.05)
    np.testing.assert_allclose(presence, reference["presence"], atol=1e-4)
    np.testing.assert_allclose(world, reference["world"], atol=1e-4)
    np.testing.assert_allclose(mask[::4, ::4], reference["mask_logits_every_4th"], atol=1)
    np.testing.assert_allclose(heatmaps[::8, ::8], reference["heatmaps_every_8th"], atol=0.1)


def test_without_its_mask_everything_else_stays(crop):
    network = trained("blazepose-heavy")
    landmarks, presence, _mask, heatmaps, world = outputs(network, crop)
    for fewer, every in zip(
        outputs(network.without_mask(), crop), (landmarks, presence, heatmaps, world), strict=True
    ):
        np.testing.assert_array_equal(fewer, every)


def test_lite_is_the_same_with_standard_convolutions(crop):
    network = trained("blazepose-lite")
    for one, other in zip(outputs(network, crop), outputs(to_standard(network), crop), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 * max(np.abs(one).max(), 1))


def test_lite_is_a_pose_estimator_by_name(crop):
    pose = zoo.load_pose("blazepose-lite", options=OPTIONS, masks=True)
    assert isinstance(pose, PoseEstimator) and pose.name == "blazepose-lite"
    assert pose.estimate(crop, WHOLE, masks=True).presence[0] > 0.99


# --- selfie segmentation ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def selfie():
    return zoo.load_pose("selfie-segmentation", options=OPTIONS)


def test_agrees_with_mediapipe(selfie, crop):
    reference = np.load(GOLDEN / "selfie.npz")["probability_u8"] / 255
    logits = selfie.estimate(crop, WHOLE, masks=True).mask_logits[0]
    np.testing.assert_allclose(1 / (1 + np.exp(-np.clip(logits, -30, 30))), reference, atol=0.004)


def test_it_gives_masks_of_people_and_no_skeletons(selfie, crop):
    assert isinstance(selfie, RegionSegmenter) and isinstance(selfie, PoseEstimator)
    assert selfie.parts == {"segment"}
    poses = selfie.estimate(crop, np.repeat(WHOLE, 3, 0), masks=True)
    assert poses.keypoints.shape == (3, 0, 3) and poses.mask_logits.shape == (3, 256, 256)
    assert selfie.estimate(crop, WHOLE, masks=False).mask_logits is None
    assert len(selfie.estimate(crop, WHOLE[:0], masks=True)) == 0


class OnePerson:
    name, labels, parts = "one", ("person",), frozenset()

    def detect(self, image):
        from sepcam.models.types import Detections

        return Detections(
            np.array([[60, 10, 200, 250]], np.float32), np.array([0.9], np.float32), np.array([0])
        )


def test_it_outlines_tracked_people_and_is_refused_for_skeletons(selfie, crop):
    analyzer = analyzer_of(OnePerson(), selfie, {"track", "segment"}, fps=25)
    found = [analyzer.analyze(Frame(crop, index, index / 25))[0] for index in range(3)][-1]
    assert found.track_ids.tolist() == [1] and found.keypoints is None
    assert found.masks[0].area > 2000
    with pytest.raises(SepcamError, match="selfie-segmentation finds no skeletons"):
        analyzer_of(OnePerson(), selfie, {"track", "pose"})
