"""Made-up maps of the people network, in which people are planted."""

from dataclasses import dataclass

import numpy as np
from sepcam.models.people.maps import Cells, Maps
from sepcam.models.people.types import People, View, mapped


@dataclass
class Planted:
    """What the network says of every cell; regress and offset (17, 2, H, W), the others (2, H, W)."""

    center: np.ndarray
    heatmap: np.ndarray
    regress: np.ndarray
    offset: np.ndarray
    box_scale: np.ndarray
    box_offset: np.ndarray

    def maps(self, features=24):
        def read(rows, columns):
            parts = self.regress, self.offset, self.box_scale, self.box_offset
            return Cells(*(np.moveaxis(part[..., rows, columns], -1, 0) for part in parts))

        return Maps(self.center, self.heatmap, np.zeros((*self.center.shape, features), np.float32), read)


def empty_maps(height, width):
    """Maps of height x width cells in which nobody is; offsets point to the cells' middles."""
    pairs = (17, 2, height, width)
    return Planted(
        center=np.zeros((height, width), np.float32),
        heatmap=np.zeros((17, height, width), np.float32),
        regress=np.zeros(pairs, np.float32),
        offset=np.full(pairs, 0.5, np.float32),
        box_scale=np.ones((2, height, width), np.float32),
        box_offset=np.full((2, height, width), 0.5, np.float32),
    )


def plant(maps, box, keypoints, score=0.9, keypoint_score=0.8, regress_error=0.0):
    """Writes a person as the network would: box (4,) x1 y1 x2 y2 and keypoints (17, 2) x, y in pixels."""
    (x1, y1, x2, y2), keypoints = np.asarray(box) / 4, np.asarray(keypoints) / 4
    column, row = int((x1 + x2) / 2), int((y1 + y2) / 2)
    maps.center[row, column] = score
    maps.box_scale[:, row, column] = y2 - y1, x2 - x1
    maps.box_offset[:, row, column] = (y1 + y2) / 2 - row, (x1 + x2) / 2 - column
    for joint, (x, y) in enumerate(keypoints):
        j, i = int(x), int(y)
        maps.regress[joint, :, row, column] = i - row + regress_error, j - column + regress_error
        maps.heatmap[joint, i, j] = keypoint_score
        maps.offset[joint, :, i, j] = y - i, x - j


def in_input(people: People, view: View) -> People:
    """The people of an image in a view's input: the inverse of ``View.to_image``."""
    scale = np.array(view.scale)
    return mapped(people, scale, -np.array(view.origin) * scale)
