"""Images are fitted into a network's input without changing their shape."""

import cv2
import numpy as np
import pytest
from sepcam.models.ops.letterbox import Letterbox


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("shape", [(50, 100), (64, 96), (500, 300), (1, 1), (3, 999)])
def test_the_image_lies_at_the_top_left_and_the_rest_is_gray(shape, average):
    letterbox = Letterbox((64, 96), 7, average=average)
    letterbox(np.zeros((96, 64, 3), np.uint8))  # of another shape, before
    batch, scale = letterbox(np.full((*shape, 3), 200, np.uint8))
    assert batch.shape == (1, 64, 96, 3)
    height, width = (round(side * factor) for side, factor in zip(shape, scale[::-1], strict=True))
    assert height == 64 or width == 96
    assert (batch[0, :height, :width] == 200).all()
    assert (batch[0, height:] == 7).all() and (batch[0, :, width:] == 7).all()


@pytest.mark.parametrize("shape", [(64, 64), (130, 130), (257, 257), (600, 600)])
def test_averaging_keeps_what_sampling_would_skip(shape):
    image = np.zeros((*shape, 3), np.uint8)
    image[::2] = 255
    batch, _ = Letterbox((32, 32), average=True)(image)
    assert np.abs(batch[0].astype(int) - 127).max() < 40
    assert abs(batch.mean() - image.mean()) < 3


def test_averaging_is_opencvs_between_one_and_two():
    image = np.random.default_rng(0).integers(0, 256, (48, 60, 3), np.uint8)
    batch, _ = Letterbox((32, 40), average=True)(image)
    np.testing.assert_array_equal(batch[0], cv2.resize(image, (40, 32), interpolation=cv2.INTER_AREA))
