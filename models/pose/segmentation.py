"""A network that segments people, as a pose estimator that gives masks and no landmarks."""

from collections.abc import Sequence

import numpy as np

from ..ops.roi import sample
from ..types import F32, U8, Part, Poses
from .blazepose import CROP, Runner


class RegionSegmenter:
    """Cuts the people's regions out of an image and finds the mask in each; a ``PoseEstimator``.

    It cannot tell the people in a region apart: what belongs to whom is up to their boxes. One thread at a
    time may use it.

    Args:
        runner: gives (N, 256, 256) float32 logits for a batch of crops, e.g. `selfie.SelfieSegmentation`.
        name: as in the registry.
    """

    parts: frozenset[Part] = frozenset(("segment",))
    keypoint_names: Sequence[str] = ()
    skeleton: Sequence[tuple[int, int]] = ()

    def __init__(self, runner: Runner, *, name: str) -> None:
        self.name = name
        self._runner = runner

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        """Masks of the people in each region, if they are asked for.

        Args:
            image: (H, W, 3) uint8 BGR.
            rois: (N, 4) float32 regions, see ``landmarks``.
            masks: whether ``mask_logits`` are wanted.

        Returns:
            Poses without keypoints (K is 0) that call everyone present, and the regions for the next frame.
        """
        rois = np.asarray(rois, np.float32).reshape(-1, 4)
        count = len(rois)
        logits = np.zeros((count, CROP, CROP), np.float32) if masks else None
        if count and logits is not None:
            crops = np.empty((count, CROP, CROP, 3), np.uint8)
            sample(image, rois, crops)
            logits[:] = self._runner(crops)[0]
        keypoints, present = np.zeros((count, 0, 3), np.float32), np.ones(count, np.float32)
        return Poses(rois, keypoints, present, rois.copy(), logits)
