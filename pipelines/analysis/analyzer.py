"""The whole analysis of one frame: detect, track, then keypoints and masks of the people in one batch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ...models.ops.masks import mask_crops
from ...models.ops.roi import roi_from_boxes
from ...models.types import F32, I64, U8, Crop, Detections, FollowingNetwork, PoseEstimator, Poses
from ..execution.network_set import NetworkSet
from ..tracking.base import Tracker, create_tracker
from ..tracking.colors import with_colors
from ..tracking.settings import settings_for
from ..types import Frame, Instances, MaskCrop, ModelInfo
from .box_propagation import BoxPropagation
from .detection_schedule import APPEAR_S, DetectionSchedule, predictable
from .found import Found, Stopwatch
from .options import AnalysisOptions
from .pose_roi import PoseRois, duplicate_poses, valid_poses
from .pose_schedule import PoseSchedule
from .scenes import Scenes
from .scores import SteadyScores
from .visibility import with_visibility

LIKELY: Final = 0.2
"""Lowest score of what is hidden where people are hidden; below it, half of the image would be."""


class Analyzer:
    """Finds everything in each frame of one source; pass it the frames in order, from one thread at a time.

    A task that is not asked for is not computed: without ``pose`` and ``segment`` the pose network never
    runs, without ``segment`` its mask branch does not, without ``track`` no identity is kept. After a gap in
    time (`scenes.GAP_S`), after a cut, and when a looping source starts over, people get new identities.

    Attributes:
        model: the networks, as results need to know them.
        pose_schedule: which people get a new pose in a frame.
        detection_schedule: which frames get a detection; None if all do.
        likely: (M, 4) float32 boxes of what may be people in the last detection, reported or not.
        tentative: what was detected in the last frame and may get an identity in the next one; None where
            nothing was detected or nobody is tracked.
    """

    likely: F32
    tentative: Instances | None
    model: ModelInfo
    pose_schedule: PoseSchedule
    detection_schedule: DetectionSchedule | None

    def __init__(
        self,
        networks: NetworkSet,
        options: AnalysisOptions | None = None,
        *,
        tracker: Tracker | None = None,
        scenes: Scenes | None = None,
        independent: bool = False,
        fps: float | None = None,
    ) -> None:
        """Prepare for one source.

        Args:
            networks: what runs. The pose network may be None if no task needs it.
            options: what to do; None is the default.
            tracker: keeps identities; by default the one that the options name, with thresholds that suit the
                detector.
            scenes: says where people are new people; by default by the frames' times and images.
            independent: the frames are not of one scene (a folder of images): no tracking, and two passes of
                the pose network, since there is no earlier frame.
            fps: frames per second of the source, for the tracker.

        Raises:
            SepcamError: If the options do not fit the networks.
            ValueError: If a task needs a pose network and there is none.
        """
        options = options or AnalysisOptions()
        detector, pose = networks.detector, networks.pose
        options.check(networks)
        self.tasks = frozenset(options.tasks)
        self.model = networks.info(options.tasks)
        self._detector = detector
        names, wanted = detector.labels, options.classes
        self._labels = None if wanted is None else [i for i, name in enumerate(names) if name in wanted]
        self._person = [i for i, name in enumerate(names) if name == "person"]
        self._own = self.tasks & detector.parts
        missing = self.tasks & {"pose", "segment"} - self._own
        self._pose = pose if missing else None
        self._landmarks, self._masks = "pose" in missing, "segment" in missing
        self._max_people = options.max_people
        settings = settings_for(detector.name).with_confidence(options.conf)
        self._conf = settings.high if options.conf is None else options.conf
        self._tracker = None
        if "track" in self.tasks and not independent:
            self._tracker = tracker or create_tracker(options.tracker, names, settings, fps)
        self._scenes = scenes or Scenes(fps)
        self._two_passes = independent and self._landmarks
        self._rois, self._propagation = PoseRois(), BoxPropagation()
        self._scores = SteadyScores()
        self.pose_schedule = PoseSchedule()
        self._known, self._known_ids = Detections.empty(), np.zeros(0, np.int64)
        self.detection_schedule = None
        self.likely, self.tentative = np.zeros((0, 4), np.float32), None
        self._later_masks: Sequence[Crop] | None = None
        self._begins = settings.new
        self._least_colored = settings.high if options.goes_by_colors else None
        self._own_masks: Sequence[Crop] | None = None
        self._following = detector if isinstance(detector, FollowingNetwork) else None
        if options.detect_every != 1 and self._tracker is not None and (self._following or not self._own):
            self.detection_schedule = DetectionSchedule(options.detect_every)

    def reset(self) -> None:
        """Forget all tracks, as at a cut; identities continue to count."""
        self._scores.reset()
        self._rois.reset()
        self._propagation.reset()
        self.pose_schedule.reset()
        self._known, self._known_ids = Detections.empty(), np.zeros(0, np.int64)
        if self._tracker is not None:
            self._tracker.reset()
        if self.detection_schedule is not None:
            self.detection_schedule.reset()

    def analyze(self, frame: Frame) -> tuple[Instances, dict[str, float]]:
        """Everything in one frame, and the milliseconds that each stage took, in the order of the stages."""
        return self.find(frame).complete()

    def find(self, frame: Frame) -> Found:
        """Everything that later frames depend on; the masks of a one-pass network are still to be computed.

        Another thread may complete them while this one continues with the next frame.
        """
        clock = Stopwatch()
        self.tentative = self._later_masks = None
        if self._scenes.begin(frame):
            self.reset()
        self._own_masks = None
        instances = self._scores.of(self._found(frame, clock), frame.time_s)
        instances = self._with_lost(instances)
        return Found(instances, self._own_masks, clock.laps, self.likely, self.tentative, self._later_masks)

    def _found(self, frame: Frame, clock: "Stopwatch") -> Instances:
        """Who is seen in one frame."""
        if self._tracker is None or self.detection_schedule is None:
            return self._detected(frame, clock)
        schedule, tracker = self.detection_schedule, self._tracker
        expected = replace(self._known, boxes=tracker.predict(self._known_ids, frame.time_s))
        instances = None
        if not schedule.due(frame.image, frame.time_s, expected.boxes):
            if self._following is None:
                instances = self._propagated(frame, expected, tracker, clock)
            else:
                instances = self._followed(frame, expected.boxes, self._following, tracker, clock)
        if instances is None:
            instances = self._detected(frame, clock)
            schedule.detected(
                frame.image,
                frame.time_s,
                instances.boxes,
                tentative=tracker.tentative,
                hurry=self._in_doubt(instances, frame.time_s, tracker),
            )
        else:
            schedule.propagated(hurry=self._in_doubt(instances, frame.time_s, tracker))
        return instances

    def _with_lost(self, instances: Instances) -> Instances:
        """With those who were lost a moment ago, by their boxes alone."""
        if self._tracker is None or instances.track_ids is None:
            return instances
        lost, ids = self._tracker.coasted(instances.size)
        n = len(lost)
        if not n:
            return instances
        padded = {
            name: None if values is None else _spread(values, np.arange(len(values)), len(values) + n)
            for name in ("keypoints", "presence", "pose_scores", "space")
            for values in [getattr(instances, name)]
        }
        return replace(
            instances,
            **padded,
            boxes=np.concatenate([instances.boxes, lost.boxes]),
            scores=np.concatenate([instances.scores, lost.scores]),
            labels=np.concatenate([instances.labels, lost.labels]),
            track_ids=np.concatenate([instances.track_ids, ids]),
            masks=None if instances.masks is None else [*instances.masks, *[None] * n],
            coasted=np.arange(len(instances) + n) >= len(instances),
        )

    def _in_doubt(self, instances: Instances, time_s: float, tracker: Tracker) -> bool:
        """Whether somebody may leave the box that they will be carried in."""
        if instances.track_ids is None:
            return False
        if self._following is not None:  # its crops show people who move, cross and turn
            return len(tracker.coasted(instances.size)[1]) > 0
        later = tracker.predict(instances.track_ids, time_s + APPEAR_S)
        followed = self._propagation.have(instances.track_ids)
        return tracker.lost or not predictable(instances.boxes, later, followed).all()

    def _detected(self, frame: Frame, clock: "Stopwatch") -> Instances:
        """One frame by what the detector finds in it."""
        found = self._detector.detect(frame.image)
        self.likely = found.boxes[np.isin(found.labels, self._person) & (found.scores >= LIKELY)]
        if self._labels is not None:
            found = found[np.isin(found.labels, self._labels)]
        clock.lap("detect")

        size = (frame.image.shape[0], frame.image.shape[1])
        if self._tracker is None:
            found, ids = found[found.scores >= self._conf], None
            boxes = found.boxes
        else:
            found = self._colored(found, frame.image)
            boxes, rows, ids = self._tracker.follow(found, frame.time_s, size)
            self._note_tentative(found, rows, size)
            found = found[rows]
            self._known, self._known_ids = found, ids
            clock.lap("track")

        instances = self._instances(size, found, boxes, ids)
        if self._pose is None:
            return instances
        rows = self._choose(found)
        rows, poses = self._look(self._pose, frame.image, instances.boxes, ids, rows, detected=True)
        if ids is not None:
            sure = valid_poses(poses, roi_from_boxes(instances.boxes[rows], size))
            self._propagation.set(ids[rows[sure]], found.boxes[rows[sure]], poses.keypoints[sure])
        clock.lap("pose")
        return self._with_poses(instances, rows, poses, clock)

    def _colored(self, found: Detections, image: U8) -> Detections:
        """With colors, where a tracker goes by them and they are unknown."""
        if self._least_colored is None or found.colors is not None:
            return found
        return with_colors(found, image, self._least_colored)

    def _note_tentative(self, found: Detections, rows: I64, size: tuple[int, int]) -> None:
        """Note what begins a track and has no identity yet; ``rows`` have one."""
        begun = found.scores >= self._begins
        begun[rows] = False
        if begun.any():
            left = found[np.flatnonzero(begun)]
            self.tentative = self._instances(size, left, left.boxes, None)
            self._later_masks = self._own_masks

    def _followed(
        self,
        frame: Frame,
        expected: F32,
        network: FollowingNetwork,
        tracker: Tracker,
        clock: "Stopwatch",
    ) -> Instances | None:
        """One frame by looks at the known people alone.

        None where a look at the whole frame is as cheap, or somebody is no longer where they were expected.
        """
        found = network.follow(frame.image, expected)
        if found is None or len(found) < len(expected):
            return None
        clock.lap("follow")
        size = (frame.image.shape[0], frame.image.shape[1])
        boxes, rows, ids = tracker.follow(self._colored(found, frame.image), frame.time_s, size)
        self._known, self._known_ids = found[rows], ids
        instances = self._instances(size, self._known, boxes, ids)
        clock.lap("track")
        return instances

    def _propagated(self, frame: Frame, known: Detections, tracker: Tracker, clock: "Stopwatch") -> Instances:
        """One frame without a detection: everyone is where landmarks are, or where they are expected."""
        size = (frame.image.shape[0], frame.image.shape[1])
        chosen, poses = np.zeros(0, np.int64), None
        if self._pose is not None:
            boxes = known.boxes.copy()
            chosen, ids = self._choose(known), self._known_ids
            chosen, poses = self._look(self._pose, frame.image, boxes, ids, chosen, detected=False)
            sure = valid_poses(poses, roi_from_boxes(boxes[chosen], size))
            rows = chosen[sure]
            boxes[rows] = self._propagation.propagate(
                self._known_ids[rows], boxes[rows], poses.keypoints[sure]
            )
            self._propagation.keep(self._known_ids[rows])
            known = replace(known, boxes=boxes)
            clock.lap("pose")

        boxes, rows, ids = tracker.follow(known, frame.time_s, size)
        place = np.full(len(known), -1)
        place[rows] = np.arange(len(rows))
        self._known, self._known_ids = known[rows], ids
        instances = self._instances(size, self._known, boxes, ids)
        clock.lap("track")
        if poses is None:
            return instances
        kept = np.flatnonzero(place[chosen] >= 0)
        poses = poses if len(kept) == len(poses) else poses.take(kept)
        return self._with_poses(instances, place[chosen[kept]], poses, clock)

    def _instances(self, size: tuple[int, int], found: Detections, boxes: F32, ids: I64 | None) -> Instances:
        limit = np.array([size[1], size[0], size[1], size[0]], np.float32)
        boxes = boxes.clip(0, limit)
        instances = Instances(size, boxes, found.scores, found.labels, self._detector.labels, ids)
        if "segment" in self._own:
            self._own_masks = found.masks
        if "pose" in self._own:
            instances = replace(instances, keypoints=found.keypoints, pose_scores=found.pose_scores)
        return instances

    def _with_poses(self, instances: Instances, rows: I64, poses: Poses, clock: "Stopwatch") -> Instances:
        if self._landmarks and self._pose is not None:
            instances = _with_keypoints(instances, rows, poses)
            if instances.track_ids is not None:
                self._rois.remember(instances.track_ids[rows], instances.boxes[rows], poses, instances.size)
        if self._masks:
            instances = _with_masks(instances, rows, poses)
            clock.lap("masks")
        return with_visibility(instances) if self._landmarks else instances

    def _choose(self, found: Detections) -> I64:
        """Rows of the people who get landmarks: all, or the largest and surest."""
        people = np.flatnonzero(np.isin(found.labels, self._person))
        if len(people) <= self._max_people:
            return people
        weight = found.scores[people] * (found.boxes[people, 2:] - found.boxes[people, :2]).prod(1)
        return np.sort(people[np.argsort(-weight, kind="stable")[: self._max_people]])

    def _look(
        self, pose: PoseEstimator, image: U8, boxes: F32, ids: I64 | None, rows: I64, *, detected: bool
    ) -> tuple[I64, Poses]:
        """Landmarks and masks of these people in one batch, but for those who hide behind another."""
        boxes, size = boxes[rows], (image.shape[0], image.shape[1])
        if ids is not None and self._landmarks:
            seeds = self._rois.propose(ids[rows], boxes, size)
        else:
            seeds = roi_from_boxes(boxes, size)
        if ids is None:
            poses = pose.estimate(image, seeds, masks=self._masks)
        else:
            due = self.pose_schedule.due(ids[rows], detected=detected)
            poses = pose.estimate(image, seeds[due], masks=self._masks)
            poses = self.pose_schedule.merge(ids[rows], boxes, due, poses)
        if self._two_passes:
            poses = _second_pass(pose, image, poses)
        own = np.flatnonzero(~duplicate_poses(poses.keypoints, boxes))
        return rows[own], poses if len(own) == len(poses) else poses.take(own)


def _second_pass(pose: PoseEstimator, image: U8, first: Poses) -> Poses:
    """The first pass with better landmarks: found again in the regions that they suggest themselves."""
    again = np.flatnonzero(valid_poses(first, first.rois))
    if not len(again):
        return first
    second = pose.estimate(image, first.next_rois[again], masks=False)
    keypoints, space = first.keypoints.copy(), None if first.space is None else first.space.copy()
    keypoints[again] = second.keypoints
    if space is not None:
        space[again] = second.space
    return replace(first, keypoints=keypoints, space=space)


def _with_keypoints(instances: Instances, rows: I64, poses: Poses) -> Instances:
    keypoints, presence, space = (
        None if values is None else _spread(values, rows, len(instances))
        for values in (poses.keypoints, poses.presence, poses.space)
    )
    return replace(instances, keypoints=keypoints, presence=presence, space=space)


def _spread(values: F32, rows: I64, count: int) -> F32:
    """(count, ...): the values in these rows, zeros in others."""
    spread = np.zeros((count, *values.shape[1:]), np.float32)
    spread[rows] = values
    return spread


def _with_masks(instances: Instances, rows: I64, poses: Poses) -> Instances:
    masks: list[MaskCrop | None] = [None] * len(instances)
    if poses.mask_logits is not None:
        crops = mask_crops(poses.mask_logits, poses.rois, instances.boxes[rows], instances.size)
        for row, (pixels, x, y) in zip(rows, crops, strict=True):
            masks[row] = MaskCrop(pixels, x, y) if pixels.any() else None
    return replace(instances, masks=masks)
