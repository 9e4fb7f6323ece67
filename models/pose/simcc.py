"""SimCC pose networks as estimators: crops, network, each keypoint from its column and row; and RTMPose-t.

Source: Li et al. 2022, https://arxiv.org/abs/2107.03332; the crops are those of OpenMMLab's networks.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..ops import coco
from ..ops.roi import project, roi_to_image
from ..sources import UrlSource
from ..spec import LoadedNetwork, ModelSpec
from ..types import F32, U8, Part, PoseEstimator, Poses
from .blazepose import Runner

if TYPE_CHECKING:
    from torch import nn

_SURE = 0.3  # least score of a keypoint that OpenMMLab's own drawings show
_FEWEST = 5  # confident keypoints of somebody who is there: as many as a head has
_AROUND = 1.5
"""Side of a person's region to that of the square around the keypoints.

Of 57 people of 79 COCO images, the region around their true keypoints so agrees best with the one that the
box gives: by an IoU of 0.78 in the median; at 1.25 and 1.75, of 0.65 and 0.73.
"""


class SimCCPose:
    """17 keypoints per person, a ``PoseEstimator`` without masks. One thread at a time may use it.

    Args:
        runner: returns (N, 17, 2 W) and (N, 17, 2 H) float32 for a batch of crops, see `rtmpose.RTMPose`.
        size: (height, width) of the crops in pixels, upright: H >= W.
        name: as in the registry.
    """

    parts: frozenset[Part] = frozenset(("pose",))
    keypoint_names: Sequence[str] = coco.KEYPOINTS
    skeleton: Sequence[tuple[int, int]] = coco.SKELETON

    def __init__(self, runner: Runner, size: tuple[int, int], *, name: str) -> None:
        self.name = name
        self._runner = runner
        self._size = size

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        """Landmarks of the person in each region; one pass of the network.

        Args:
            image: (H, W, 3) uint8 BGR.
            rois: (N, 4) float32 regions, see ``landmarks``; of each, the middle is analyzed, as wide as the
                network's input is.
            masks: must be False; there are none.

        Returns:
            Poses. The network does not say whether somebody is there: they are where five keypoints are sure.
        """
        if masks:
            raise ValueError(f"{self.name} returns no masks")
        rois = np.asarray(rois, np.float32).reshape(-1, 4)
        if not len(rois):
            return Poses(rois, np.zeros((0, len(coco.KEYPOINTS), 3), np.float32), rois[:, 0], rois.copy())
        height, width = self._size
        crops = np.zeros((len(rois), height, width, 3), np.uint8)
        beside = (height - width) / 2  # the crop's left edge in the square region
        affines = roi_to_image(rois, height)
        affines[:, :, 2] += beside * affines[:, :, 0]
        for crop, affine in zip(crops, affines, strict=True):
            cv2.warpAffine(image, affine, (width, height), crop, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        columns, rows = self._runner(crops)
        points, scores = read_simcc(columns, rows, self._size)
        points = project(points + np.array([beside, 0], np.float32), rois, height)
        present = ((scores >= _SURE).sum(1) >= _FEWEST).astype(np.float32)
        keypoints = np.concatenate([points, scores[..., None]], 2).astype(np.float32)
        return Poses(rois, keypoints, present, around(keypoints, rois, _SURE))


def read_simcc(columns: F32, rows: F32, size: tuple[int, int]) -> tuple[F32, F32]:
    """Keypoints where columns and rows speak for them most.

    Args:
        columns: (N, K, B W) float32, B bins per pixel.
        rows: (N, K, B H) float32.
        size: (H, W) of the crop in pixels.

    Returns:
        (N, K, 2) float32 x, y in pixels of the crop; (N, K) float32 scores in [0, 1], of each the lower of
        column and row.
    """
    best = np.stack([columns.argmax(2), rows.argmax(2)], 2).astype(np.float32)
    scores = np.minimum(columns.max(2), rows.max(2)).clip(0, 1)
    return best * np.float32(size[1] / columns.shape[2]), scores


def around(keypoints: F32, rois: F32, least: float) -> F32:
    """(N, 4) regions around (N, K, 3) keypoints of at least that score; where these are few, as they were."""
    regions = rois.copy()
    for row, person in enumerate(keypoints):
        points = person[person[:, 2] >= least, :2]
        if len(points) >= _FEWEST:
            low, high = points.min(0), points.max(0)
            regions[row] = *(low + high) / 2, max(_AROUND * float((high - low).max()), 1.0), 0.0
    return regions


def _make(network: LoadedNetwork, max_people: int, masks: bool | None) -> PoseEstimator:
    del masks  # It has none.
    size = network.spec.input_size
    return SimCCPose(network.runner(size, max_batch=max_people), size, name=network.name)


def _rtmpose() -> "nn.Module":
    from ..networks.rtmpose import RTMPose

    return RTMPose()


RTMPOSE_T = ModelSpec(
    name="rtmpose-t",
    task="pose",
    license="Apache-2.0",
    trained_on="COCO and AI Challenger (17 keypoints)",
    input_size=(256, 192),
    figures="OKS AP 68.5 (COCO val, by its authors); skeletons only",
    macs=(355, 528),
    params=(3.33, 4.55),
    outputs=("columns", "rows"),
    sources=(
        UrlSource(
            "https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/"
            "rtmpose-tiny_simcc-aic-coco_pt-aic-coco_420e-256x192-cfc8f33d_20230126.pth"
        ),
    ),
    sha256="cfc8f33d",
    format="openmmlab",
    build=_rtmpose,
    pose=_make,
)
