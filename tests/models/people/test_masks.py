"""The mask head is given what it was trained on, and its masks lie where the people are."""

import numpy as np
import pytest
import torch
from sepcam.models.ops.masks import place_masks
from sepcam.models.people.masks import CHANNELS, FEATURES, GRID, MASK_SIZE, mask_affines, mask_inputs
from sepcam.models.people.types import People, View
from torch.nn import functional as F

from tests.models.people.people_maps import in_input


def person(box, keypoints=(), view=0):
    points = np.zeros((1, 17, 3), np.float32)
    points[0, : len(keypoints)] = np.array(keypoints).reshape(-1, 3)
    one = np.ones(1, np.float32)
    return People(np.array([box], np.float32), one, points, one, one, np.array([view]))


BOXES = {
    "inside": (40, 30, 100, 140),
    "at the border": (-20, 60, 60, 200),
    "tiny": (100, 100, 101, 102),
    "larger than the input": (-50, -60, 400, 300),
}


@pytest.mark.parametrize("name", BOXES)
def test_features_are_sampled_bilinearly_with_zeros_beyond_the_input(name):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(48, 64, FEATURES)).astype(np.float32)
    inputs = mask_inputs(features, person(BOXES[name]))
    assert inputs.shape == (1, GRID, GRID, CHANNELS) and inputs.dtype == np.float32
    x1, y1, x2, y2 = np.array(BOXES[name]) / 4
    half = np.maximum([(x2 - x1) / 2 * 1.15, (y2 - y1) / 2 * 1.15], 1)
    ticks = (np.arange(GRID) + 0.5) / GRID * 2 - 1
    x, y = ((x1 + x2) / 2 + ticks * half[0]) / 64 * 2 - 1, ((y1 + y2) / 2 + ticks * half[1]) / 48 * 2 - 1
    grid = torch.tensor(np.stack(np.meshgrid(x, y), -1)[None], dtype=torch.float32)
    source = torch.from_numpy(features).permute(2, 0, 1)[None]
    exact = F.grid_sample(source, grid, align_corners=False)[0].permute(1, 2, 0).numpy()
    # Positions are rounded to 1/32 of a cell.
    np.testing.assert_allclose(inputs[0, ..., :FEATURES], exact, atol=0.15)
    assert np.abs(inputs[0, ..., :FEATURES] - exact).mean() < 0.02
    np.testing.assert_allclose(inputs[0, 3, 5, -2:], np.log2(half) / 4, rtol=1e-5)


def test_keypoints_become_gaussians_times_their_scores():
    box, keypoints = (40, 40, 140, 240), [(90, 140, 0.5), (40, 140, 1.0), (900, 900, 1.0)]
    bells = mask_inputs(np.zeros((80, 80, FEATURES), np.float32), person(box, keypoints))[0, ..., FEATURES:-2]
    assert bells.shape == (GRID, GRID, 17)
    middle, left, away = (bells[..., joint] for joint in range(3))
    assert middle[19:21, 19:21] == pytest.approx(0.5, rel=0.1) and middle.max() <= 0.5
    row, column = np.unravel_index(left.argmax(), left.shape)
    # In an area of 115 x 230 around the person, 100 wide, whose left edge is 7.5 from the area's.
    assert row in (19, 20) and column == pytest.approx(7.5 / 115 * GRID - 0.5, abs=0.6)
    assert not away.any() and not bells[..., 3:].any()
    assert (
        np.abs(middle[20] - 0.5 * np.exp(-(((np.arange(GRID) - 19.5) / 20) ** 2) / (2 * 0.12**2))).max()
        < 0.02
    )


def test_nobody_needs_no_mask():
    assert mask_inputs(np.zeros((8, 8, FEATURES), np.float32), People.empty()).shape == (
        0,
        GRID,
        GRID,
        CHANNELS,
    )
    assert mask_affines(People.empty(), View((0, 0), (1, 1))).shape == (0, 2, 3)


@pytest.mark.parametrize(("origin", "scale"), [((0.0, 0.0), (1.0, 1.0)), ((30.5, -12.0), (0.5, 0.52))])
def test_masks_lie_where_the_person_is(origin, scale):
    view = View(origin, scale)
    in_image = person((100, 80, 180, 280))
    # The whole area of the mask is the person's; what is beyond the box grown by 2.5 % a side is cut.
    logits = np.full((1, MASK_SIZE, MASK_SIZE), 5, np.float32)
    logits[:, :, MASK_SIZE // 2 :] = -5  # but not its right half
    affines = mask_affines(in_input(in_image, view), view)
    ((mask, x, y),) = place_masks(logits, affines, in_image.boxes, (300, 400))
    assert (x, y) == (98, 75) and mask.shape == (210, 84)
    columns = np.flatnonzero(mask.any(0)) + x
    assert columns[0] == 98 and columns[-1] == pytest.approx(139, abs=1)
    assert mask[:, 0].all()
