"""How far the network is from the labels of people: their boxes and keypoints as the product reads them.

All lengths are in cells; a cell is named by its input in the batch, row and column.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss

from .reading import around, pairs, search, starts_at, values_at
from .targets import BODY, JOINT_SCALES

_LEAST_SIZE = 1.5  # root of a body's area in cells, at least
_SHARPNESS = 3.0  # by which the logarithms of what the decoding compares are multiplied
_PLACE_SPREAD, _PLACE_SIGMA = 0.5, (0.6, 1.6)  # of a keypoint's Gaussian: of similarity's scale; in cells
_LEAST_INSIDE = 1e-3  # of that Gaussian's sum, in the cells that are searched
_OUTSIDE = -1e4  # logarithm of a cell that is not
_OFFSET_WEIGHTS = (0.3, 0.5, 0.3, 0.5, 1.0, 0.5, 0.3, 0.5, 0.3)  # of the 3 x 3 cells around a keypoint
_FARTHEST_OFFSET = 2.0  # error in cells beyond which an offset does not learn


def size_losses(
    outputs: Mapping[str, Tensor],
    teacher: Tensor,
    boxes: Tensor,
    known: tuple[Tensor, Tensor],
    cells: Tensor,
) -> dict[str, Tensor]:
    """``box`` and ``regress``: the box and the rough keypoints that each person's center tells.

    Args:
        outputs: of the heads.
        teacher: (B, 34, H, W), the rough keypoints of the network that training began with.
        boxes: (N, 4) x1 y1 x2 y2.
        known: (N, 17, 3) labeled x, y, and 1 where labeled, else 0; (N,) bool, whom the teacher has found.
        cells: (N, 3) int64, where to read of each person.
    """
    keypoints, found = known
    scale, offset = (values_at(outputs[name], cells) for name in ("box_scale", "box_offset"))
    middle, half = (cells[:, 1:] + offset).flip(1), scale.clamp(min=0.5).flip(1) / 2
    read = torch.cat([middle - half, middle + half], 1)
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0.5)
    near = F.smooth_l1_loss(read / sides.repeat(1, 2), boxes / sides.repeat(1, 2), beta=0.1)
    box = generalized_box_iou_loss(read, boxes, reduction="mean") + near
    start = starts_at(outputs["kpt_regress"], cells)
    # What is neither labeled nor found by the teacher is right as it is.
    held = torch.where(found[:, None, None], starts_at(teacher, cells), start.detach())
    wanted = torch.where(keypoints[..., 2:] > 0, keypoints[..., :2].flip(-1), held)
    size = _sizes(boxes)[:, None, None]
    return {"box": box, "regress": F.smooth_l1_loss(start / size, wanted / size, beta=0.1)}


def place_loss(outputs: Mapping[str, Tensor], keypoints: Tensor, boxes: Tensor, cells: Tensor) -> Tensor:
    """Which cell each labeled keypoint is found in, as the decoding chooses it and COCO's similarity judges.

    The decoding takes the cell where the heatmap, divided by the distance to the rough keypoint, is highest.
    This is the cross-entropy of a softmax over the logarithms, against a Gaussian of half similarity's scale.

    Args:
        outputs: of the heads; the rough keypoints do not learn from it.
        keypoints: (N, 17, 3) x, y, and 1 where labeled, else 0.
        boxes: (N, 4) x1 y1 x2 y2.
        cells: (N, 3) int64, where to read of each person.
    """
    heat = outputs["kpt_heatmap"][cells[:, 0]]
    start = starts_at(outputs["kpt_regress"].detach(), cells)
    distance, inside = search(start, boxes, *heat.shape[2:])
    logits = (_SHARPNESS * (F.logsigmoid(heat) - distance.log())).masked_fill(~inside, _OUTSIDE)
    scales = boxes.new_tensor(JOINT_SCALES) * _sizes(boxes)[:, None]
    sigma = (_PLACE_SPREAD * scales).clamp(*_PLACE_SIGMA)[..., None]
    rows, columns = (torch.arange(side, device=heat.device) + 0.5 for side in heat.shape[2:])
    x, y, labeled = keypoints[..., None].unbind(2)
    down, across = (torch.exp(-(t**2) / (2 * sigma**2)) for t in (rows - y, columns - x))
    target = down[..., :, None] * across[..., None, :] * inside
    total = target.sum((2, 3))
    weight = labeled[..., 0] * (total > _LEAST_INSIDE)
    target = target / total.clamp(min=_LEAST_INSIDE)[..., None, None]
    entropy = -(target * F.log_softmax(logits.flatten(2), 2).view_as(logits)).sum((2, 3))
    return (entropy * weight).sum() / weight.sum().clamp(min=1)


def offset_loss(offset: Tensor, joints: Tensor, within: Tensor) -> Tensor:
    """How exactly the cells of labeled keypoints, and those around them, tell where the keypoints are.

    Args:
        offset: (B, 34, H, W).
        joints: (K, 4) int64, input, kind, row and column of each keypoint.
        within: (K, 2) y, x of each within its cell.
    """
    cells = joints[:, [0, 2, 3]]
    near = around(cells, *offset.shape[2:])
    index, row, column = near.unbind(2)
    read = pairs(offset)[index, joints[:, 1:2], :, row, column]
    wanted = within[:, None] + (cells[:, None] - near)[..., 1:]
    far = (read - wanted).abs().clamp(max=_FARTHEST_OFFSET).mean(2)
    weight = far.new_tensor(_OFFSET_WEIGHTS)
    return (far * weight).sum(1).mean() / weight.sum()


def _sizes(boxes: Tensor) -> Tensor:
    """(N,), the root of each body's area in cells."""
    return (boxes[:, 2:] - boxes[:, :2]).prod(1).mul(BODY).sqrt().clamp(min=_LEAST_SIZE)
