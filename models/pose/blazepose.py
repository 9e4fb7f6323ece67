"""BlazePose as a pose estimator: crops, network, decoding; and the three sizes of the registry."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..ops.logistic import sigmoid
from ..ops.roi import POINTS, project, refine, roi_from_landmarks, sample
from ..sources import NpmSource, Source, UrlSource, mediapipe_wheel
from ..spec import LoadedNetwork, ModelSpec
from ..types import F32, U8, Part, PoseEstimator, Poses

if TYPE_CHECKING:
    from torch import nn

Runner = Callable[[U8], Sequence[F32]]

CROP = 256
"""Side of the network's input in pixels."""

KEYPOINTS = (
    "nose",
    *("left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_heel", "right_heel", "left_foot_index", "right_foot_index"),
)
"""The 33 body landmarks in the network's order; left and right are the person's own."""

SKELETON = (
    *((0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10)),  # face
    *((11, 12), (11, 23), (12, 24), (23, 24)),  # trunk
    *((11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19)),  # left arm
    *((12, 14), (14, 16), (16, 18), (16, 20), (16, 22), (18, 20)),  # right arm
    *((23, 25), (25, 27), (27, 29), (29, 31), (27, 31)),  # left leg
    *((24, 26), (26, 28), (28, 30), (30, 32), (28, 32)),  # right leg
)
"""Pairs of landmarks that MediaPipe's drawings join."""

_BACKGROUND = -100.0  # logit of a pixel that certainly belongs to nobody
_BODY = len(KEYPOINTS)
_CENTRE, _RIM = _BODY, _BODY + 1  # the two points that give the next region


class BlazePose:
    """33 landmarks and a mask per person, a ``PoseEstimator``. One thread at a time may use it.

    Args:
        compile_network: returns the runner of ``BlazePoseLandmarks``, or of its ``without_mask`` where the
            argument is False. It is called once for each, when that one is first needed.
        name: as in the registry.
    """

    parts: frozenset[Part] = frozenset(("pose", "segment"))

    def __init__(self, compile_network: Callable[[bool], Runner], *, name: str = "blazepose-full") -> None:
        self._compile = compile_network
        self._name = name
        self._runners: dict[bool, Runner] = {}
        self._crops = np.empty((0, CROP, CROP, 3), np.uint8)

    @property
    def name(self) -> str:
        """The name it has in the registry."""
        return self._name

    @property
    def keypoint_names(self) -> Sequence[str]:
        """Names of the 33 landmarks, in order."""
        return KEYPOINTS

    @property
    def skeleton(self) -> Sequence[tuple[int, int]]:
        """Pairs of 0-based landmark indices that a drawing joins."""
        return SKELETON

    def prepare(self, *, masks: bool) -> None:
        """Compile the network that ``estimate`` needs, ahead of its first use."""
        self._runner(masks)

    def estimate(self, image: U8, rois: F32, *, masks: bool) -> Poses:
        """Landmarks, and masks if asked for, of the person in each region; one pass of the network.

        Args:
            image: (H, W, 3) uint8 BGR.
            rois: (N, 4) float32 regions, see ``landmarks``.
            masks: whether ``mask_logits`` are wanted; without them a cheaper network runs.

        Returns:
            Poses; a keypoint's score is MediaPipe's visibility: that it is in the image and not hidden.
        """
        rois = np.asarray(rois, np.float32).reshape(-1, 4)
        count = len(rois)
        if count == 0:
            return nobody(masks, rois)
        if count > len(self._crops):
            self._crops = np.empty((count, CROP, CROP, 3), np.uint8)
        crops = self._crops[:count]
        sample(image, rois, crops)
        landmarks, presence, *mask, heatmaps, world = self._runner(masks)(crops)
        keypoints, next_rois = read_landmarks(landmarks, heatmaps, rois)
        logits = mask[0].copy() if masks else None  # the runner overwrites its outputs
        space = read_space(landmarks, world, rois)
        return Poses(rois, keypoints, presence[:, 0].copy(), next_rois, logits, space)

    def _runner(self, masks: bool) -> Runner:
        if masks not in self._runners:
            self._runners[masks] = self._compile(masks)
        return self._runners[masks]


def read_landmarks(landmarks: F32, heatmaps: F32, rois: F32) -> tuple[F32, F32]:
    """The network's landmarks in the image.

    Args:
        landmarks: (N, 195) float32, see ``BlazePoseLandmarks``.
        heatmaps: (N, 64, 64, 39) float32 logits.
        rois: (N, 4) float32, where the crops were taken.

    Returns:
        Keypoints (N, 33, 3) float32: x, y in image pixels, visibility in [0, 1]; and the regions (N, 4) that
        they suggest for the next pass or frame.
    """
    raw = landmarks.reshape(-1, POINTS, 5)[:, : _RIM + 1]
    normalized = raw[..., :2] * np.float32(1 / CROP)
    xy = project(refine(normalized, heatmaps) * np.float32(CROP), rois, CROP)
    keypoints = np.concatenate([xy[:, :_BODY], sigmoid(raw[:, :_BODY, 3:4])], 2)
    return keypoints, roi_from_landmarks(xy[:, _CENTRE], xy[:, _RIM])


def read_space(landmarks: F32, world: F32, rois: F32) -> F32:
    """The network's depths and world landmarks, turned as the image is.

    Args:
        landmarks: (N, 195) float32, see ``BlazePoseLandmarks``.
        world: (N, 117) float32, see there.
        rois: (N, 4) float32, where the crops were taken.

    Returns:
        (N, 33, 4) float32, see `Poses`.
    """
    depths = landmarks.reshape(-1, POINTS, 5)[:, :_BODY, 2] * (rois[:, 2:3] / np.float32(CROP))
    meters = world.reshape(-1, POINTS, 3)[:, :_BODY]
    cos, sin = np.cos(rois[:, 3:4]), np.sin(rois[:, 3:4])
    x, y = meters[..., 0] * cos - meters[..., 1] * sin, meters[..., 0] * sin + meters[..., 1] * cos
    return np.stack([depths, x, y, meters[..., 2]], 2).astype(np.float32)


def nobody(masks: bool, rois: F32) -> Poses:
    """What is found in these (N, 4) regions where nobody is."""
    count = len(rois)
    logits = np.full((count, CROP, CROP), _BACKGROUND, np.float32) if masks else None
    keypoints, space = np.zeros((count, _BODY, 3), np.float32), np.zeros((count, _BODY, 4), np.float32)
    return Poses(rois, keypoints, np.zeros(count, np.float32), rois.copy(), logits, space)


def _make(network: LoadedNetwork, max_people: int, masks: bool | None) -> PoseEstimator:
    def compile_for(masks: bool) -> Runner:
        if masks:
            return network.runner((CROP, CROP), max_batch=max_people)
        return network.runner(
            (CROP, CROP), max_batch=max_people, variant="no-mask", change=lambda net: net.without_mask()
        )

    pose = BlazePose(compile_for, name=network.name)
    if masks is not None:
        pose.prepare(masks=masks)
    return pose


def _build(size: Literal["LITE", "FULL", "HEAVY"]) -> "Callable[[], nn.Module]":
    def build() -> "nn.Module":
        from ..networks import blazepose

        return blazepose.BlazePoseLandmarks(getattr(blazepose, size))

    return build


def _published(size: str, generation: int) -> tuple[Source, ...]:
    """Where Google publishes a pose network's file; its hash is in MediaPipe's own list of files."""
    return (
        UrlSource(
            f"https://storage.googleapis.com/mediapipe-assets/pose_landmark_{size}.tflite"
            f"?generation={generation}"
        ),
        NpmSource(
            requirement="@mediapipe/pose@0.5.1675469404",
            sha256="8bb349a7b3a3ba699df23be804ddd3b3eab810b50b15406894be257859388a84",
            size=40_985_403,
            member=f"package/pose_landmark_{size}.tflite",
        ),
    )


_OUTPUTS = ("landmarks", "presence", "mask", "heatmaps", "world")

BLAZEPOSE_LITE = ModelSpec(
    name="blazepose-lite",
    task="pose",
    license="Apache-2.0",
    trained_on="people and their 3D poses, collected by Google",
    input_size=(256, 256),
    figures="OKS AP 18.7, mask AP50 49.7 (79 COCO val images; full: 21.9, 52.7)",
    macs=(198, 6_044),
    params=(1.36, 49.43),
    outputs=_OUTPUTS,
    sources=_published("lite", 1661875901231143),
    sha256="f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
    format="tflite",
    build=_build("LITE"),
    pose=_make,
)

BLAZEPOSE_FULL = ModelSpec(
    name="blazepose-full",
    task="pose",
    license="Apache-2.0",
    trained_on="people and their 3D poses, collected by Google",
    input_size=(256, 256),
    figures="OKS AP 30.6, mask AP50 66.1 (300 COCO val images, several people)",
    macs=(386, 13_745),
    params=(3.17, 116.70),
    outputs=_OUTPUTS,
    sources=(mediapipe_wheel("pose_landmark/pose_landmark_full"),),
    sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    format="tflite",
    build=_build("FULL"),
    pose=_make,
)

BLAZEPOSE_HEAVY = ModelSpec(
    name="blazepose-heavy",
    task="pose",
    license="Apache-2.0",
    trained_on="people and their 3D poses, collected by Google",
    input_size=(256, 256),
    figures="OKS AP 39.8 (300 COCO val images; 30.1 on 79, full: 21.9)",
    macs=(1_927, 90_985),
    params=(13.75, 753.25),
    outputs=_OUTPUTS,
    sources=_published("heavy", 1661875897944151),
    sha256="59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
    format="tflite",
    build=_build("HEAVY"),
    pose=_make,
)
