"""``sepcam live``: a camera, a stream or a file in a window, with everything switchable by keys."""

from pathlib import Path
from typing import Annotated

import typer

from ...models.errors import SepcamError
from ...models.runtime.options import RuntimeOptions
from ...pipelines.sinks.registry import names_for, sink_kinds
from ...pipelines.types import TASKS
from ..options import shared as choices
from ..terminal import console

RECORDS = (".mp4", ".mov")


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
    size: choices.SizeOption = None,
    rate: choices.RateOption = None,
    loop: choices.LoopOption = False,
    tasks: choices.TasksOption = "track,pose,segment",
    detector: choices.DetectorOption = "auto",
    input_size: choices.LiveInputSizeOption = "own",
    pose: choices.PoseOption = "blazepose-full",
    backbone: choices.BackboneOption = "separable",
    classes: choices.ClassesOption = None,
    conf: choices.ConfOption = None,
    max_people: choices.MaxPeopleOption = 16,
    detect_every: choices.DetectEveryOption = "auto",
    target_fps: choices.TargetFpsOption = None,
    reconnect_timeout: choices.ReconnectTimeoutOption = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Record the picture from the beginning.")
    ] = None,
    save: Annotated[
        str,
        typer.Option(
            "--save",
            metavar="LIST",
            help=f"Results to write too: any of {','.join(names_for('live'))}.",
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
    blur: choices.BlurOption = "nothing",
    line: choices.LineOption = None,
    zone: choices.ZoneOption = None,
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
    saves = choices.chosen(save, names_for("live"), "--save")
    for name in saves:
        sink_kinds()[name].check()
    if headless and not (record or saves or events):
        raise SepcamError("--headless shows nothing: add --record out.mp4, --save jsonl or --events")
    if record is not None and record.suffix.lower() not in RECORDS:
        raise SepcamError(f"{record} is no name for a recording: it ends in {', '.join(RECORDS)}")
    wanted_tasks = () if tasks == "none" else choices.chosen(tasks, TASKS, "--tasks")
    every = choices.detect_every(detect_every)
    asked = choices.picture_size(size)
    detector_size = choices.input_size(input_size)
    if not headless:
        from ..live import display_check as display

        display.check()

    from ..live.request import LiveRequest
    from ..live.run import Request, watch

    watch(
        Request(
            live=LiveRequest(
                source=source,
                size=asked,
                rate=rate,
                loop=loop,
                detector=detector,
                input_size=detector_size,
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
            ),
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
    from ...pipelines.sources.v4l2 import list_cameras

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
