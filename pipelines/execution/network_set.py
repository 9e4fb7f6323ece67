"""The networks that analyze a frame together."""

from collections.abc import Collection
from dataclasses import dataclass

from ...models.types import ConvKind, Detector, PoseEstimator, keypoint_network
from ..types import ModelInfo, Task


@dataclass(frozen=True, slots=True)
class NetworkSet:
    """Loaded networks, ready to run.

    Attributes:
        detector: finds people and whatever else it was trained for.
        pose: finds keypoints and masks of people where they are wanted and the detector does not find them
            itself; None if not needed.
        backbone: kind of convolutions that both were loaded with.
    """

    detector: Detector
    pose: PoseEstimator | None = None
    backbone: ConvKind = "separable"

    def info(self, tasks: Collection[Task]) -> ModelInfo:
        """What results of these tasks need to know of the networks."""
        detector, pose = self.detector, self.pose
        source = keypoint_network(detector, pose) if "pose" in tasks else None
        return ModelInfo(
            detector.name,
            None if pose is None else pose.name,
            tuple(detector.labels),
            () if source is None else tuple(source.keypoint_names),
            () if source is None else tuple((a, b) for a, b in source.skeleton),
            self.backbone,
        )
