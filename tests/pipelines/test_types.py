"""Masks as crops and as COCO's RLE, and objects as other libraries hold them."""

import numpy as np
import pytest
from faster_coco_eval.core import mask as faster_mask
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask
from sepcam.pipelines.types import Frame, Instances, MaskCrop

# pycocotools 2.0.11 asks numpy 2 for arrays in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@st.composite
def crops_in_frames(draw):
    pixels = draw(
        hnp.arrays(
            np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 2)
        )
    )
    above, below, left, right = draw(st.tuples(*[st.integers(0, 4)] * 4))
    height, width = pixels.shape[0] + above + below, pixels.shape[1] + left + right
    return MaskCrop(pixels, left, above), height, width


class TestMaskCrop:
    @given(crops_in_frames())
    def test_rle_is_what_pycocotools_makes_of_the_full_mask(self, case):
        crop, height, width = case
        full = crop.to_full(height, width)
        rle = crop.to_rle(height, width)
        expected = coco_mask.encode(np.asfortranarray(full.astype(np.uint8)))
        assert rle == {"size": [height, width], "counts": expected["counts"].decode()}

    @given(crops_in_frames())
    def test_rle_comes_back_as_the_same_mask_in_both_readers(self, case):
        crop, height, width = case
        full = crop.to_full(height, width)
        rle = crop.to_rle(height, width)
        np.testing.assert_array_equal(coco_mask.decode(rle), full)
        np.testing.assert_array_equal(faster_mask.decode(rle), full)
        assert coco_mask.area(rle) == crop.area == full.sum()

    def test_a_full_mask_stands_where_the_crop_says(self):
        full = MaskCrop(np.ones((2, 3), np.uint8), x=4, y=1).to_full(5, 8)
        assert full.sum() == 6
        assert full[1:3, 4:7].all()

    def test_a_large_person_in_a_large_frame(self):
        pixels = np.zeros((1500, 700), np.uint8)
        pixels[100:1400, 50:650] = 1
        rle = MaskCrop(pixels, 3000, 600).to_rle(2160, 3840)
        assert coco_mask.area(rle) == 1300 * 600
        assert coco_mask.toBbox(rle).tolist() == [3050, 700, 600, 1300]

    @pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1)])
    def test_a_crop_never_begins_outside(self, x, y):
        with pytest.raises(ValueError, match="must lie in the frame"):
            MaskCrop(np.ones((2, 2), np.uint8), x, y)

    def test_a_crop_that_leaves_the_frame_has_no_rle(self):
        with pytest.raises(ValueError, match="leaves the 5x5 frame"):
            MaskCrop(np.ones((3, 3), np.uint8), 3, 0).to_rle(5, 5)


class TestChecks:
    @pytest.mark.parametrize(
        "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)]
    )
    def test_a_frame_is_bgr_bytes(self, image):
        with pytest.raises(ValueError, match="must be"):
            Frame(image, 0, 0.0)

    def test_a_frames_index_is_not_negative(self):
        with pytest.raises(ValueError, match="index"):
            Frame(np.zeros((4, 4, 3), np.uint8), -1, 0.0)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"scores": np.zeros(3, np.float32)},
            {"track_ids": np.zeros(1, np.int64)},
            {"keypoints": np.zeros((2, 33), np.float32)},
            {"masks": [None]},
        ],
    )
    def test_objects_have_one_of_each(self, wrong):
        right = {"boxes": np.zeros((2, 4), np.float32), "scores": np.zeros(2, np.float32)}
        with pytest.raises(ValueError, match="must be"):
            Instances(size=(4, 4), labels=np.zeros(2, np.int64), names=["person"], **(right | wrong))


class TestSupervision:
    @pytest.fixture
    def found(self):
        return Instances(
            size=(40, 60),
            boxes=np.array([[1, 2, 11, 22], [20, 5, 30, 15]], np.float32),
            scores=np.array([0.9, 0.5], np.float32),
            labels=np.array([0, 1]),
            names=["person", "dog"],
            track_ids=np.array([7, 3]),
            keypoints=np.arange(12, dtype=np.float32).reshape(2, 2, 3),
            masks=[MaskCrop(np.ones((4, 5), np.uint8), 2, 3), None],
        )

    def test_detections(self, found):
        detections = found.to_supervision()
        np.testing.assert_array_equal(detections.xyxy, found.boxes)
        assert detections.tracker_id.tolist() == [7, 3]
        assert detections["class_name"].tolist() == ["person", "dog"]
        assert detections.mask.shape == (2, 40, 60)
        assert detections.mask.sum(axis=(1, 2)).tolist() == [20, 0]
        assert found.people.tolist() == [True, False]

    def test_keypoints(self, found):
        points = found.to_supervision_keypoints()
        np.testing.assert_array_equal(points.xy, found.keypoints[..., :2])

    def test_no_keypoints_without_poses(self, found):
        bare = Instances(found.size, found.boxes, found.scores, found.labels, found.names)
        with pytest.raises(ValueError, match="run with the task 'pose'"):
            bare.to_supervision_keypoints()

    def test_nobody(self):
        empty = np.zeros((0, 4), np.float32)
        nobody = Instances(
            (4, 4), empty, np.zeros(0, np.float32), np.zeros(0, np.int64), ["person"], masks=[]
        )
        assert len(nobody.to_supervision()) == 0
