"""``sepcam live``: a camera, a stream or a file in a window, with everything switchable by keys."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..models.errors import SepcamError
from ..models.runtime import RuntimeOptions
from ..pipelines.frames import TASKS
from . import choices, console

SaveLive = Literal["jsonl", "mot"]
SAVES_LIVE: tuple[SaveLive, ...] = ("jsonl", "mot")
BlurOption = Literal["nothing", "faces", "people"]


def live(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Camera number, /dev/videoN, address (rtsp://, http://), video file, or 'synthetic'.",
        ),
    ] = "0",
    list_cameras: Annotated[
        bool, typer.Option("--list-cameras", help="Print the cameras of this machine and exit.")
    ] = False,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="Ask the camera for this size.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="FPS", min=1, help="Ask the camera for this rate.")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin a file again at its end.")] = False,
    tasks: choices.TasksOption = "track,pose,segment",
    detector: choices.DetectorOption = "auto",
    pose: choices.PoseOption = "blazepose-full",
    backbone: choices.BackboneOption = "separable",
    classes: choices.ClassesOption = None,
    conf: choices.ConfOption = None,
    max_people: choices.MaxPeopleOption = 16,
    detect_every: choices.DetectEveryOption = "auto",
    target_fps: Annotated[
        float | None,
        typer.Option(
            "--target-fps",
            metavar="FPS",
            min=0,
            help="Rate to keep by doing less where the machine is too slow; 0 always does everything.",
            show_default="the camera's",
        ),
    ] = None,
    reconnect_timeout: Annotated[
        float | None,
        typer.Option(
            "--reconnect-timeout",
            metavar="SECONDS",
            min=0,
            help="Give up a camera or stream that stays away for so long.",
            show_default="never",
        ),
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Record the picture from the beginning.")
    ] = None,
    save: Annotated[
        str,
        typer.Option(
            "--save", metavar="LIST", help=f"Results to write beside it: any of {','.join(SAVES_LIVE)}."
        ),
    ] = "",
    out: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="FOLDER", help="Folder for recordings, snapshots and results."),
    ] = Path("sepcam-out"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Print who comes, goes and crosses, as JSON lines.")
    ] = False,
    blur: Annotated[
        BlurOption, typer.Option("--blur", help="Make faces or people unrecognisable, also in recordings.")
    ] = "nothing",
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar="x1,y1,x2,y2", help="Count people who cross it; may be repeated."),
    ] = None,
    zone: Annotated[
        list[str] | None,
        typer.Option("--zone", metavar="x1,y1,...", help="Count people inside; may be repeated."),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No window; Ctrl-C ends.")] = False,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", min=0, help="End after so long.", show_default="never"),
    ] = None,
    runtime: choices.RuntimeOption = "auto",
    device: choices.DeviceOption = "auto",
    precision: choices.PrecisionOption = "auto",
    threads: choices.ThreadsOption = None,
) -> None:
    """Watch a camera, a stream or a file: tracks, skeletons, masks, live. The key h shows all keys."""
    if list_cameras:
        show_cameras()
        return
    wanted_tasks = () if tasks == "none" else choices.chosen(tasks, TASKS, "--tasks")
    every = choices.detect_every(detect_every)
    saves = choices.chosen(save, SAVES_LIVE, "--save")
    if headless and not (record or saves or events):
        raise SepcamError("--headless shows nothing: add --record out.mp4, --save jsonl or --events")
    asked = None if size is None else _size(size)
    if not headless:
        from . import display

        display.check()

    from .watch import Request, watch

    watch(
        Request(
            source=source,
            size=asked,
            rate=rate,
            loop=loop,
            detector=detector,
            pose=pose,
            tasks=wanted_tasks,
            backbone=backbone,
            classes=None if classes is None else choices.split(classes),
            conf=conf,
            max_people=max_people,
            detect_every=every,
            options=RuntimeOptions(runtime, device, precision, threads),
            target_fps=target_fps,
            reconnect_timeout_s=reconnect_timeout,
            blur=blur,
            lines=tuple(line or ()),
            zones=tuple(zone or ()),
            video=record,
            saves=saves,
            folder=out,
            overwrite=overwrite,
            events=events,
            window=not headless,
            seconds=seconds,
        )
    )


def show_cameras() -> None:
    """Prints a line for each camera and one for each of its sizes."""
    from ..pipelines.cameras import list_cameras

    cameras = list_cameras()
    if not cameras:
        console.note(
            "no camera is connected; 'sepcam live FILE --loop' or 'sepcam live synthetic' work without"
        )
    for camera in cameras:
        console.say(f"{camera.number}  {camera.name}")
        for mode in camera.modes:
            rates = ", ".join(f"{rate:g}" for rate in mode.rates)
            console.say(f"   {mode.width}x{mode.height}" + (f" at {rates} FPS" if rates else ""))


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{1,4})[xX]([1-9]\d{1,4})", text)
    if match is None:
        raise SepcamError(f"--size {text!r} is no size: write it like 1280x720")
    return int(match[1]), int(match[2])
