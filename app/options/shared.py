"""Options that several commands share, and how their lists are read."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

import typer

from ...models.errors import SepcamError
from ...models.runtime.options import Device, Precision, Runtime
from ...models.types import ConvKind
from ...pipelines.types import Blur, DetectEvery

T = TypeVar("T", bound=str)

TasksOption = Annotated[
    str,
    typer.Option(
        "--tasks", metavar="LIST", help="What to do beside detecting: any of track,pose,segment, or none."
    ),
]
DetectorOption = Annotated[
    str,
    typer.Option(
        "--detector", metavar="NAME", help="Network that finds people; auto takes the best that can be had."
    ),
]
InputSizeOption = Annotated[
    str,
    typer.Option(
        "--input-size",
        metavar="SIZE",
        help="Detector input: the longer side in pixels, WIDTHxHEIGHT, own, or auto (640 for yolox-nano).",
    ),
]
SmallPeopleOption = Annotated[
    bool,
    typer.Option(
        "--small-people/--no-small-people",
        help="Let the detector look closer, at people far away. Takes more time.",
    ),
]
PoseOption = Annotated[str, typer.Option("--pose", metavar="NAME", help="Network for skeletons and masks.")]
BackboneOption = Annotated[
    ConvKind,
    typer.Option("--backbone", help="Separable convolutions, or standard ones that compute the same."),
]
ClassesOption = Annotated[
    str | None,
    typer.Option("--classes", metavar="LIST", help="Only these, e.g. person,dog.", show_default="all"),
]
ConfOption = Annotated[
    float | None,
    typer.Option(
        "--conf",
        metavar="SCORE",
        min=0,
        max=1,
        help="Least score of what is reported, 0 to 1.",
        show_default="by detector",
    ),
]
MaxPeopleOption = Annotated[
    int,
    typer.Option("--max-people", metavar="N", min=1, help="Most people with skeleton and mask in a frame."),
]
DetectEveryOption = Annotated[
    str,
    typer.Option(
        "--detect-every",
        metavar="N|auto",
        help="Detect in every Nth frame and follow people in between; auto where nothing is lost.",
    ),
]
SizeOption = Annotated[
    str | None, typer.Option("--size", metavar="WxH", help="Ask the camera for this size.")
]
RateOption = Annotated[
    float | None, typer.Option("--rate", metavar="FPS", min=1, help="Ask the camera for this rate.")
]
LoopOption = Annotated[bool, typer.Option("--loop", help="Begin a file again at its end.")]
LiveInputSizeOption = Annotated[
    str,
    typer.Option(
        "--input-size",
        metavar="SIZE",
        help="Detector input: the longer side in pixels, WIDTHxHEIGHT, or own.",
    ),
]
TargetFpsOption = Annotated[
    float | None,
    typer.Option(
        "--target-fps",
        metavar="FPS",
        min=0,
        help="Rate to keep by doing less where the machine is too slow; 0 always does everything.",
        show_default="the camera's",
    ),
]
ReconnectTimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--reconnect-timeout",
        metavar="SECONDS",
        min=0,
        help="Give up a camera or stream that stays away for so long.",
        show_default="never",
    ),
]
BlurOption = Annotated[
    Blur, typer.Option("--blur", help="Make faces or people unrecognisable, also in recordings.")
]
LineOption = Annotated[
    list[str] | None,
    typer.Option("--line", metavar="x1,y1,x2,y2", help="Count people who cross it; may be repeated."),
]
ZoneOption = Annotated[
    list[str] | None,
    typer.Option("--zone", metavar="x1,y1,...", help="Count people inside; may be repeated."),
]
RuntimeOption = Annotated[Runtime, typer.Option("--runtime", help="What runs the networks.")]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where it runs them.")]
PrecisionOption = Annotated[Precision, typer.Option("--precision", help="In which numbers it computes.")]
ThreadsOption = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", min=1, help="Threads per network.", show_default="all cores"),
]


def detect_every(text: str) -> DetectEvery:
    """How often to detect, as typed.

    Raises:
        SepcamError: If it is neither a number from 1 nor ``auto``.
    """
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise SepcamError(f"--detect-every takes a number from 1, or auto; is {text!r}")
    return int(text)


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


def picture_size(text: str | None) -> tuple[int, int] | None:
    """Width and height in pixels of what ``--size`` says.

    Raises:
        SepcamError: If it does not read ``WIDTHxHEIGHT``.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{1,4})[xX]([1-9]\d{1,4})", text)
    if match is None:
        raise SepcamError(f"--size {text!r} is no size: write it like 1280x720")
    return int(match[1]), int(match[2])


def input_size(text: str) -> tuple[int, int] | int | None:
    """What ``load_detector`` takes, from ``WIDTHxHEIGHT``, the longer side alone, or ``own``.

    Raises:
        SepcamError: If it is none of these.
    """
    if text == "own":
        return None
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if match is None or not all(map(int, match.groups("1"))):
        raise SepcamError(f"input size {text!r} is none: give pixels, e.g. 640, WIDTHxHEIGHT, or own")
    return int(match[1]) if match[2] is None else (int(match[2]), int(match[1]))
