"""The networks of the registry that find people in one pass, and the same network as a pose network."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..runtime.compile import resolve
from ..runtime.options import AnySize, Runner, TensorInput
from ..sources import BundledSource
from ..spec import DetectorSpec, LoadedNetwork, ModelSpec, Size, Thresholds, TrackerSettings
from ..types import ALL_PARTS, Detector, PoseEstimator
from .follow import Follow
from .maps import FEATURES, PATCHES, LookAt, MapsRunner
from .masks import CHANNELS, GRID, MASK_BATCH
from .network import PeopleNetwork
from .pose import CROP, PeoplePose
from .second_look import SecondLook

if TYPE_CHECKING:
    from torch import nn

_SMALL_LOOK = 256
"""Longer side in pixels of the look that finds large people, beside one at more than `_ONE_LOOK`."""

_LARGE = 150.0
"""Pixels that people are high, at least, in the largest look whom a smaller one finds in video.

On PETS09-S2L1 this takes HOTA from below 40 to 60; in photographs, the second look settles it.
"""

_ONE_LOOK = 448
"""The longest input that one look alone is enough for: in larger ones it loses people who fill the image."""

_CANVAS_ROWS = 160
"""Height of the canvas of known people, beside a look of 416 pixels; in proportion beside others."""

_CROPS = 8  # people per call of the second look


def _build() -> "nn.Module":
    from ..networks.people import People

    return People()


def _grid(network: Any) -> "nn.Module":  # noqa: ANN401 - People, which only torch can name
    from ..networks.people import PeopleGrid

    return PeopleGrid(network.people)


def _cells(network: Any) -> "nn.Module":  # noqa: ANN401
    from ..networks.people import PeopleCells

    return PeopleCells(network.people)


def _mask(network: Any) -> "nn.Module":  # noqa: ANN401
    return network.mask


def _looks(network: LoadedNetwork, max_batch: int = 1) -> Callable[[Size], LookAt]:
    """What looks at whole images or crops, whatever name it is registered by: one converted copy serves."""
    shared = replace(network, spec=PEOPLE)
    shape = TensorInput((PATCHES, 3, 3, FEATURES))
    # So little work that waking a second thread takes longer.
    alone = replace(shared, options=replace(network.options, threads=1))
    cells = alone.runner(shape, max_batch=4, variant="cells", change=_cells)

    def compiled(size: Size) -> LookAt:
        grid = shared.runner(AnySize(size), max_batch=max_batch, variant="grid", change=_grid)
        return MapsRunner(grid, cells)

    return compiled


def _mask_head(network: LoadedNetwork) -> Runner:
    shape = TensorInput((GRID, GRID, CHANNELS))
    options = resolve(network.options)
    if (options.runtime, options.precision) == ("openvino", "bf16"):
        options = replace(options, precision="f32")  # bf16 takes two to three times as long there
    return replace(network, spec=PEOPLE, options=options).runner(
        shape, max_batch=MASK_BATCH, variant="mask", change=_mask
    )


def _make(network: LoadedNetwork, size: Size | int, thresholds: Thresholds) -> Detector:
    """One look where the input is small, two where it is larger."""
    return _network(network, size, thresholds)


def _make_careful(network: LoadedNetwork, size: Size | int, thresholds: Thresholds) -> Detector:
    """With a second look at each person, and with the boxes of another detector where there is one."""
    second = SecondLook(_looks(network, _CROPS))
    return _network(network, size, thresholds, second)


def _network(
    network: LoadedNetwork, size: Size | int, thresholds: Thresholds, second: SecondLook | None = None
) -> Detector:
    longest = size if isinstance(size, int) else max(size)
    look_at = _looks(network)
    return PeopleNetwork(
        look_at,
        _mask_head(network) if "segment" in network.parts else None,
        sizes=(longest,) if longest <= _ONE_LOOK else (_SMALL_LOOK, longest),
        large=_LARGE if second is None else 0.0,
        second_look=second,
        follow=Follow(look_at, min(max(_CANVAS_ROWS * longest // 416 // 32 * 32, 128), 192)),
        detector=network.assistant,
        score_floor=thresholds.score_floor,
        name=network.name,
    )


def _make_pose(network: LoadedNetwork, max_people: int, masks: bool | None) -> PoseEstimator:
    look_at = _looks(network, min(max_people, _CROPS))((CROP, CROP))
    pose = PeoplePose(look_at, lambda: _mask_head(network), name=network.name)
    if masks:
        pose.prepare(masks=True)
    return pose


PEOPLE = ModelSpec(
    name="people",
    task="detect",
    license="Apache-2.0",
    trained_on="COCO train2017 and Active (by Google), then COCO val2017 and others: see assets/people.md",
    input_size=(416, 416),
    figures="box AP 30.7, OKS AP 33.2 (79 COCO val images); boxes, keypoints and masks in one pass",
    macs=(2_565, 45_100),
    params=(4.75, 96.64),
    outputs=(
        *("center", "kpt_heatmap", "kpt_regress", "kpt_offset", "box_scale", "box_offset"),
        "features",
    ),
    sources=(BundledSource("people.safetensors"),),
    sha256="654e7c5e93a864d39b14dc36fb0ca733f98fac3b228141dcf5f53f4594702a71",
    format="safetensors",
    build=_build,
    detector=DetectorSpec(
        make=_make,
        thresholds=Thresholds(score_floor=0.06, nms_iou=0.7),
        tracker=TrackerSettings(high=0.25, new=0.3, low=0.08),
        larger_input=640,
        parts=ALL_PARTS,
        smaller_inputs=((320, 320), (256, 256)),
    ),
    pose=_make_pose,
)
"""For video: one look at each frame."""

PEOPLE_PHOTO = replace(
    PEOPLE,
    name="people-photo",
    input_size=(512, 512),
    macs=(3_885, 68_318),
    figures="box AP 44.8, OKS AP 42.5 (79 COCO val images); two looks, then one more at each person",
    detector=DetectorSpec(
        make=_make_careful,
        thresholds=Thresholds(score_floor=0.1, nms_iou=0.7),
        tracker=TrackerSettings(high=0.16, new=0.2, low=0.1),
        larger_input=640,
        parts=ALL_PARTS,
    ),
    pose=None,
)
"""For photographs: two looks at each image, and a second look at each person."""

PEOPLE_ACCURATE = replace(
    PEOPLE_PHOTO,
    name="people-accurate",
    figures="box AP 50.1, OKS AP 41.4 (79 COCO val images); people-photo with the boxes of yolox-nano",
    detector=DetectorSpec(
        make=_make_careful,
        thresholds=Thresholds(score_floor=0.1, nms_iou=0.7),
        tracker=TrackerSettings(high=0.25, new=0.3, low=0.1),
        larger_input=640,
        parts=ALL_PARTS,
        assistant=("yolox-nano", 640),
    ),
)
"""The same with YOLOX-nano's boxes merged in, where its weights are available."""
