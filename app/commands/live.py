"""``sepcam live``: a camera, a stream or a file in a window, with everything switchable by keys."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ...models.errors import SepcamError
from ...pipelines.sinks.registry import names_for, sink_kinds, with_companions
from ..options import shared as choices
from ..options.drawing import DrawArguments
from ..options.events import EventArguments
from ..options.groups import with_groups
from ..options.hiding import HidingArguments
from ..options.live import LiveArguments
from ..options.watching import WatchArguments
from ..terminal import console

RECORDS = (".mp4", ".mov")


@with_groups
def live(
    source: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Camera number, /dev/videoN, address (rtsp://, http://), video file, or 'demo'; several are "
            "shown in a grid.",
            show_default="0",
        ),
    ] = None,
    list_cameras: Annotated[
        bool,
        typer.Option(
            "--list-cameras",
            help="Print the cameras of this machine and exit.",
            rich_help_panel=choices.SOURCE,
        ),
    ] = False,
    *,
    shared: LiveArguments,
    drawing: DrawArguments,
    watching: WatchArguments,
    hiding: HidingArguments,
    recording: EventArguments,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Record the video from the beginning.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = None,
    save: Annotated[
        str,
        typer.Option(
            "--save",
            metavar="LIST",
            help=f"Results to write too: any of {', '.join(names_for('live'))}.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = "",
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER",
            help="Folder for recordings, snapshots and results.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = Path("sepcam-out"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist.", rich_help_panel=choices.RESULTS)
    ] = False,
    events: Annotated[
        bool,
        typer.Option(
            "--events",
            help="Print who comes, goes and crosses, as JSON Lines.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = False,
    headless: Annotated[
        bool,
        typer.Option(
            "--headless", help="Run without a window; Ctrl-C stops it.", rich_help_panel=choices.DISPLAY
        ),
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            metavar="S",
            min=0,
            help="Stop after this many seconds.",
            show_default="never",
            rich_help_panel=choices.SOURCE,
        ),
    ] = None,
    duel: Annotated[
        float | None,
        typer.Option(
            "--duel",
            metavar="S",
            min=1,
            max=600,
            help="Begin with a duel of S seconds: both backbones on the same frames.",
            show_default="none",
            rich_help_panel=choices.DISPLAY,
        ),
    ] = None,
) -> None:
    """Watch cameras, streams or files: tracks, skeletons, masks, live. The key h shows all keys."""
    if list_cameras:
        show_cameras()
        return
    sources = source or ["0"]
    saves = with_companions(choices.chosen(save, names_for("live"), "--save"))
    for name in saves:
        sink_kinds()[name].check()
    if duel and len(sources) > 1:
        raise SepcamError("--duel compares both backbones on one SOURCE: name one")
    rules = recording.options()
    if headless and len(sources) == 1 and not (record or saves or events or duel or rules.rules):
        raise SepcamError(
            "--headless shows nothing: add --record out.mp4, --save jsonl, --events, --rule or --duel"
        )
    if headless and duel and (record or saves or events or seconds or rules.rules):
        raise SepcamError(
            "--duel --headless only measures: leave out --record, --save, --events, --rule, --seconds"
        )
    if record is not None and record.suffix.lower() not in RECORDS:
        raise SepcamError(f"{record} is not a name for a recording: it must end in {' or '.join(RECORDS)}")
    request = shared.request(sources[0], watching.options(), drawing.options(), hiding.options(), rules)
    if headless and duel:
        from ..live.duel import DuelRequest, run_duel

        run_duel(DuelRequest(request, duel, out, overwrite))
        return
    if not headless:
        from ..live import display_check as display

        display.check()

    from ..live.run import WindowRequest, watch

    asked = WindowRequest(
        live=request if duel is None else replace(request, loop=True),
        video=record,
        saves=saves,
        folder=out,
        overwrite=overwrite,
        events=events,
        window=not headless,
        seconds=seconds,
        duel_s=duel,
    )
    if len(sources) == 1:
        watch(asked)
        return
    from ..live.many.run import watch_many

    raise typer.Exit(watch_many(asked, sources))


def show_cameras() -> None:
    """Prints a line for each camera and one for each of its sizes."""
    from ...pipelines.sources.v4l2 import list_cameras

    cameras = list_cameras()
    if not cameras:
        console.note("no camera is connected; 'sepcam live demo' and 'sepcam live FILE --loop' work without")
    for camera in cameras:
        console.say(f"{camera.number}  {camera.name}")
        for mode in camera.modes:
            rates = ", ".join(f"{rate:g}" for rate in mode.rates)
            console.say(f"   {mode.width}x{mode.height}" + (f" at {rates} FPS" if rates else ""))
        if camera.exposure_ms is not None:
            least, most = camera.exposure_ms
            console.say(f"   exposure {least:g} to {most:g} ms")
