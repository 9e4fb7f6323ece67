"""``sepcam serve``: the same as ``sepcam live``, in a browser."""

import ssl
from pathlib import Path
from typing import Annotated

import typer

from ...models.errors import SepcamError
from ..options import shared as choices
from ..options.drawing import PageDrawArguments
from ..options.events import EventArguments
from ..options.groups import with_groups
from ..options.hiding import HidingArguments
from ..options.live import LiveArguments
from ..options.watching import WatchArguments
from ..terminal import console

NEEDED = frozenset({"fastapi", "prometheus_client", "starlette", "uvicorn", "websockets"})


@with_groups
def serve(
    source: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="What 'sepcam live' takes, or 'none' for visitors' cameras and files alone.",
            show_default="the first camera, if there is one",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to listen on; any other than 127.0.0.1 requires a token.",
            rich_help_panel=choices.SERVER,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="N",
            min=0,
            max=65535,
            help="Port to listen on; 0 picks a free one.",
            rich_help_panel=choices.SERVER,
        ),
    ] = 8000,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Another host name of this server, e.g. behind a proxy.",
            rich_help_panel=choices.SERVER,
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            "--tls-cert",
            metavar="FILE",
            help="Certificate (PEM), for https://.",
            rich_help_panel=choices.SERVER,
        ),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option("--tls-key", metavar="FILE", help="Its key (PEM).", rich_help_panel=choices.SERVER),
    ] = None,
    max_cameras: Annotated[
        int,
        typer.Option(
            "--max-cameras",
            metavar="N",
            min=0,
            help="Most visitors' cameras analyzed at once.",
            rich_help_panel=choices.SERVER,
        ),
    ] = 2,
    max_upload: Annotated[
        int,
        typer.Option(
            "--max-upload",
            metavar="MB",
            min=1,
            help="Largest file that may be uploaded.",
            rich_help_panel=choices.SERVER,
        ),
    ] = 500,
    idle_timeout: Annotated[
        float,
        typer.Option(
            "--idle-timeout",
            metavar="SECONDS",
            min=1,
            help="Disconnect a visitor who sends nothing for this long.",
            rich_help_panel=choices.SERVER,
        ),
    ] = 30.0,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER",
            help="Folder for recordings, events and zones.",
            rich_help_panel=choices.RESULTS,
        ),
    ] = Path("sepcam-out"),
    *,
    shared: LiveArguments,
    drawing: PageDrawArguments,
    watching: WatchArguments,
    hiding: HidingArguments,
    recording: EventArguments,
) -> None:
    """Watch, switch and measure in a browser; analyze visitors' cameras and files there."""
    tls = _tls(tls_cert, tls_key)
    rules = recording.options()
    sources = _sources(source)
    if rules.rules and not sources:
        raise SepcamError("--rule needs a source to watch: name a camera, a stream or a file")
    try:
        from ..web.server import ServeRequest
        from ..web.server import serve as run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in NEEDED:
            raise
        raise SepcamError(f"sepcam serve needs {error.name}: pip install 'sepcam[web]'") from error
    run(
        ServeRequest(
            live=shared.request("", watching.options(), drawing.options(), hiding.options(), rules),
            sources=sources,
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


def _sources(named: list[str] | None) -> list[str]:
    """What to show; empty for nothing."""
    if named:
        if "none" in named and len(named) > 1:
            raise SepcamError("'none' stands alone: name sources, or none")
        return [] if named == ["none"] else named
    from ...pipelines.sources.v4l2 import list_cameras

    cameras = list_cameras()
    if cameras:
        return [str(cameras[0].number)]
    console.note("no camera is connected: visitors' cameras and files only (name a SOURCE for more)")
    return []


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
        raise SepcamError(
            f"{certificate} and {key} are not a certificate and its key in PEM format"
        ) from error
    return certificate, key
