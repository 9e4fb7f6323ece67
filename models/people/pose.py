"""The people network as a pose network: keypoints and masks of people whom another network found."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from ..ops import coco
from ..ops.roi import ROI_SCALE, roi_to_image
from ..types import F32, U8, Part, Poses
from .crops import cut
from .decoding import decode
from .maps import LookAt, Maps
from .masks import mask_affines, mask_inputs
from .network import MaskRun
from .types import People, View, with_likelihoods

CROP = 192
"""Side of a crop in pixels: the person is then about 150 pixels high, which the network reads best."""

_BATCH = 8  # crops per call: bounds the memory of their features
_FLOOR = 0.1  # the lowest center score of somebody who is there
_CENTERS = 8  # the most people read from one crop
_GRID = 96  # side of the masks, which show a region about as finely as the mask head does
_BACKGROUND = -100.0  # logit of a pixel that certainly belongs to nobody


class PeoplePose:
    """17 keypoints and a mask per person, a `PoseEstimator`. One thread at a time may use it.

    Args:
        look_at: for batches of ``CROP`` x ``CROP`` pixels.
        compile_mask_head: returns `networks.people.MaskHead`, ready; called when masks are first wanted.
        name: as in the registry.
    """

    keypoint_names: Sequence[str] = coco.KEYPOINTS
    skeleton: Sequence[tuple[int, int]] = coco.SKELETON

    parts: frozenset[Part] = frozenset(("pose", "segment"))

    def __init__(
        self, look_at: LookAt, compile_mask_head: Callable[[], MaskRun], *, name: str = "people"
    ) -> None:
        self.name = name
        self._look_at = look_at
        self._compile_mask_head = compile_mask_head
        self._mask_head: MaskRun | None = None

    def prepare(self, *, masks: bool) -> None:
        """Compile what ``estimate`` needs ahead of its first use."""
        if masks and self._mask_head is None:
            self._mask_head = self._compile_mask_head()

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        """Keypoints, and masks if asked for, of the person in the middle of each region.

        Args:
            image: (H, W, 3) uint8 BGR.
            rois: (N, 4) float32 regions, see `ops.roi`; their angle does not count.
            masks: whether ``mask_logits`` are wanted.

        Returns:
            Poses, with a presence of 1 where somebody is and 0 where nobody is. ``next_rois`` surround the
            boxes that the network itself finds.
        """
        self.prepare(masks=masks)
        rois = np.array(rois, np.float32).reshape(-1, 4)
        rois[:, 3] = 0
        keypoints = np.zeros((len(rois), len(coco.KEYPOINTS), 3), np.float32)
        presence = np.zeros(len(rois), np.float32)
        suggested = rois.copy()
        logits = np.full((len(rois), _GRID, _GRID), _BACKGROUND, np.float32) if masks else None
        for start in range(0, len(rois), _BATCH):
            views = [_view(roi) for roi in rois[start : start + _BATCH]]
            for index, (view, maps) in enumerate(zip(views, self._look(image, views), strict=True)):
                row = start + index
                person = _middle(decode(maps, _FLOOR, _CENTERS))
                if person is None:
                    continue
                found = view.to_image(person)
                keypoints[row], presence[row] = with_likelihoods(found.keypoints[0]), 1
                suggested[row] = _around(found.boxes[0])
                if logits is not None:
                    self._draw_mask(maps.features, person, view, rois[row], logits[row])
        return Poses(rois, keypoints, presence, suggested, logits)

    def _look(self, image: U8, views: Sequence[View]) -> Sequence[Maps]:
        batch: U8 = np.empty((len(views), CROP, CROP, 3), np.uint8)
        for crop, view in zip(batch, views, strict=True):
            cut(image, view, crop)
        return self._look_at(batch)

    def _draw_mask(self, features: F32, person: People, view: View, roi: F32, out: F32) -> None:
        """The logits of one person's mask, resampled to the grid of the region, (96, 96) ``out``."""
        assert self._mask_head is not None
        (mask,) = self._mask_head(mask_inputs(features, person))
        to_image = np.eye(3)
        to_image[:2] = mask_affines(person, view)[0]
        from_region = np.eye(3)
        from_region[:2] = roi_to_image(roi[None], _GRID)[0]
        affine = (np.linalg.inv(to_image) @ from_region)[:2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(mask[0], affine, (_GRID, _GRID), out, flags, cv2.BORDER_CONSTANT, (_BACKGROUND,))


def _view(roi: F32) -> View:
    """The crop that shows a region."""
    x, y, side, _ = (float(value) for value in roi)
    return View((x - side / 2, y - side / 2), (CROP / side, CROP / side))


def _middle(people: People) -> People | None:
    """The one person of a crop whom its region is about: likely, and near the middle."""
    if not len(people):
        return None
    centers = (people.boxes[:, :2] + people.boxes[:, 2:]) / 2
    distance = np.hypot(*(centers - CROP / 2).T) / CROP
    best = int((people.centers * (1 - distance)).argmax())
    return people[best : best + 1]


def _around(box: F32) -> F32:
    """The region around a box, (4,) float32."""
    sides = box[2:] - box[:2]
    x, y = (box[:2] + box[2:]) / 2
    return np.array([x, y, max(float(sides.max()) * ROI_SCALE, 1.0), 0], np.float32)
