"""Made-up outputs of the people network, in which people are planted."""

import numpy as np
from sepcam.models.people.decoding import Maps


def empty_maps(height, width):
    """Maps of height x width cells in which nobody is; offsets point to the cells' middles."""
    pairs = (17, 2, height, width)
    return Maps(
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


def as_outputs(maps, features=24):
    """The maps as the network gives them for one image, features last."""
    height, width = maps.center.shape
    outputs = (maps.center[None], maps.heatmap, maps.regress, maps.offset, maps.box_scale, maps.box_offset)
    flat = tuple(np.ascontiguousarray(m.reshape(1, -1, height, width)) for m in outputs)
    return (*flat, np.zeros((1, height, width, features), np.float32))
