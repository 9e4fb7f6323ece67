"""What `people.decoding` and `people.masks` compute of the network's outputs, on tensors of a whole batch.

People are named by cells, (N, 3) int64: the input in the batch, row and column.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.movenet import KEYPOINTS
from ..people.decoding import LEAST_MARGIN, MARGIN, NEAR
from ..people.masks import GRID, GROW, LEAST, OCTAVES, SIGMA


def values_at(maps: Tensor, cells: Tensor) -> Tensor:
    """(N, C), what (B, C, H, W) maps hold in cells."""
    index, row, column = cells.T
    return maps[index, :, row, column]


def pairs(maps: Tensor) -> Tensor:
    """(B, 2 C, ...) to (B, C, 2, ...)."""
    return maps.unflatten(1, (-1, 2))


def around(cells: Tensor, height: int, width: int) -> Tensor:
    """(N, 9, 3), each cell's 3 x 3 neighborhood by rows; beyond the maps it is the cells at their edge."""
    ticks = torch.arange(-1, 2, device=cells.device)
    steps = F.pad(torch.cartesian_prod(ticks, ticks), (1, 0))
    limits = torch.tensor([2**31, height - 1, width - 1], device=cells.device)
    return (cells[:, None] + steps).clamp(min=0).minimum(limits)


def best_cells(center: Tensor, cells: Tensor) -> Tensor:
    """(N, 3), the cells of each cell's 3 x 3 neighborhood where the (B, 1, H, W) center map is highest."""
    near = around(cells, *center.shape[2:])
    index, row, column = near.unbind(2)
    best = center[index, 0, row, column].argmax(1)
    return near[torch.arange(len(cells), device=cells.device), best]


def starts_at(regress: Tensor, cells: Tensor) -> Tensor:
    """(N, 17, 2) y, x in cells: where the centers in cells say that the keypoints are."""
    return pairs(values_at(regress, cells)) + cells[:, None, 1:]


def search(starts: Tensor, boxes: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Where the keypoints of people are searched.

    Args:
        starts: (N, 17, 2) y, x in cells.
        boxes: (N, 4) x1 y1 x2 y2 in cells.
        height: of the maps.
        width: of the maps.

    Returns:
        (N, 17, H, W), what a heatmap is divided by, and (N, 1, H, W) bool, the cells around each box.
    """
    rows = torch.arange(height, device=starts.device)
    columns = torch.arange(width, device=starts.device)
    dy, dx = rows - starts[..., :1], columns - starts[..., 1:]
    distance = ((dy * dy)[..., :, None] + (dx * dx)[..., None, :]).sqrt() + float(NEAR)
    margin = (MARGIN * (boxes[:, 2:] - boxes[:, :2])).clamp(min=LEAST_MARGIN)
    low, high = (boxes[:, :2] - margin).floor(), (boxes[:, 2:] + margin).ceil() + 1
    in_rows = (rows >= low[:, 1:]) & (rows < high[:, 1:])
    in_columns = (columns >= low[:, :1]) & (columns < high[:, :1])
    return distance, (in_rows[:, :, None] & in_columns[:, None])[:, None]


def keypoints_at(heatmap: Tensor, offset: Tensor, index: Tensor, starts: Tensor, boxes: Tensor) -> Tensor:
    """The keypoints of people, see `decoding.keypoints_at`.

    Args:
        heatmap: (B, 17, H, W) probabilities.
        offset: (B, 34, H, W).
        index: (N,) int64, the input that each person is in.
        starts: (N, 17, 2) y, x in cells.
        boxes: (N, 4) x1 y1 x2 y2 in cells.

    Returns:
        (N, 17, 3) x, y in cells, and the heatmap's score.
    """
    heat = heatmap[index]
    distance, inside = search(starts, boxes, *heat.shape[2:])
    best = (heat / distance * inside).flatten(2).argmax(2)
    row, column = best // heat.shape[3], best % heat.shape[3]
    kinds = torch.arange(KEYPOINTS, device=index.device)
    within = pairs(offset)[index[:, None], kinds, :, row, column]
    score = heat.flatten(2).gather(2, best[..., None])
    return torch.cat([column[..., None] + within[..., 1:], row[..., None] + within[..., :1], score], 2)


def mask_inputs(features: Tensor, index: Tensor, boxes: Tensor, keypoints: Tensor) -> Tensor:
    """What the mask head is given of people, see `masks.mask_inputs`.

    Args:
        features: (B, 24, H, W).
        index: (N,) int64, the input that each person is in.
        boxes: (N, 4) x1 y1 x2 y2 in cells.
        keypoints: (N, 17, 3) x, y in cells, and the score.

    Returns:
        (N, 40, 40, 43) float32.
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = ((boxes[:, 2:] - boxes[:, :2]) / 2 * float(GROW)).clamp(min=float(LEAST))
    ticks = (torch.arange(GRID, device=features.device) + 0.5) * (2 / GRID) - 1
    size = torch.tensor(features.shape[:1:-1], device=features.device)
    places = (middle[..., None] + half[..., None] * ticks) * (2 / size)[:, None] - 1  # (N, xy, 40)
    x, y = places[:, 0, None].expand(-1, GRID, -1), places[:, 1, :, None].expand(-1, -1, GRID)
    seen = F.grid_sample(features[index], torch.stack([x, y], 3), align_corners=False).permute(0, 2, 3, 1)
    joints = (keypoints[..., :2] - middle[:, None]) / half[:, None]
    distance = joints[:, None] - ticks[:, None, None]  # (N, 40, 17, xy)
    bells = torch.exp(distance.square() * (-0.5 / SIGMA**2))
    scores = keypoints[:, None, None, :, 2].clamp(0, 1)
    bell = bells[:, :, None, :, 1] * bells[:, None, :, :, 0] * scores
    extent = (half.log2() / float(OCTAVES))[:, None, None].expand(-1, GRID, GRID, -1)
    return torch.cat([seen, bell, extent], 3)
