"""The options of an analysis, stated once and used by every command."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from ...models.errors import SepcamError, check_choice
from ...models.runtime.options import RuntimeOptions
from ...models.types import DEFAULT_POSE, ConvKind, Detector, FollowingNetwork
from ..execution.network_set import NetworkSet
from ..types import TASKS, DetectEvery, Smoothing, Task, TrackerName

PARTS: Final = MappingProxyType({"pose": "skeletons", "segment": "masks"})
"""What the tasks find of people, in words."""

_RUNTIME: Final = ("runtime", "device", "precision")


_CHOICES: Final = MappingProxyType({"backbone": ConvKind, "tracker": TrackerName, "smooth": Smoothing})


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What is done with each frame, and by which networks.

    Attributes:
        detector: name in the registry, a file of ``sepcam train``, or ``auto``.
        pose: name in the registry; loaded only if a task needs it and the detector does not do it itself.
        tasks: what is done besides detecting, any of ``TASKS``; the rest is not computed.
        backbone: kind of convolutions of networks loaded by name; the predictions are the same.
        classes: names of the classes to report; None reports all that the detector knows.
        conf: lowest score in [0, 1] that is reported, or that begins a track; None is the detector's own.
        max_people: keypoints and masks for at most this many people per frame, those with the largest
            and most confident boxes.
        detect_every: frames from one detection to the next, or ``auto``: as many as lose no accuracy.
        input_size: the detector's: (height, width), the longer side in pixels, or None for its own.
        runtime: what runs the networks.
        tracker: name in ``TRACKERS``.
        reid: identities go by the colors of clothes too, and whoever was hidden gets theirs back; by the
            tracker ``bytetrack`` alone.
        smooth: how much steadier the keypoints of people in video are made; ``light`` and ``strong`` differ
            in files alone, where later frames are known.

    Raises:
        SepcamError: If a value is out of range, or a task does not exist.
    """

    detector: str = "auto"
    pose: str = DEFAULT_POSE
    tasks: tuple[Task, ...] = TASKS
    backbone: ConvKind = "separable"
    classes: tuple[str, ...] | None = None
    conf: float | None = None
    max_people: int = 16
    detect_every: DetectEvery = "auto"
    input_size: tuple[int, int] | int | None = None
    runtime: RuntimeOptions = field(default_factory=RuntimeOptions)
    tracker: TrackerName = "bytetrack"
    reid: bool = True
    smooth: Smoothing = "light"

    def __post_init__(self) -> None:
        for name in ("tasks", "classes"):
            object.__setattr__(self, name, _listed(getattr(self, name)))
        for name, kind in _CHOICES.items():
            check_choice(name, getattr(self, name), kind)
        for task in sorted(set(self.tasks) - set(TASKS)):
            raise SepcamError(f"there is no task {task!r}; choose from {', '.join(TASKS)}")
        if self.conf is not None and not 0 <= self.conf <= 1:
            raise SepcamError(f"conf must lie between 0 and 1; got {self.conf:g}")
        if self.max_people < 1:
            raise SepcamError(f"max-people must be at least 1; got {self.max_people}")
        every = self.detect_every
        if every != "auto" and every < 1:
            raise SepcamError(f"detect-every must be a number from 1, or auto; got {every}")
        if every not in ("auto", 1) and "track" not in self.tasks:
            raise SepcamError(f"detect-every {every} follows people in between: add track to the tasks")
        # In their usual order, so that equal options compare equal.
        object.__setattr__(self, "tasks", tuple(task for task in TASKS if task in self.tasks))

    @property
    def smooths(self) -> bool:
        """Whether there are keypoints of known people to be made steadier."""
        return self.smooth != "off" and {"track", "pose"} <= set(self.tasks)

    @property
    def goes_by_colors(self) -> bool:
        """Whether the tracker wants the colors of what is found."""
        return self.reid and self.tracker == "bytetrack" and "track" in self.tasks

    def for_hiding(self) -> "AnalysisOptions":
        """The same with a detection in every frame: whoever comes in is hidden from the first one on."""
        return replace(self, detect_every=1)

    def check(self, networks: NetworkSet) -> None:
        """Check what depends on the networks.

        Raises:
            SepcamError: If they cannot do what is asked for.
            ValueError: If a task needs a pose network and there is none.
        """
        detector, pose = networks.detector, networks.pose
        self.check_detector(detector)
        missing = set(self.tasks) & {"pose", "segment"} - detector.parts
        if not missing:
            return
        if pose is None:
            raise ValueError("the tasks 'pose' and 'segment' need a pose network")
        for part in sorted(missing - pose.parts):
            raise SepcamError(
                f"{pose.name} finds no {PARTS[part]}: leave {part} out of the tasks, or use another network"
            )

    def check_detector(self, detector: Detector) -> None:
        """Check what depends on the detector.

        Raises:
            SepcamError: If it does not know a class, or must run on every frame.
        """
        for name in self.classes or ():
            if name not in detector.labels:
                near = difflib.get_close_matches(name, detector.labels, n=3) or list(detector.labels)[:5]
                raise SepcamError(f"the detector knows no class {name!r}; did you mean {', '.join(near)}?")
        own = set(self.tasks) & detector.parts
        if own and self.detect_every not in ("auto", 1) and not isinstance(detector, FollowingNetwork):
            parts = " and ".join(PARTS[part] for part in sorted(own))
            raise SepcamError(f"{detector.name} finds {parts} itself: it has to run on every frame")

    def to_json(self) -> dict[str, Any]:
        """As a flat JSON object. The number of threads is left out: results do not depend on it."""
        values = asdict(self)
        del values["runtime"]
        return values | {name: getattr(self.runtime, name) for name in _RUNTIME}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "AnalysisOptions":
        """Read what ``to_json`` returned, also that of a version with fewer options."""
        known = {item.name for item in fields(cls)} & values.keys() - {"runtime"}
        runtime = RuntimeOptions(**{name: values[name] for name in _RUNTIME if name in values})
        read: dict[str, Any] = {
            name: tuple(values[name]) if isinstance(values[name], list) else values[name] for name in known
        }
        return cls(**read, runtime=runtime)


def _listed(names: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Names as a tuple; one name may come by itself."""
    return (names,) if isinstance(names, str) else None if names is None else tuple(names)
