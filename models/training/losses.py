"""How far the network is from the labels, and from the network that it began as where there are none.

The network that training begins with (the teacher) is right about most of what it sees, and a few hundred
images cannot teach that again. So labels only correct it: where they say nothing, and where it has found a
labeled person or keypoint already, its own maps are the target. At the start nothing else has a gradient.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss

from ..networks.movenet import BOX_HEADS, HEADS
from .targets import Targets

Outputs = Mapping[str, Tensor]
"""The six heads of `networks.movenet`, (B, channels, H, W) float32; center and heatmap as logits."""

WEIGHTS = {
    "center": 1.0,
    "heatmap": 1.0,
    "box": 0.5,
    "regress": 0.25,
    "offset": 0.25,
    "hold": 1.0,
    "mask": 1.0,
}
"""Of each part in the whole loss."""

_FOUND = 0.4  # probability from which the teacher has found what is labeled within a cell
_HELD = 9  # cells around a found keypoint within which the teacher's map is the target
_EDGE = 5  # cells of a mask within which its edge counts more
_EDGE_WEIGHT = 2.0
_NAMES = (*HEADS, *BOX_HEADS)


@dataclass(frozen=True, slots=True)
class Labels:
    """`Targets` as tensors of one device; the same attributes without the images."""

    center: Tensor
    center_known: Tensor
    heatmap: Tensor
    heatmap_known: Tensor
    people: Tensor
    boxes: Tensor
    keypoints: Tensor
    joints: Tensor
    offsets: Tensor
    masks: Tensor
    masked: Tensor

    @classmethod
    def of(cls, targets: Targets, device: torch.device) -> "Labels":
        """On a device."""
        return cls(*(torch.from_numpy(getattr(targets, field.name)).to(device) for field in fields(cls)))


def losses(outputs: Outputs, teacher: Outputs, labels: Labels) -> dict[str, Tensor]:
    """The parts of the loss by name, without that of the masks.

    Args:
        outputs: of the network that learns.
        teacher: of the one that training began with, without gradients.
        labels: of the inputs.
    """
    center, peaks = center_target(teacher["center"].sigmoid(), labels)
    heatmap = heatmap_target(teacher["kpt_heatmap"].sigmoid(), labels)
    parts = {
        "center": correction(outputs["center"], center) / max(len(labels.people), 1),
        "heatmap": correction(outputs["kpt_heatmap"], heatmap) / max(len(labels.joints), 1),
        "hold": _hold(outputs, teacher, labels),
    }
    if len(labels.people):
        parts |= _of_people(outputs, teacher, labels, peaks)
    if len(labels.joints):
        index, joint, row, column = labels.joints.T
        found = _pairs(outputs["kpt_offset"])[index, joint, :, row, column]
        parts["offset"] = (found - labels.offsets).abs().mean()
    return parts


def correction(logits: Tensor, target: Tensor) -> Tensor:
    """The quality focal loss (Li et al. 2020, https://arxiv.org/abs/2006.04388), summed over all cells."""
    far = (logits.sigmoid() - target).abs()
    return (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * far * far).sum()


def center_target(teacher: Tensor, labels: Labels) -> tuple[Tensor, Tensor]:
    """What the center map should be, (B, 1, H, W), and (N, 3) cells to read each person's box from.

    Those are the teacher's own peak where it has found the person, else the labeled center.
    """
    target = torch.where(labels.center_known, labels.center, teacher)
    cells = labels.people.clone()
    for number, (index, row, column) in enumerate(labels.people.tolist()):
        top, left = max(row - 1, 0), max(column - 1, 0)
        near = teacher[index, 0, top : row + 2, left : column + 2]
        if float(near.max()) < _FOUND:
            continue
        at = int(near.argmax())
        cells[number, 1], cells[number, 2] = top + at // near.shape[1], left + at % near.shape[1]
        x1, y1, x2, y2 = labels.boxes[number].tolist()
        dx, dy = (x2 - x1) / 4, (y2 - y1) / 4
        rows = slice(int(min(y1 + dy, row - 2)) if row > 2 else 0, int(max(y2 - dy, row + 2)) + 1)
        columns = slice(int(min(x1 + dx, column - 2)) if column > 2 else 0, int(max(x2 - dx, column + 2)) + 1)
        target[index, 0, rows, columns] = teacher[index, 0, rows, columns]
    return target, cells


def heatmap_target(teacher: Tensor, labels: Labels) -> Tensor:
    """What the heatmaps should be, (B, 17, H, W)."""
    target = torch.where(labels.heatmap_known, labels.heatmap, teacher)
    if not len(labels.joints):
        return target
    index, joint, row, column = labels.joints.T
    best = F.max_pool2d(teacher, 3, 1, 1)
    found = torch.zeros_like(teacher)
    found[index, joint, row, column] = (best[index, joint, row, column] >= _FOUND).to(found.dtype)
    held = F.max_pool2d(found, _HELD, 1, _HELD // 2) > 0
    return torch.where(held, teacher, target)


def mask_loss(logits: Tensor, teacher: Tensor, labels: Labels, rows: Tensor) -> Tensor:
    """Dice and cross-entropy, edges counted more; where no mask is labeled, the teacher's is the target.

    Args:
        logits: (M, 80, 80) of the network that learns.
        teacher: (M, 80, 80) logits of the one that training began with.
        labels: of N people.
        rows: (M,) int64, whose masks they are.
    """
    labeled = labels.masked[rows][:, None, None]
    target = torch.where(labeled, labels.masks[rows].float() / 255, teacher.sigmoid())
    probability = logits.sigmoid()
    both = (probability * target).sum((1, 2))
    dice = 1 - (2 * both + 1) / ((probability**2).sum((1, 2)) + (target**2).sum((1, 2)) + 1)
    spread = F.max_pool2d(target[:, None], _EDGE, 1, _EDGE // 2) + F.max_pool2d(
        -target[:, None], _EDGE, 1, _EDGE // 2
    )
    weight = 1 + _EDGE_WEIGHT * (spread[:, 0] > 0.5)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    own = dice + (entropy * weight).sum((1, 2)) / weight.sum((1, 2))
    # A soft target has a loss of its own; without it, a mask that the teacher drew costs nothing.
    floor = F.binary_cross_entropy(target, target, reduction="none").detach()
    held = ((entropy - floor) * weight).sum((1, 2)) / weight.sum((1, 2))
    return torch.where(labels.masked[rows], own, held).mean()


def _of_people(outputs: Outputs, teacher: Outputs, labels: Labels, cells: Tensor) -> dict[str, Tensor]:
    """The box and the rough keypoints that each person's center tells."""
    index, row, column = cells.T
    scale, offset = (outputs[name][index, :, row, column] for name in ("box_scale", "box_offset"))
    middle = torch.stack([column + offset[:, 1], row + offset[:, 0]], 1)
    half = scale.clamp(min=0.5).flip(1) / 2
    found = torch.cat([middle - half, middle + half], 1)
    sides = labels.boxes[:, 2:] - labels.boxes[:, :2]
    near = F.smooth_l1_loss(found / sides.repeat(1, 2), labels.boxes / sides.repeat(1, 2), beta=0.1)
    box = generalized_box_iou_loss(found, labels.boxes, reduction="mean") + near
    known = labels.keypoints[..., 2:]
    start = torch.stack([row, column], 1)[:, None]
    wanted = labels.keypoints[..., :2].flip(-1) - start
    held = _pairs(teacher["kpt_regress"])[index, :, :, row, column]
    wanted = torch.where(known > 0, wanted, held)
    far = _pairs(outputs["kpt_regress"])[index, :, :, row, column] - wanted
    reach = sides.prod(1).mul(0.53).sqrt().clamp(min=1.5)[:, None, None]
    return {"box": box, "regress": F.smooth_l1_loss(far / reach, torch.zeros_like(far), beta=0.1)}


def _hold(outputs: Outputs, teacher: Outputs, labels: Labels) -> Tensor:
    """How far lengths have moved where the teacher sees somebody whom no label tells of."""
    center = teacher["center"].sigmoid()
    size = teacher["box_scale"].clamp(min=2).prod(1, keepdim=True).sqrt()
    free = center * (labels.center == 0)
    total = center.new_zeros(())
    for name in ("box_scale", "box_offset", "kpt_regress"):
        far = (outputs[name] - teacher[name]) / size
        moved = F.smooth_l1_loss(far, torch.zeros_like(far), reduction="none", beta=0.1).mean(1, keepdim=True)
        total = total + (moved * free).sum() / free.sum().clamp(min=1)
    heat = teacher["kpt_heatmap"].sigmoid() * (labels.heatmap == 0)
    far = (_pairs(outputs["kpt_offset"]) - _pairs(teacher["kpt_offset"])).abs().mean(2)
    return total + (far * heat).sum() / heat.sum().clamp(min=1)


def _pairs(maps: Tensor) -> Tensor:
    """(B, 34, H, W) to (B, 17, 2, H, W)."""
    return maps.unflatten(1, (-1, 2))


def named(maps: list[Tensor]) -> dict[str, Tensor]:
    """The outputs of the heads by their names, in float32."""
    return {name: one.float() for name, one in zip(_NAMES, maps, strict=True)}
