"""Options that several commands share, and how their lists are read."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeVar

import typer

from ...models.errors import SepcamError
from ...models.runtime.options import Device, Precision, Runtime
from ...models.types import ConvKind
from ...pipelines.types import TASKS, DetectEvery, Smoothing, Task, TrackerName

T = TypeVar("T", bound=str)

ANALYSIS: Final = "Analysis"
NETWORKS: Final = "Networks"
SOURCE: Final = "Source"
DISPLAY: Final = "Display"
DRAWING: Final = "Drawing"
COUNTING: Final = "Counting"
EVENTS: Final = "Recording events"
HIDING: Final = "Hiding people"
RESULTS: Final = "Results"
JOBS: Final = "Jobs of many files"
SERVER: Final = "Server"
SETTINGS: Final = "Settings"


LISTS: Final = frozenset({"tasks", "classes", "save", "draw"})
"""Parameters that take a comma-separated list; in a settings file they may be lists."""

TasksOption = Annotated[
    str,
    typer.Option(
        "--tasks",
        metavar="LIST",
        help="What to do besides detecting: any of track,pose,segment, or none.",
        rich_help_panel=ANALYSIS,
    ),
]
DetectorOption = Annotated[
    str,
    typer.Option(
        "--detector",
        metavar="NAME|FILE",
        help="Network that finds people, or a trained file; auto is people; yolox-nano for other --classes.",
        rich_help_panel=NETWORKS,
    ),
]
InputSizeOption = Annotated[
    str,
    typer.Option(
        "--input-size",
        metavar="SIZE",
        help="Detector input: the longer side in pixels, WIDTHxHEIGHT, own, or auto (640 for yolox-nano).",
        rich_help_panel=NETWORKS,
    ),
]
SmallPeopleOption = Annotated[
    bool,
    typer.Option(
        "--small-people/--no-small-people",
        help="Let the detector look closer, at people far away. Takes more time.",
        rich_help_panel=NETWORKS,
    ),
]
PoseOption = Annotated[
    str,
    typer.Option("--pose", metavar="NAME", help="Network for skeletons and masks.", rich_help_panel=NETWORKS),
]
BackboneOption = Annotated[
    ConvKind,
    typer.Option(
        "--backbone",
        help="Separable convolutions, or standard ones that compute the same.",
        rich_help_panel=NETWORKS,
    ),
]
ClassesOption = Annotated[
    str,
    typer.Option(
        "--classes",
        metavar="LIST",
        help="Report these classes, e.g. person,dog; all is every one that the detector knows.",
        rich_help_panel=ANALYSIS,
    ),
]
ConfOption = Annotated[
    float | None,
    typer.Option(
        "--conf",
        metavar="SCORE",
        min=0,
        max=1,
        help="Lowest score that is reported in photographs, or that starts a track in video, 0 to 1. "
        "Without it: "
        "people 0.25, 0.3; people-photo 0.16, 0.2; people-accurate 0.25, 0.3; "
        "ssdlite-person 0.4, 0.6; yolox-nano 0.7, 0.8; ssd-mobilenet-v1-coco 0.55, 0.65; "
        "ssdlite320-mobilenet-v3-large 0.6, 0.7.",
        show_default="by detector",
        rich_help_panel=ANALYSIS,
    ),
]
MaxPeopleOption = Annotated[
    int,
    typer.Option(
        "--max-people",
        metavar="N",
        min=1,
        help="Most people with skeleton and mask in a frame.",
        rich_help_panel=ANALYSIS,
    ),
]
SmoothOption = Annotated[
    Smoothing,
    typer.Option(
        "--smooth",
        help="Steadier skeletons; light keeps fast movements, strong calms more.",
        rich_help_panel=ANALYSIS,
    ),
]
TrackerOption = Annotated[
    TrackerName,
    typer.Option(
        "--tracker",
        help="How identities are kept; bytetrack measured best.",
        rich_help_panel=ANALYSIS,
    ),
]
ReidOption = Annotated[
    bool,
    typer.Option(
        "--reid/--no-reid",
        help="Tell people apart by the colors of their clothes too, and give an identity back to whoever was "
        "hidden (bytetrack).",
        rich_help_panel=ANALYSIS,
    ),
]
DetectEveryOption = Annotated[
    str,
    typer.Option(
        "--detect-every",
        metavar="N|auto",
        help="Detect in every Nth frame and follow people in between; auto detects when necessary.",
        rich_help_panel=ANALYSIS,
    ),
]
SizeOption = Annotated[
    str | None,
    typer.Option("--size", metavar="WxH", help="Ask the camera for this size.", rich_help_panel=SOURCE),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        "--rate", metavar="FPS", min=1, help="Ask the camera for this rate.", rich_help_panel=SOURCE
    ),
]
ExposureOption = Annotated[
    str | None,
    typer.Option(
        "--exposure",
        metavar="MS|auto",
        help="Ask the camera to expose each frame for this many milliseconds.",
        rich_help_panel=SOURCE,
    ),
]
MirrorOption = Annotated[
    bool,
    typer.Option("--mirror", help="Flip the image horizontally, as in a mirror.", rich_help_panel=SOURCE),
]
LoopOption = Annotated[
    bool, typer.Option("--loop", help="Play a file again when it ends.", rich_help_panel=SOURCE)
]
LiveInputSizeOption = Annotated[
    str,
    typer.Option(
        "--input-size",
        metavar="SIZE",
        help="Detector input: the longer side in pixels, WIDTHxHEIGHT, or own.",
        rich_help_panel=NETWORKS,
    ),
]
TargetFpsOption = Annotated[
    float | None,
    typer.Option(
        "--target-fps",
        metavar="FPS",
        min=0,
        help="Frame rate to keep by doing less on a slow machine; 0 always does everything.",
        show_default="the camera's",
        rich_help_panel=ANALYSIS,
    ),
]
ReconnectTimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--reconnect-timeout",
        metavar="SECONDS",
        min=0,
        help="Give up when a camera or stream has been away for this long.",
        show_default="never",
        rich_help_panel=SOURCE,
    ),
]
RuntimeOption = Annotated[
    Runtime, typer.Option("--runtime", help="What runs the networks.", rich_help_panel=NETWORKS)
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Device that runs the networks.", rich_help_panel=NETWORKS)
]
PrecisionOption = Annotated[
    Precision, typer.Option("--precision", help="Number format to compute in.", rich_help_panel=NETWORKS)
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        help="Threads per network.",
        show_default="all cores",
        rich_help_panel=NETWORKS,
    ),
]


def detect_every(text: str) -> DetectEvery:
    """How often to detect, as typed.

    Raises:
        SepcamError: If it is neither a number from 1 nor ``auto``.
    """
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise SepcamError(f"--detect-every takes a number from 1, or auto; got {text!r}")
    return int(text)


def tasks(text: str) -> tuple[Task, ...]:
    """The tasks, as typed; none for ``none``.

    Raises:
        SepcamError: If one is not known, or there are none.
    """
    if not split(text):
        raise SepcamError(f"--tasks needs some of {', '.join(TASKS)}, or none for boxes alone")
    return () if text == "none" else chosen(text, TASKS, "--tasks")


def chosen(text: str, known: Sequence[T], option: str) -> tuple[T, ...]:
    """The words of a comma-separated list, each of which must be known; once each, in their usual order.

    Raises:
        SepcamError: If a word is not known.
    """
    words = split(text)
    for word in words:
        if word not in known:
            near = difflib.get_close_matches(word, known, n=1)
            hint = f", did you mean {near[0]!r}?" if near else ""
            raise SepcamError(f"{option} knows no {word!r}{hint} (choose from {', '.join(known)})")
    return tuple(word for word in known if word in words)


def split(text: str) -> tuple[str, ...]:
    """The words of a comma-separated list."""
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """The numbers of a comma-separated list.

    Raises:
        SepcamError: If a word is not one.
    """
    words = split(text)
    if not words or not all(word.isdecimal() for word in words):
        raise SepcamError(f"{option} {text!r} must be whole numbers, e.g. 256,320")
    return tuple(map(int, words))


def image_size(text: str | None) -> tuple[int, int] | None:
    """Width and height in pixels of what ``--size`` says.

    Raises:
        SepcamError: If it does not read ``WIDTHxHEIGHT``.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{1,4})[xX]([1-9]\d{1,4})", text)
    if match is None:
        raise SepcamError(f"--size {text!r} is not a valid size: write it like 1280x720")
    return int(match[1]), int(match[2])


def exposure(text: str | None) -> float | Literal["auto"] | None:
    """Milliseconds, or ``auto``, of what ``--exposure`` says.

    Raises:
        SepcamError: If it is neither.
    """
    if text is None or text == "auto":
        return text
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", text) or float(text) == 0:
        raise SepcamError(f"--exposure {text!r} is not valid: write milliseconds, like 10, or auto")
    return float(text)


def input_size(text: str) -> tuple[int, int] | int | None:
    """What ``load_detector`` takes, from ``WIDTHxHEIGHT``, the longer side alone, or ``own``.

    Raises:
        SepcamError: If it is none of these.
    """
    if text == "own":
        return None
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if match is None or not all(map(int, match.groups("1"))):
        raise SepcamError(f"input size {text!r} is not valid: give pixels, e.g. 640, WIDTHxHEIGHT, or own")
    return int(match[1]) if match[2] is None else (int(match[2]), int(match[1]))
