"""The data that flows through a pipeline. Everything is immutable and checked where it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..models.errors import SepcamError
from ..models.types import F32, I64, U8, ConvKind

if TYPE_CHECKING:
    import supervision as sv

    from .events import Event, ZoneCount
    from .statistics import Statistics

Blur = Literal["nothing", "faces", "people", "everything"]
"""What is made unrecognizable before a frame is shown or stored; ``everything`` is the whole image."""

Task = Literal["track", "pose", "segment"]
TASKS: Final[tuple[Task, ...]] = get_args(Task)
"""What can be done besides detecting."""
DetectEvery = int | Literal["auto"]
"""Frames from one detection to the next; ``auto`` chooses as many as lose no accuracy."""
TrackerName = Literal["bytetrack", "cbiou", "ocsort", "sort"]
"""How detections become tracks; names of `tracking.base.TRACKERS`."""
Encoder = Literal["auto", "hardware", "x264", "nvenc", "qsv", "amf", "videotoolbox", "mf"]
"""What encodes video: ``auto`` is x264 where there is one, ``hardware`` what works of that, else x264."""
Smoothing = Literal["off", "light", "strong"]
"""How much steadier the keypoints of people are made."""


def checked_image(image: Any) -> U8:  # noqa: ANN401 - whatever a caller has
    """The image that a caller gives, if it is one: (H, W, 3) uint8 BGR, not empty.

    Raises:
        SepcamError: If it is something else.
    """
    if not isinstance(image, np.ndarray):
        raise SepcamError(f"an image must be a (height, width, 3) uint8 array, is a {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise SepcamError(
            f"an image must be (height, width, 3) uint8 in BGR order; got {image.shape} {image.dtype}"
        )
    return image


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a source, and when it was taken.

    Attributes:
        image: (H, W, 3) uint8, BGR. Several stages share it. An overlay draws on it, unless a sink asks for
            the clean image (``needs_clean_image``).
        index: 0-based position in the source.
        time_s: seconds on the source's own clock (PTS of a file, monotonic arrival of a camera).
        name: file name of an image source, else "".
        sequence: 0-based number of the pass through a looping file. People of one pass are not those of
            the next. (A live session counts identities from 1 in each, unless something is being recorded.)
    """

    image: U8
    index: int
    time_s: float
    name: str = ""
    sequence: int = 0

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"image must be (H, W, 3) uint8 BGR; got {self.image.shape} {self.image.dtype}")
        if self.index < 0:
            raise ValueError(f"index must be >= 0; got {self.index}")


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of a source before its first frame.

    Attributes:
        name: what a person would call it: a file's name, a camera's path.
        width: pixels, after rotation.
        height: pixels, after rotation.
        fps: frames per second (29.97 stays 29.97), or None where it is unknown or means nothing (images).
        frame_count: number of frames, or None where the source does not say.
        rotation: degrees clockwise that the source asked for and that the frames already have.
        has_audio: whether the file has an audio stream.
        live: whether frames arrive at their own pace, as those of a camera or a stream.
        waits: whether the sender of a live source waits for whoever reads it; else late frames are dropped.
        independent: whether frames have nothing to do with each other (a folder of images): no tracking.
        time_base: seconds that the file's own timestamps are multiples of, or None where it has none.
        pixel_aspect: width over height of a stored pixel, not 1 in anamorphic video. Frames are stretched to
            square pixels, and ``width`` and ``height`` are theirs.
        stream: 0-based index of the video stream in its file, or None where there is no such thing.
        start_s: where in the file the frames begin, when a later start was requested.
        partial: whether only a part of the file was requested.
    """

    name: str
    width: int
    height: int
    fps: float | None
    frame_count: int | None = None
    rotation: int = 0
    has_audio: bool = False
    live: bool = False
    waits: bool = False
    independent: bool = False
    time_base: Fraction | None = None
    pixel_aspect: Fraction = Fraction(1)
    stream: int | None = None
    start_s: float = 0.0
    partial: bool = False


@dataclass(frozen=True, slots=True)
class MaskCrop:
    """A person's pixels: a small crop and where it lies, never a full frame.

    Attributes:
        pixels: (h, w) uint8, 1 where the person is, else 0.
        x: column of the crop's left edge in the frame, 0-based pixels.
        y: row of the crop's top edge in the frame, 0-based pixels.
    """

    pixels: U8
    x: int
    y: int

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype != np.uint8:
            raise ValueError(f"mask must be (h, w) uint8; got {self.pixels.shape} {self.pixels.dtype}")
        if self.x < 0 or self.y < 0:
            raise ValueError(f"mask origin must lie in the frame, is ({self.x}, {self.y})")

    @property
    def area(self) -> int:
        """Number of pixels that belong to the person."""
        return int(np.count_nonzero(self.pixels))

    def to_full(self, height: int, width: int) -> npt.NDArray[np.bool_]:
        """The mask as an (height, width) bool array."""
        full = np.zeros((height, width), np.bool_)
        h, w = self.pixels.shape
        full[self.y : self.y + h, self.x : self.x + w] = self.pixels != 0
        return full

    def to_rle(self, height: int, width: int) -> dict[str, Any]:
        """COCO compressed RLE, ``{"size": [height, width], "counts": str}``.

        Runs are counted down the columns of the crop alone, so the cost is that of the person, not the frame.
        """
        from faster_coco_eval.core import mask as coco_mask

        h, w = self.pixels.shape
        if not (self.y + h <= height and self.x + w <= width):
            raise ValueError(f"mask crop {w}x{h} at ({self.x}, {self.y}) leaves the {width}x{height} frame")
        # Columns one after the other, a 0 between them: an edge is where a pixel differs from the one before.
        columns = np.zeros(w * (h + 1) + 1, np.bool_)
        columns[:-1].reshape(w, h + 1)[:, 1:] = self.pixels.T
        column, edge = np.divmod(np.flatnonzero(columns[1:] != columns[:-1]), h + 1)
        position = (column + self.x).astype(np.int64) * height + self.y + edge
        total = height * width
        # A run that reaches the bottom of the frame continues at the top of the next column.
        joined = np.flatnonzero(position[1:] == position[:-1])
        position = np.delete(position, np.concatenate([joined, joined + 1]))
        counts = np.diff(np.concatenate([[0], position, [] if total in position[-1:] else [total]]))
        runs: Any = {"size": [height, width], "counts": counts.astype(np.int64).tolist()}
        rle: Any = coco_mask.frPyObjects(runs, height, width)
        text = rle["counts"]
        return {"size": [height, width], "counts": text.decode("ascii") if isinstance(text, bytes) else text}


@dataclass(frozen=True, slots=True)
class Instances:
    """Everything found in one frame: N objects, people among them.

    Attributes:
        size: (height, width) of the frame in pixels.
        boxes: (N, 4) float32 x1 y1 x2 y2 in frame pixels.
        scores: (N,) float32 in [0, 1].
        labels: (N,) int64, 0-based index into ``names``.
        names: the detector's class names.
        track_ids: (N,) int64, from 1, or None when tracking was not asked for.
        keypoints: (N, K, 3) float32 x, y in pixels, and the score in [0, 1] that the joint is seen there,
            see ``visibility``; zeros for what is not a person; or None.
        presence: (N,) float32, the pose network's score that a person is there (0 for others); or None.
        masks: N crops, None for an object without one; or None when masks were not asked for.
        pose_scores: (N,) float32 in [0, 1], that a person is there with these keypoints, where the network
            says that beside ``scores`` (0 for others); or None.
        coasted: (N,) bool, which tracks were missed by the detector a moment ago and are shown where the
            tracker predicts them; None if none are.
        space: (N, K, 4) float32, where the pose network says it, else None: the depth of each keypoint in
            pixels from the middle of the hips, negative where it is nearer; and x, y, z in meters from there,
            along the image's axes. Zeros for who has no keypoints.
    """

    size: tuple[int, int]
    boxes: F32
    scores: F32
    labels: I64
    names: Sequence[str]
    track_ids: I64 | None = None
    keypoints: F32 | None = None
    presence: F32 | None = None
    masks: Sequence[MaskCrop | None] | None = None
    coasted: npt.NDArray[np.bool_] | None = None
    pose_scores: F32 | None = None
    space: F32 | None = None

    def __post_init__(self) -> None:
        n = len(self.boxes)
        for name in ("boxes", "scores", "labels", "track_ids", "presence", "coasted", "pose_scores"):
            value, shape = getattr(self, name), (n, 4) if name == "boxes" else (n,)
            if value is not None and value.shape != shape:
                raise ValueError(f"{name} must be {shape}; got {value.shape}")
        if self.keypoints is not None and (self.keypoints.ndim != 3 or self.keypoints.shape[::2] != (n, 3)):
            raise ValueError(f"keypoints must be ({n}, K, 3); got {self.keypoints.shape}")
        if self.space is not None and (
            self.keypoints is None or self.space.shape != (*self.keypoints.shape[:2], 4)
        ):
            raise ValueError(f"space must be ({n}, K, 4); got {self.space.shape}")
        if self.masks is not None and len(self.masks) != n:
            raise ValueError(f"masks must be {n}, are {len(self.masks)}")

    @classmethod
    def empty(cls, size: tuple[int, int]) -> "Instances":
        """Nothing found in a frame of (height, width) pixels."""
        none = np.zeros((0, 4), np.float32)
        return cls(size, none, none[:, 0], np.zeros(0, np.int64), ())

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def people(self) -> npt.NDArray[np.bool_]:
        """(N,) bool, which of the objects are people."""
        person = [i for i, name in enumerate(self.names) if name == "person"]
        return np.isin(self.labels, person)

    def to_supervision(self) -> "sv.Detections":
        """As ``supervision.Detections``; masks become full frames, keypoints lie in ``data["keypoints"]``."""
        import supervision as sv

        height, width = self.size
        mask = None
        if self.masks is not None and len(self):
            nothing = np.zeros((height, width), np.bool_)
            mask = np.stack([nothing if m is None else m.to_full(height, width) for m in self.masks])
        data: dict[str, Any] = {"class_name": np.array([self.names[i] for i in self.labels], dtype=str)}
        if self.keypoints is not None:
            data["keypoints"] = self.keypoints
        return sv.Detections(
            xyxy=self.boxes,
            mask=mask,
            confidence=self.scores,
            class_id=self.labels,
            tracker_id=self.track_ids,
            data=data,
        )

    def to_supervision_keypoints(self) -> "sv.KeyPoints":
        """As ``supervision.KeyPoints``.

        Raises:
            ValueError: If poses were not asked for.
        """
        import supervision as sv

        if self.keypoints is None:
            raise ValueError("these instances have no keypoints: run with the task 'pose'")
        return sv.KeyPoints(
            xy=self.keypoints[..., :2], keypoint_confidence=self.keypoints[..., 2], class_id=self.labels
        )


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The networks that a frame was analyzed with; part of its result, since networks can be switched.

    Attributes:
        detector: name of the detector.
        pose: name of the pose network, or None if none was used.
        labels: the detector's class names, in the order of ``Instances.labels``.
        keypoint_names: names of the K keypoints, in order; none without poses.
        skeleton: pairs of 0-based keypoint indices that a drawing joins.
        backbone: kind of convolutions of the networks.
    """

    detector: str = ""
    pose: str | None = None
    labels: tuple[str, ...] = ()
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    backbone: ConvKind = "separable"


@dataclass(frozen=True, slots=True)
class MeterSnapshot:
    """What a meter measured up to one moment.

    Attributes:
        source_fps: frames per second that the source states, or, if it states none, that arrived from it;
            None before the second frame.
        processing_fps: frames per second that were finished, by the wall clock, waiting included; None before
            the second frame.
        stage_ms: median milliseconds per stage, over those of the last 100 frames in which it ran. Stages
            overlap: they may add up to more than the time between two frames.
        latency_ms_p50: median milliseconds from a frame's arrival to its completion; None before the first.
        latency_ms_p95: 95th percentile of the same.
        frames: frames finished since the start.
        dropped: frames of a live source that were dropped because newer ones had arrived.
    """

    source_fps: float | None = None
    processing_fps: float | None = None
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None
    frames: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class FrameResult:
    """One analyzed frame.

    Attributes:
        frame: the frame as it came from the source.
        instances: what was found in it.
        stage_ms: milliseconds spent per stage on this frame, in the order in which they ran.
        meter: rates and latencies up to this frame, or None if they are not measured.
        model: the networks that found it.
        events: what happened in it: who came, went, crossed a line, entered or left a zone.
        counts: of lines and zones, up to this frame.
        likely: (M, 4) float32 x1 y1 x2 y2, boxes of all that may be people, also those whose scores are too
            low to be reported; what hides people hides these too.
        tentative: what may get an identity in the next frame, without one here; see `FirstSight`.
    """

    frame: Frame
    instances: Instances
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    meter: MeterSnapshot | None = None
    model: ModelInfo = field(default_factory=ModelInfo)
    events: "Sequence[Event]" = ()
    counts: "Sequence[ZoneCount]" = ()
    likely: F32 = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    tentative: Instances | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a whole run went; passed to a sink when it ends.

    Attributes:
        frames: frames that were analyzed.
        people: different people seen (track identities; without tracking, the most seen in one frame).
        seconds: wall time from the first frame asked for to the last one written.
        fps: ``frames / seconds``, end to end.
        stage_ms: median milliseconds per stage.
        warnings: one line each, e.g. "cut after 312 of 795 frames".
        complete: False where the run was interrupted.
        events: what happened at the end: everybody leaves.
        statistics: who was seen, when, and what was counted.
    """

    frames: int
    people: int
    seconds: float
    fps: float
    stage_ms: Mapping[str, float]
    warnings: Sequence[str] = ()
    complete: bool = True
    events: "Sequence[Event]" = ()
    statistics: "Statistics | None" = None
