"""The options of an analysis on the command line; ``AnalysisOptions`` is what they mean."""

from dataclasses import dataclass

from ...models.errors import SepcamError
from ...models.runtime.options import RuntimeOptions
from ...models.types import DEFAULT_POSE
from ...pipelines.analysis.options import AnalysisOptions
from . import shared


@dataclass(frozen=True, slots=True)
class AnalysisArguments:
    """What was typed."""

    tasks: shared.TasksOption = "track,pose,segment"
    classes: shared.ClassesOption = "person"
    conf: shared.ConfOption = None
    max_people: shared.MaxPeopleOption = 16
    detect_every: shared.DetectEveryOption = "auto"
    smooth: shared.SmoothOption = "light"
    tracker: shared.TrackerOption = "bytetrack"
    reid: shared.ReidOption = True
    detector: shared.DetectorOption = "auto"
    pose: shared.PoseOption = DEFAULT_POSE
    backbone: shared.BackboneOption = "separable"
    runtime: shared.RuntimeOption = "auto"
    device: shared.DeviceOption = "auto"
    precision: shared.PrecisionOption = "auto"
    threads: shared.ThreadsOption = None

    def options(self) -> AnalysisOptions:
        """What it means; the input size is left to the command.

        Raises:
            SepcamError: If a value is not valid.
        """
        from ...models.zoo import CLASSES_DETECTOR

        everything = self.classes.strip() == "all"
        classes = None if everything else shared.split(self.classes)
        if classes == ():
            raise SepcamError("--classes is empty: name classes, or all")
        return AnalysisOptions(
            detector=CLASSES_DETECTOR if everything and self.detector == "auto" else self.detector,
            pose=self.pose,
            tasks=shared.tasks(self.tasks),
            backbone=self.backbone,
            classes=classes,
            conf=self.conf,
            max_people=self.max_people,
            detect_every=shared.detect_every(self.detect_every),
            smooth=self.smooth,
            tracker=self.tracker,
            reid=self.reid,
            runtime=RuntimeOptions(self.runtime, self.device, self.precision, self.threads),
        )
