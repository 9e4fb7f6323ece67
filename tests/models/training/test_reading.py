"""On tensors, keypoints and the mask head's inputs are those that the product computes."""

import numpy as np
import torch
from sepcam.models.people import decoding, masks
from sepcam.models.people.maps import Cells, Maps
from sepcam.models.people.types import People
from sepcam.models.training import reading

HEIGHT, WIDTH = 24, 32
BOXES = np.array([[4, 5, 14, 20], [20, 0, 32, 23.5], [10, 10, 11, 12]], np.float32)  # in cells
RNG = np.random.default_rng(0)


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array))


def test_keypoints_are_those_of_the_decoding():
    heat = RNG.random((17, HEIGHT, WIDTH), np.float32)
    offset = RNG.random((HEIGHT, WIDTH, 34), np.float32)
    starts = RNG.uniform(2, 20, (3, 17, 2)).astype(np.float32)

    def read(rows, columns):
        values = np.zeros((len(rows), 72), np.float32)
        values[:, 34:68] = offset[rows, columns]
        return Cells.of(values)

    maps = Maps(heat[0], heat, np.zeros((HEIGHT, WIDTH, 24), np.float32), read)
    wanted = decoding.keypoints_at(maps, starts, BOXES, np.tile([0, WIDTH], (3, 1)))
    planes = torch.stack([torch.zeros(17, HEIGHT, WIDTH), tensor(heat)])
    offsets = tensor(np.stack([0 * offset, offset])).permute(0, 3, 1, 2)
    index = torch.ones(3, dtype=torch.int64)
    found = reading.keypoints_at(planes, offsets, index, tensor(starts), tensor(BOXES))
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-5)


def test_inputs_of_the_mask_head_are_those_of_the_product():
    smooth = np.add.outer(np.linspace(0, 1, HEIGHT), np.linspace(0, 2, WIDTH)).astype(np.float32)
    features = smooth[..., None] * RNG.random(24, np.float32)
    keypoints = np.concatenate([RNG.uniform(2, 20, (3, 17, 2)), RNG.random((3, 17, 1))], 2).astype(np.float32)
    ones = np.ones(3, np.float32)
    in_pixels = keypoints * np.array([4, 4, 1], np.float32)
    people = People(BOXES * 4, ones, in_pixels, ones, ones, np.zeros(3, np.int64))
    wanted = masks.mask_inputs(features, people)
    planes = tensor(features[None]).permute(0, 3, 1, 2)
    index = torch.zeros(3, dtype=torch.int64)
    found = reading.mask_inputs(planes, index, tensor(BOXES), tensor(keypoints))
    # OpenCV rounds positions to 1/32 of a cell; at the edge a 32nd of a value may be missing.
    np.testing.assert_allclose(found.numpy()[..., :24], wanted[..., :24], atol=0.05)
    assert abs(found.numpy()[..., :24] - wanted[..., :24]).mean() < 1e-3
    np.testing.assert_allclose(found.numpy()[..., 24:], wanted[..., 24:], atol=1e-5)


def test_the_highest_cell_around_each_is_found_within_the_map():
    center = torch.zeros(2, 1, HEIGHT, WIDTH)
    center[1, 0, 4, 6] = center[0, 0, 23, 30] = 1
    cells = torch.tensor([[1, 5, 5], [0, 23, 31], [0, 0, 0], [1, 4, 9]])
    found = reading.best_cells(center, cells)
    assert found[:2].tolist() == [[1, 4, 6], [0, 23, 30]]
    assert found[2].tolist()[1:] == [0, 0] and int(found[3, 0]) == 1
