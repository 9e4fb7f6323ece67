"""``sepcam process``: what the user typed, checked before anything heavy is imported."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ...models.errors import SepcamError
from ...pipelines.batch.workers.watchdog import STALL_S
from ...pipelines.sinks.registry import sink_kinds, with_companions
from ...pipelines.types import Encoder
from ..options import jobs as batch_options
from ..options import shared as choices
from ..options.analysis import AnalysisArguments
from ..options.config_file import ConfigOption, PresetOption, PrintConfigOption, as_toml
from ..options.drawing import DrawArguments
from ..options.groups import with_groups
from ..options.hiding import HidingArguments
from ..options.watching import WatchArguments
from ..terminal import console

_TRIAL_SIZE = (640, 360)  # that every encoder takes


@with_groups
def process(
    ctx: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Videos, images, folders, globs, @list.txt, addresses (rtsp://, http://), camera numbers.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER",
            help="Folder for the results; with --cluster also an address.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = "sepcam-out",
    save: Annotated[
        str,
        typer.Option(
            "--save",
            metavar="LIST",
            help=f"What to write: any of {', '.join(sink_kinds())}.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = "video,jsonl",
    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive/--no-recursive",
            "-r",
            help="Search subfolders too.",
            rich_help_panel=choices.SOURCE,
        ),
    ] = False,
    *,
    analysis: AnalysisArguments,
    drawing: DrawArguments,
    watching: WatchArguments,
    hiding: HidingArguments,
    input_size: choices.InputSizeOption = "auto",
    small_people: choices.SmallPeopleOption = False,
    start: Annotated[
        float,
        typer.Option(
            "--start",
            metavar="SECOND",
            min=0,
            help="Begin at this second of a video.",
            rich_help_panel=choices.SOURCE,
        ),
    ] = 0.0,
    frames: Annotated[
        int | None,
        typer.Option(
            "--frames",
            metavar="N",
            min=1,
            help="Stop after this many frames.",
            show_default="all",
            rich_help_panel=choices.SOURCE,
        ),
    ] = None,
    stream: Annotated[
        int | None,
        typer.Option(
            "--stream",
            metavar="N",
            min=0,
            help="Analyze this stream of a video file, counted from 0 as ffprobe does.",
            show_default="as players choose",
            rich_help_panel=choices.SOURCE,
        ),
    ] = None,
    deinterlace: Annotated[
        Literal["on", "off"],
        typer.Option(
            "--deinterlace",
            help="Make whole images of interlaced frames.",
            rich_help_panel=choices.SOURCE,
        ),
    ] = "on",
    follow: Annotated[
        bool,
        typer.Option(
            "--follow/--no-follow",
            help="Read on while a recording is being written, until it no longer grows.",
            rich_help_panel=choices.SOURCE,
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite/--no-overwrite",
            help="Replace results that exist; a finished job begins again with --fresh.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = False,
    workers: batch_options.WorkersOption = None,
    retries: batch_options.RetriesOption = 1,
    max_memory: batch_options.MaxMemoryOption = None,
    stall_timeout: batch_options.StallTimeoutOption = STALL_S,
    cluster: batch_options.ClusterOption = None,
    resume: batch_options.ResumeOption = False,
    fresh: batch_options.FreshOption = False,
    status: batch_options.StatusOption = None,
    log_json: batch_options.LogJsonOption = False,
    encoder: Annotated[
        Encoder,
        typer.Option(
            "--encoder",
            help="What encodes video: x264 (auto), or hardware where there is any; nvenc is NVIDIA's, qsv "
            "Intel's, amf AMD's, videotoolbox Apple's, mf Windows'.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = "auto",
    coco_annotations: Annotated[
        Path | None,
        typer.Option(
            "--coco-annotations",
            metavar="FILE",
            help="COCO file whose image ids the COCO results take.",
            show_default="digits of the file names",
            rich_help_panel=choices.RESULTS,
        ),
    ] = None,
    preset: PresetOption = None,
    config: ConfigOption = None,
    print_config: PrintConfigOption = False,
) -> None:
    """Find, track and outline the people in videos or images, and write what was found."""
    if status is not None:
        from ..process.report import show_status

        show_status(status)
        return
    options, drawn = analysis.options(), drawing.options()
    watched = watching.options()
    if hiding.options().active:
        options = options.for_hiding()
    wanted_saves = choices.chosen(save, tuple(sink_kinds()), "--save")
    if not wanted_saves:
        raise SepcamError(f"--save is empty: choose from {', '.join(sink_kinds())}")
    if watched.zones and "track" not in options.tasks:
        raise SepcamError("--line and --zone count people who are tracked: add track to --tasks")
    if watched.zones and "save" not in batch_options.typed(ctx):
        wanted_saves = (*wanted_saves, "events")
    wanted_saves = with_companions(wanted_saves)
    _check_outputs(wanted_saves, encoder)
    count = batch_options.workers(workers)
    memory = batch_options.size(max_memory)
    address = batch_options.cluster(cluster)
    folder, store = batch_options.place(out)
    if store is not None and address is None:
        raise SepcamError(f"results go to {store} with --cluster ray alone: give a folder with -o")

    from ...pipelines.batch.state.settings import JobSettings
    from ..options.load_networks import size_rule
    from ..process.request import JobRequest
    from ..process.start import run

    size_of = size_rule(input_size, small_people=small_people)
    if print_config:
        console.say_data(as_toml(ctx).rstrip())
        return
    settings = JobSettings(
        options,
        drawn,
        saves=wanted_saves,
        start_s=start,
        frames=frames,
        stream=stream,
        deinterlace=deinterlace == "on",
        coco_annotations=None if coco_annotations is None else str(coco_annotations),
        zones=tuple(map(str, watched.zones)),
        blur=hiding.blur,
        hide=hiding.hide,
        encoder=encoder,
    )
    request = JobRequest(
        tuple(inputs or ()),
        recursive,
        folder,
        store=store,
        follow=follow,
        overwrite=overwrite,
        resume=resume,
        fresh=fresh,
        workers=count,
        threads=analysis.threads,
        retries=retries,
        max_memory=memory,
        stall_s=stall_timeout,
        cluster=address,
        log_json=log_json,
        typed=batch_options.typed(ctx),
    )
    code = run(request, settings, size_of)
    if code:
        raise typer.Exit(code)


def _check_outputs(saves: tuple[str, ...], encoder: Encoder) -> None:
    """Raises SepcamError where a package for some kind of results, or the encoder, is missing."""
    for name in saves:
        sink_kinds()[name].check()
    if encoder not in ("auto", "hardware") and "video" in saves:
        from ...pipelines.media.encoding import encoders_of, working_encoder

        working_encoder(_TRIAL_SIZE, encoders_of(encoder))
