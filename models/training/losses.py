"""How far the network is from the labels, and from the network that it began as where there are none.

The network that training begins with (the teacher) is right about most of what it sees, and a few hundred
images cannot teach that again. So labels correct it where they speak; elsewhere its own maps are the target.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from ..networks.movenet import BOX_HEADS, HEADS
from .person_losses import offset_loss, place_loss, size_losses
from .reading import pairs
from .targets import Targets

Outputs = Mapping[str, Tensor]
"""The six heads of `networks.movenet`, (B, channels, H, W) float32; center and heatmap as logits."""

WEIGHTS = {
    "center": 1.0,
    "heatmap": 1.0,
    "box": 0.5,
    "regress": 0.25,
    "place": 0.2,
    "offset": 0.25,
    "hold": 1.0,
    "mask": 1.0,
}
"""Of each part in the whole loss."""

_FOUND = 0.3  # probability from which the teacher has found a labeled person within a cell
_NOTHING = 0.02  # of a label's Gaussian, below which lengths are the teacher's
_EDGE = 5  # cells of a mask within which its edge counts more
_EDGE_WEIGHT = 2.0
_NAMES = (*HEADS, *BOX_HEADS)


@dataclass(frozen=True, slots=True)
class Labels:
    """`Targets` as tensors of one device; the same attributes without the images."""

    center: Tensor
    center_known: Tensor
    heatmap: Tensor
    people: Tensor
    boxes: Tensor
    keypoints: Tensor
    posed: Tensor
    joints: Tensor
    offsets: Tensor
    drawn: Tensor
    mask_boxes: Tensor
    masks: Tensor
    masked: Tensor

    @classmethod
    def of(cls, targets: Targets, device: torch.device) -> "Labels":
        """On a device."""
        return cls(*(torch.from_numpy(getattr(targets, field.name)).to(device) for field in fields(cls)))


def losses(outputs: Outputs, teacher: Outputs, labels: Labels, cells: Tensor) -> dict[str, Tensor]:
    """The parts of the loss by their names in `WEIGHTS`, not weighted; those without labels are missing.

    Args:
        outputs: of the network that learns.
        teacher: of the one that it began as.
        labels: of the same inputs.
        cells: (N, 3) int64, input, row and column that each person's box is read from.
    """
    center, found = center_target(teacher["center"].sigmoid(), labels)
    heatmap = torch.maximum(teacher["kpt_heatmap"].sigmoid(), labels.heatmap)
    parts = {
        "center": correction(outputs["center"], center) / max(len(labels.people), 1),
        "heatmap": correction(outputs["kpt_heatmap"], heatmap) / max(len(labels.joints), 1),
        "hold": _hold(outputs, teacher, labels),
    }
    if len(labels.people):
        known = labels.keypoints, found
        parts |= size_losses(outputs, teacher["kpt_regress"], labels.boxes, known, cells)
    if len(labels.joints):
        who = labels.posed
        parts["place"] = place_loss(outputs, labels.keypoints[who], labels.boxes[who], cells[who])
        parts["offset"] = offset_loss(outputs["kpt_offset"], labels.joints, labels.offsets)
    return parts


def correction(logits: Tensor, target: Tensor) -> Tensor:
    """The quality focal loss (Li et al. 2020, https://arxiv.org/abs/2006.04388), summed over all cells."""
    far = (logits.sigmoid() - target).abs()
    return (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * far * far).sum()


def center_target(teacher: Tensor, labels: Labels) -> tuple[Tensor, Tensor]:
    """What the center map should be, and whom the teacher has found.

    In the inner half of a labeled person whom the teacher has found its map may be higher than the label's
    Gaussian: it knows better which cell is the center's.

    Args:
        teacher: (B, 1, H, W) probabilities.
        labels: of N people.

    Returns:
        (B, 1, H, W) and (N,) bool.
    """
    index, row, column = labels.people.T
    found = F.max_pool2d(teacher, 3, 1, 1)[index, 0, row, column] > _FOUND
    inner = _inner(labels.boxes, *teacher.shape[2:]) & found[:, None, None]
    counts = torch.zeros_like(teacher[:, 0]).index_add_(0, index, inner.to(teacher.dtype))
    held = counts[:, None] > 0
    target = torch.where(held, torch.maximum(teacher, labels.center), labels.center)
    return torch.where(labels.center_known | held, target, teacher), found


def mask_loss(logits: Tensor, teacher: Tensor, labels: Labels) -> Tensor:
    """Dice and cross-entropy, edges counted more; where no mask is labeled, the teacher's is the target.

    Args:
        logits: (M, 80, 80) of the network that learns.
        teacher: (M, 80, 80) logits of the one that training began with.
        labels: with M masks.
    """
    target = torch.where(labels.masked[:, None, None], labels.masks.float() / 255, teacher.sigmoid())
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
    return torch.where(labels.masked, own, held).mean()


def named(maps: list[Tensor]) -> dict[str, Tensor]:
    """The outputs of the heads by their names."""
    return dict(zip(_NAMES, maps, strict=True))


def _inner(boxes: Tensor, height: int, width: int) -> Tensor:
    """(N, H, W) bool, the cells in the inner half of each (N, 4) box in cells, by sides."""
    quarter = (boxes[:, 2:] - boxes[:, :2]) / 4
    low, high = (boxes[:, :2] + quarter).floor(), (boxes[:, 2:] - quarter).ceil()
    rows, columns = (torch.arange(side, device=boxes.device) for side in (height, width))
    in_rows = (rows >= low[:, 1:]) & (rows < high[:, 1:])
    in_columns = (columns >= low[:, :1]) & (columns < high[:, :1])
    return in_rows[:, :, None] & in_columns[:, None]


def _hold(outputs: Outputs, teacher: Outputs, labels: Labels) -> Tensor:
    """How far lengths have moved where the teacher sees somebody whom no label tells of."""
    size = teacher["box_scale"].clamp(min=2).prod(1, keepdim=True).sqrt()
    free = teacher["center"].sigmoid() * ((labels.center < _NOTHING) & ~labels.center_known)
    total = free.new_zeros(())
    for name in ("box_scale", "box_offset", "kpt_regress"):
        far = (outputs[name] - teacher[name]) / size
        moved = F.smooth_l1_loss(far, torch.zeros_like(far), reduction="none", beta=0.1).mean(1, keepdim=True)
        total = total + (moved * free).sum() / free.sum().clamp(min=1)
    heat = teacher["kpt_heatmap"].sigmoid() * (labels.heatmap < _NOTHING)
    far = (pairs(outputs["kpt_offset"]) - pairs(teacher["kpt_offset"])).abs().mean(2)
    return total + (far * heat).sum() / heat.sum().clamp(min=1)
