"""Tables 2 and 3: whole clips, Sepcam against itself, its peers and the floor, in the same rounds."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import peers
from .rounds import Contender, Result, interleave
from .worker import Worker, WorkerError

ALL = "separable: all tasks"
ALL_VIDEO = f"{ALL}, drawn, H.264 out"
ALL_EVERY = f"{ALL}, --detect-every 1"
ALL_FAST = f"{ALL}, --preset fast"
ALL_FAST_VIDEO = f"{ALL_FAST}, drawn, H.264 out"
FLOOR = "floor: PyAV decode, BGR, x264"
FLOOR_OPENCV = "floor: OpenCV decode, MPEG-4 encode"

OWN_DRAWING = "Sepcam's overlay"
ANNOTATORS = "supervision's Mask-, Box-, Label-, Edge- and VertexAnnotator"
CROWD = 5

# What Sepcam writes with: the floor must have the same.
X264 = {"codec": "libx264", "options": {"preset": "superfast", "crf": "23"}}
TASKS = ("track", "pose", "segment")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is run.

    Attributes:
        frames: of a clip per round.
        slow_frames: the same for what is several times slower.
        rounds: of every table.
        threads: that each contender may use.
        seed: of the order in which contenders run.
        precisions: beside that of the whole run, of Sepcam and Ultralytics on the street.
    """

    frames: int
    slow_frames: int
    rounds: int
    threads: int
    seed: int
    precisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """What of Sepcam is run; by default what ``sepcam process`` does.

    Attributes:
        tasks: beside detecting.
        backbone: kind of convolutions.
        input_size: the longer side of the detector's input in pixels, or None for its own.
        detect_every: frames from one detection to the next, or ``auto``.
        precision: of the networks; None is that of the whole run.
    """

    tasks: tuple[str, ...] = TASKS
    backbone: str = "separable"
    input_size: int | None = None
    detect_every: int | str = "auto"
    precision: str | None = None


FAST = Setup(input_size=320)


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that are measured; None for a peer that cannot run here.

    Attributes:
        sepcam: the product.
        floor: decode and encode.
        mediapipe: MediaPipe Pose.
        ultralytics: YOLO11.
        nncf: sets up NNCF and gives its interpreter.
        scratch: where encoders write.
    """

    sepcam: Worker
    floor: Worker
    mediapipe: Worker | None
    ultralytics: Worker | None
    nncf: Callable[[], Path]
    scratch: Path


class Sepcam:
    """Makes contenders of Sepcam; networks that several of them share are loaded once.

    Attributes:
        detector: name of the detector that was loaded.
    """

    def __init__(self, worker: Worker, detector: str, precision: str, plan: Plan, folder: Path) -> None:
        self.detector = detector
        self._worker, self._precision, self._plan, self._folder = worker, precision, plan, folder
        self._ready: dict[Setup, str] = {}

    def key(self, clip: Path, setup: Setup) -> str:
        """Names a loaded pipeline, which is loaded and warmed up where it is not yet."""
        if setup not in self._ready:
            key = f"{len(self._ready)}"
            reply = self._worker.request("prepare", key=key, clip=str(clip), **self.request(setup))
            self.detector = reply["detector"]
            self._ready[setup] = key
        return self._ready[setup]

    def request(self, setup: Setup) -> dict[str, Any]:
        """What a worker is asked to load."""
        form = asdict(setup)
        precision = form.pop("precision") or self._precision
        options = {"device": "cpu", "precision": precision, "threads": self._plan.threads}
        return {"detector": self.detector, "options": options, **form}

    def contender(self, name: str, clip: Path, setup: Setup, output: str) -> Contender:
        """A run over a clip."""
        plan = self._plan
        request: dict[str, Any] = {
            "key": self.key(clip, setup),
            "clip": str(clip),
            "frames": plan.frames if setup.backbone == "separable" else plan.slow_frames,
            "output": output,
            "folder": str(self._folder),
        }
        return Contender(name, lambda: self._worker.request("run", **request))

    def contenders(self, clip: Path, *, every: bool) -> list[Contender]:
        """All tasks with and without drawing and video, and each task alone, in both backbones.

        Args:
            clip: what they run on.
            every: else only all tasks, and separable alone also with video and in its quicker setups.
        """
        found = []
        for backbone in ("separable", "standard"):
            setup = Setup(backbone=backbone)
            rows = [(f"{backbone}: all tasks", setup, "results")]
            if every or backbone == "separable":
                rows.append((f"{backbone}: all tasks, drawn, H.264 out", setup, "video"))
            if backbone == "separable":
                rows += [
                    (ALL_EVERY, replace(setup, detect_every=1), "results"),
                    (ALL_FAST, FAST, "results"),
                    (ALL_FAST_VIDEO, FAST, "video"),
                ]
            if every:
                rows.append((f"{backbone}: all tasks, drawn", setup, "drawn"))
                rows += [
                    (f"{backbone}: {task} alone", replace(setup, tasks=(task,)), "results") for task in TASKS
                ]
            found += [self.contender(name, clip, row, output) for name, row, output in rows]
        return found


def all_in(precision: str) -> str:
    """What the tables call all tasks in a precision other than that of the whole run."""
    return f"{ALL}, {precision}"


def measure(
    clip: Path,
    sepcam: Sepcam,
    workers: Workers,
    plan: Plan,
    note: Callable[[str], None],
    *,
    every: bool,
) -> dict[str, Result]:
    """Runs everything on one clip in interleaved rounds.

    Args:
        clip: a 720p file with at least ``plan.frames`` frames.
        sepcam: the product.
        workers: the processes.
        plan: how much.
        note: called with progress and failures.
        every: with each task alone and all peers; else the main rows only.
    """
    broken: dict[str, Result] = {}
    contenders = [*sepcam.contenders(clip, every=every), *_floors(clip, workers, plan)]
    precisions = _in_other_precisions(clip, sepcam, plan) if every else []
    for name, make in [*precisions, *_peers(clip, workers, plan, every=every)]:
        try:
            contenders.append(make())
        except WorkerError as error:
            note(f"  {name}: {error}")
            broken[name] = Result(name, error=str(error))
    return {**interleave(contenders, plan.rounds, plan.seed, note), **broken}


def drawing(
    clip: Path, sepcam: Sepcam, worker: Worker, plan: Plan, note: Callable[[str], None]
) -> dict[str, Result]:
    """Drawing alone, by Sepcam and by supervision's annotators: ``CROWD`` people in each 720p frame."""
    given: dict[str, Any] = {"key": sepcam.key(clip, Setup()), "clip": str(clip), "people": CROWD}
    given["frames"] = plan.frames

    contenders = [
        Contender(OWN_DRAWING, lambda: worker.request("draw", **given)),
        Contender(ANNOTATORS, lambda: worker.request("annotate", **given)),
    ]
    return interleave(contenders, plan.rounds, plan.seed, note)


def _floors(clip: Path, workers: Workers, plan: Plan) -> list[Contender]:
    given: dict[str, Any] = {"clip": str(clip), "frames": plan.frames, "folder": str(workers.scratch)}
    floor = workers.floor
    return [
        Contender(FLOOR, lambda: floor.request("run_av", **given, **X264)),
        Contender(FLOOR_OPENCV, lambda: floor.request("run_opencv", **given)),
    ]


def _in_other_precisions(clip: Path, sepcam: Sepcam, plan: Plan) -> list[tuple[str, Callable[[], Contender]]]:
    return [
        (name, partial(sepcam.contender, name, clip, Setup(precision=precision), "results"))
        for precision in plan.precisions
        for name in [all_in(precision)]
    ]


def _peers(
    clip: Path, workers: Workers, plan: Plan, *, every: bool
) -> list[tuple[str, Callable[[], Contender]]]:
    found: list[tuple[str, Callable[[], Contender]]] = []
    mediapipe, ultralytics = workers.mediapipe, workers.ultralytics
    if mediapipe is not None:
        found.append((peers.MEDIAPIPE_POSE, lambda: peers.mediapipe_contender(mediapipe, clip, plan.frames)))
    if ultralytics is not None:
        forms = [
            ("openvino", "f32", 640),
            ("torch", "f32", 640),
            ("openvino", "f32", 320),
            ("torch", "f32", 320),
        ]
        forms += [("openvino", precision, side) for precision in plan.precisions for side in (640, 320)]
        for runtime, precision, side in forms if every else forms[:1]:
            frames = plan.frames if runtime == "openvino" else plan.slow_frames
            make = partial(
                peers.yolo_contender, ultralytics, runtime, precision, side, clip, frames, workers.nncf
            )
            found.append((peers.yolo_name(runtime, side, precision), make))
    return found
