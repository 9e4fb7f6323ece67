"""The options of an analysis on the command line; ``AnalysisOptions`` is what they mean."""

from dataclasses import dataclass

from ...models.runtime.options import RuntimeOptions
from ...models.types import DEFAULT_POSE
from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.types import TASKS
from . import shared


@dataclass(frozen=True, slots=True)
class AnalysisArguments:
    """What was typed."""

    tasks: shared.TasksOption = "track,pose,segment"
    classes: shared.ClassesOption = None
    conf: shared.ConfOption = None
    max_people: shared.MaxPeopleOption = 16
    detect_every: shared.DetectEveryOption = "auto"
    smooth: shared.SmoothOption = "light"
    tracker: shared.TrackerOption = "bytetrack"
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
        return AnalysisOptions(
            detector=self.detector,
            pose=self.pose,
            tasks=() if self.tasks == "none" else shared.chosen(self.tasks, TASKS, "--tasks"),
            backbone=self.backbone,
            classes=None if self.classes is None else shared.split(self.classes),
            conf=self.conf,
            max_people=self.max_people,
            detect_every=shared.detect_every(self.detect_every),
            smooth=self.smooth,
            tracker=self.tracker,
            runtime=RuntimeOptions(self.runtime, self.device, self.precision, self.threads),
        )
