"""Networks that several threads use: each is computed by one thread at a time, the others wait their turn.

A network keeps buffers of its own between calls, and one that runs takes all cores anyway. Masks that are
computed later are a network of their own: they run beside the detection of the next frame.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace

from ...models.types import (
    F32,
    U8,
    Detections,
    Detector,
    FollowingNetwork,
    LazyMasks,
    OnePassNetwork,
    Part,
    PoseEstimator,
    Poses,
    PreparableNetwork,
)
from .network_set import NetworkSet


def shared(networks: NetworkSet) -> NetworkSet:
    """Networks that any thread may use."""
    pose = None if networks.pose is None else shared_pose(networks.pose)
    return NetworkSet(shared_detector(networks.detector), pose, networks.backbone)


def shared_detector(detector: Detector) -> Detector:
    """A detector that any thread may use."""
    if isinstance(detector, FollowingNetwork):
        return _SharedFollowing(detector)
    if isinstance(detector, OnePassNetwork):
        return _SharedOnePass(detector)
    return _SharedDetector(detector)


def shared_pose(pose: PoseEstimator) -> PoseEstimator:
    """A pose network that any thread may use."""
    return _SharedPose(pose)


class _SharedDetector:
    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._lock = threading.Lock()
        self._mask_lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._detector.name

    @property
    def labels(self) -> Sequence[str]:
        return self._detector.labels

    @property
    def parts(self) -> frozenset[Part]:
        return self._detector.parts

    def prepare(self, size: tuple[int, int]) -> None:
        if isinstance(self._detector, PreparableNetwork):
            self._detector.prepare(size)

    def detect(self, image: U8) -> Detections:
        with self._lock:
            return self._with_locked_masks(self._detector.detect(image))

    def _with_locked_masks(self, found: Detections) -> Detections:
        masks = found.masks
        return replace(found, masks=masks.locked(self._mask_lock)) if isinstance(masks, LazyMasks) else found


class _SharedOnePass(_SharedDetector):
    def __init__(self, network: OnePassNetwork) -> None:
        super().__init__(network)
        self._network = network

    @property
    def keypoint_names(self) -> Sequence[str]:
        return self._network.keypoint_names

    @property
    def skeleton(self) -> Sequence[tuple[int, int]]:
        return self._network.skeleton


class _SharedFollowing(_SharedOnePass):
    def __init__(self, network: FollowingNetwork) -> None:
        super().__init__(network)
        self._following = network

    def follow(self, image: U8, boxes: F32) -> Detections | None:
        with self._lock:
            found = self._following.follow(image, boxes)
            return None if found is None else self._with_locked_masks(found)


class _SharedPose:
    def __init__(self, pose: PoseEstimator) -> None:
        self._pose = pose
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._pose.name

    @property
    def parts(self) -> frozenset[Part]:
        return self._pose.parts

    @property
    def keypoint_names(self) -> Sequence[str]:
        return self._pose.keypoint_names

    @property
    def skeleton(self) -> Sequence[tuple[int, int]]:
        return self._pose.skeleton

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        with self._lock:
            return self._pose.estimate(image, rois, masks=masks)
