"""Networks that segment people, as pose estimators that find masks and no keypoints; and MediaPipe's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..ops.roi import sample
from ..sources import mediapipe_wheel
from ..spec import LoadedNetwork, ModelSpec
from ..types import F32, U8, Part, PoseEstimator, Poses
from .blazepose import CROP, Runner

if TYPE_CHECKING:
    from torch import nn


class RegionSegmenter:
    """Cuts the people's regions out of an image and finds the mask in each; a ``PoseEstimator``.

    It cannot tell the people in a region apart: what belongs to whom is up to their boxes. One thread at a
    time may use it.

    Args:
        runner: returns (N, 256, 256) float32 logits for a batch of crops, e.g. `selfie.SelfieSegmentation`.
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


def _make(network: LoadedNetwork, max_people: int, masks: bool | None) -> PoseEstimator:
    del masks  # It has no other form.
    return RegionSegmenter(network.runner((CROP, CROP), max_batch=max_people), name=network.name)


def _selfie_segmentation() -> "nn.Module":
    from ..networks.selfie_segmentation import SelfieSegmentation

    return SelfieSegmentation()


SELFIE_SEGMENTATION = ModelSpec(
    name="selfie-segmentation",
    task="segment",
    license="Apache-2.0",
    trained_on="people in front of their cameras, collected by Google",
    input_size=(256, 256),
    figures="masks only, of near people; not measured on COCO",
    macs=(59, 618),
    params=(0.11, 1.73),
    outputs=("mask",),
    sources=(mediapipe_wheel("selfie_segmentation/selfie_segmentation"),),
    sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    format="tflite",
    build=_selfie_segmentation,
    pose=_make,
)
