"""``sepcam serve``: the same as ``sepcam live``, in a browser."""

import ssl
from pathlib import Path
from typing import Annotated

import typer

from ...models.errors import SepcamError
from ...models.runtime.options import RuntimeOptions
from ...pipelines.types import TASKS
from ..options import shared as choices
from ..terminal import console

NEEDED = frozenset({"fastapi", "prometheus_client", "starlette", "uvicorn", "websockets"})


def serve(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SOURCE]",
            help="What 'sepcam live' takes, or 'none' for visitors' cameras and video files alone.",
            show_default="the first camera, if there is one",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--host", metavar="ADDRESS", help="Listen there; any but 127.0.0.1 asks for a token."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Listen there; 0 takes a free one.")
    ] = 8000,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name of this server, say behind a proxy."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate (PEM), for https://.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key (PEM).")] = None,
    max_cameras: Annotated[
        int, typer.Option("--max-cameras", metavar="N", min=0, help="Most visitors' cameras at a time.")
    ] = 2,
    max_upload: Annotated[
        int, typer.Option("--max-upload", metavar="MB", min=1, help="Largest video file.")
    ] = 500,
    idle_timeout: Annotated[
        float,
        typer.Option(
            "--idle-timeout", metavar="SECONDS", min=1, help="Disconnect a viewer who is silent for so long."
        ),
    ] = 30.0,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for recordings.")] = Path(
        "sepcam-out"
    ),
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
    blur: choices.BlurOption = "nothing",
    line: choices.LineOption = None,
    zone: choices.ZoneOption = None,
    runtime: choices.RuntimeOption = "auto",
    device: choices.DeviceOption = "auto",
    precision: choices.PrecisionOption = "auto",
    threads: choices.ThreadsOption = None,
) -> None:
    """Watch, switch and measure in a browser; analyse visitors' cameras and video files there."""
    wanted_tasks = () if tasks == "none" else choices.chosen(tasks, TASKS, "--tasks")
    every = choices.detect_every(detect_every)
    asked = choices.picture_size(size)
    detector_size = choices.input_size(input_size)
    tls = _tls(tls_cert, tls_key)
    try:
        from ..web.server import ServeRequest
        from ..web.server import serve as run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in NEEDED:
            raise
        raise SepcamError(f"sepcam serve needs {error.name}: pip install 'sepcam[web]'") from error
    from ..live.request import LiveRequest

    run(
        ServeRequest(
            live=LiveRequest(
                source=_source(source),
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
            host=host,
            port=port,
            names=tuple(allow_host or ()),
            tls=tls,
            folder=out,
            max_upload_mb=max_upload,
            cameras=max_cameras,
            idle_s=idle_timeout,
        )
    )


def _source(source: str | None) -> str:
    """What to show; empty for nothing."""
    if source is not None:
        return "" if source == "none" else source
    from ...pipelines.sources.v4l2 import list_cameras

    cameras = list_cameras()
    if cameras:
        return str(cameras[0].number)
    console.note("no camera is connected: visitors' cameras and video files only (name a SOURCE for more)")
    return ""


def _tls(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SepcamError("--tls-cert and --tls-key belong together: give both files")
    for path in (certificate, key):
        if not path.is_file():
            raise SepcamError(f"{path} does not exist: give the files of a certificate and its key")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:
        raise SepcamError(f"{certificate} and {key} are no certificate and its key in PEM format") from error
    return certificate, key
