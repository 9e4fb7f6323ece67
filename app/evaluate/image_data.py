"""Annotated images as ground truth: COCO files and YOLO folders."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.errors import SepcamError
from ...models.ops import coco
from ...models.types import ALL_PARTS, Detector, Part, PoseEstimator, keypoint_network
from ...pipelines.analysis.analyzer import Analyzer
from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.annotations.coco import read_coco, read_json
from ...pipelines.annotations.files import read_annotated, sized
from ...pipelines.annotations.types import AnnotatedImage, Annotations
from ...pipelines.evaluation.coco_scoring import IouType, check_keypoints, why_no_masks
from ...pipelines.evaluation.error_counts import ErrorCounts
from ...pipelines.evaluation.error_gallery import WorstImages, judge
from ...pipelines.evaluation.ground_truth import crowds_of, people_of
from ...pipelines.evaluation.matches import Matches, match_all
from ...pipelines.evaluation.metrics import evaluate_coco
from ...pipelines.execution.network_set import NetworkSet
from ...pipelines.sinks.formats.coco import CocoSink
from ...pipelines.sources.read_image import UnreadableImageError, read_image
from ...pipelines.tracking.settings import settings_for
from ...pipelines.types import DetectEvery, Frame, Instances, StreamInfo
from ..terminal import console
from .datasets import LoadDetector, LoadPose, Measured, run_over

SCORE_FLOOR = 0.05
"""Boxes down to this score count in average precision, which weighs every one by its score."""

_PEOPLE: Final = ("person",)
_TIMED: Final = 24  # images that are timed, after one that is not
_OUTSIDE: Final = 0.05  # share of a side by which a box may reach beyond its image
_SUSPICIOUS: Final = 0.1  # share of boxes outside that makes a warning


class ImageData:
    """Annotated images; everything about the annotations is checked before anything is run.

    Args:
        folder: of the images, with their folders. Annotated ones that it lacks are not scored. May be None
            for a ``data.yaml`` that names them.
        annotations: COCO ``instances`` file; a YOLO ``data.yaml``, or a folder of YOLO's text files.
        keypoints: COCO ``person_keypoints`` file, or None.
        max_people: landmarks and masks for at most this many people of an image.
        limit: use the first images only, at most this many.
        conf: lowest score that is reported, None for the detector's own; average precision counts all.

    Raises:
        SepcamError: If a file cannot be read or is wrong, or no image is annotated.
    """

    kind = "coco"
    suffix = ".coco.json"

    def __init__(
        self,
        folder: Path | None,
        annotations: Path,
        keypoints: Path | None,
        *,
        max_people: int,
        limit: int | None,
        conf: float | None = None,
    ) -> None:
        self._max_people, self._conf = max_people, conf
        read = read_annotated(annotations, folder)
        truth, files, self._folder = read.annotations, read.images, read.folder
        missing = len(read.missing)
        if missing and limit is None:
            console.warn(
                f"{missing} of {len(truth.images)} annotated images are not in {self._folder}: not scored"
            )
        self._images = dict(islice(((path, sized(path, image)) for path, image in files.items()), limit))
        self._truth = replace(truth, images=tuple(self._images.values()))
        self._people = self._truth.ids_of(_PEOPLE)
        self._boxes = {image.file_name: people_of(image, self._people) for image in self._images.values()}
        self._crowds = {image.file_name: crowds_of(image, self._people) for image in self._images.values()}
        self._poses = None if keypoints is None else _poses(keypoints, self._truth)
        self._tell_doubts()

    @property
    def headline(self) -> dict[str, tuple[str, str]]:
        """See `Data`."""
        shown = {"box AP": ("box", "ap"), "mask AP": ("mask", "ap")}
        return shown | ({"OKS AP": ("keypoints", "ap")} if self._poses is not None else {})

    def describe(self) -> dict[str, Any]:
        """See `Data`."""
        people = sum(map(len, self._boxes.values()))
        return {"images": len(self._images), "people": people, "annotations": self._truth.source.name}

    def measure(
        self,
        detector: LoadDetector,
        pose: LoadPose,
        results: Path,
        *,
        detect_every: DetectEvery,
        overwrite: bool,
    ) -> Measured:
        """See `Data`."""
        network, landmarks = detector(SCORE_FLOOR, ALL_PARTS), pose()
        everything = self._analyzer(network, landmarks, 0.0)
        conf = settings_for(network.name).high if self._conf is None else self._conf
        worst, errors = WorstImages(), ErrorCounts()

        def note(frame: Frame, found: Instances) -> None:
            order = np.argsort(-found.scores, kind="stable")
            boxes = found.boxes[order][found.scores[order] >= conf]
            truth = self._boxes[frame.name]
            judged = judge(boxes, truth, self._crowds[frame.name])
            worst.add(frame, boxes, truth, judged)
            errors.add(boxes, truth, judged)

        source = keypoint_network(network, landmarks)
        order = coco.keypoint_order(() if source is None else source.keypoint_names)
        sink = CocoSink(results, self._truth, keypoint_order=order, overwrite=overwrite)
        run_over(self._frames(), everything, sink, note)
        figures = evaluate_coco(results, self._truth, keypoints=self._poses, categories=_PEOPLE)
        usual = self._analyzer(network, landmarks, self._conf)
        seconds = [
            sum(usual.analyze(frame)[1].values()) / 1e3 for frame in islice(self._frames(), _TIMED + 1)
        ]
        named = {kind: asdict(values) for kind, values in figures.items()}
        fps = 1 / float(np.mean(seconds[1:] or seconds))
        return Measured(named, fps, conf, self._matches(results, named), errors, worst)

    def _matches(self, results: Path, kinds: Collection[str]) -> dict[str, dict[str, Matches]]:
        """The results of each image, for each kind that is scored."""
        found = read_json(results)
        truths: dict[str, tuple[Annotations | None, IouType]] = {
            "box": (self._truth, "bbox"),
            "mask": (self._truth, "segm"),
            "keypoints": (self._poses, "keypoints"),
        }
        return {
            kind: match_all(found, truth, iou_type, _PEOPLE)
            for kind, (truth, iou_type) in truths.items()
            if kind in kinds and truth is not None
        }

    def _analyzer(self, detector: Detector, pose: PoseEstimator, conf: float | None) -> Analyzer:
        wanted: set[Part] = {"segment"} if self._poses is None else {"pose", "segment"}
        parts = tuple(wanted & (detector.parts | pose.parts))
        options = AnalysisOptions(tasks=parts, conf=conf, classes=_PEOPLE, max_people=self._max_people)
        return Analyzer(NetworkSet(detector, pose), options, independent=True)

    def _frames(self) -> "_Frames":
        return _Frames(self._folder.name, self._images)

    def _tell_doubts(self) -> None:
        for note in self._truth.notes:
            console.note(note)
        why = why_no_masks(self._truth, _PEOPLE)
        if why is not None:
            console.note(why)
        outside = [
            one.name
            for image, one in self._truth.objects(self._people)
            if image.size is not None
            and any(
                low + length > size * (1 + _OUTSIDE) or low < -_OUTSIDE * size
                for low, length, size in zip(one.box[:2], one.box[2:], image.size, strict=True)
            )
        ]
        count = sum(map(len, self._boxes.values()))
        if len(outside) > _SUSPICIOUS * count:
            console.warn(
                f"{len(outside)} of {count} boxes reach beyond their images (as that of {outside[0]}): "
                "COCO's boxes are x, y, width, height, not two corners"
            )


class _Frames:
    """The images as a source whose frames are named as in the annotations; each must be readable."""

    def __init__(self, name: str, images: dict[Path, AnnotatedImage]) -> None:
        width, height = next(iter(images.values())).size or (0, 0)
        self.info = StreamInfo(name, width, height, fps=None, frame_count=len(images), independent=True)
        self._images = images

    def __iter__(self) -> Iterator[Frame]:
        for index, (path, image) in enumerate(self._images.items()):
            try:
                yield Frame(read_image(path), index, float(index), image.file_name)
            except UnreadableImageError as error:
                raise SepcamError(f"{path} {error}") from error


def _poses(path: Path, truth: Annotations) -> Annotations:
    """The keypoints of the images that are scored.

    Raises:
        SepcamError: If the file lacks an image, or has other keypoints than COCO's.
    """
    poses = read_coco(path)
    by_id = {str(image.id): image for image in poses.images}
    lacking = next((image for image in truth.images if str(image.id) not in by_id), None)
    if lacking is not None:
        raise SepcamError(f"{path} lacks image {lacking.id} ({lacking.file_name}) of {truth.source}")
    chosen = tuple(replace(by_id[str(image.id)], size=image.size) for image in truth.images)
    poses = replace(poses, images=chosen)
    check_keypoints(poses, _PEOPLE)
    return poses
