"""Runs the server of ``sepcam serve`` until it is stopped."""

import asyncio
import errno
import ipaddress
import logging
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from ...models.errors import SepcamError
from ...models.types import ConvKind
from ...pipelines.live.adaptive_quality import Quality
from ...pipelines.live.analysis import choice_for
from ...pipelines.pipeline import Pipeline
from ...pipelines.types import Task
from ...pipelines.watching.rules import Rule
from ...pipelines.watching.store import EventStore
from ..live.many.feeds import Feed, Feeds
from ..live.many.recorders import EventRecorders
from ..live.request import LiveRequest, Loaded, described, detector_names, load_networks
from ..live.zones import ZoneEditor
from ..terminal import console
from ..terminal.signals import terminable
from .application import Service, application
from .auth import Access
from .camera.routes import Cameras
from .events.routes import RecordedEvents
from .live.people import PeopleList
from .live.routes import Live
from .live.sources import Sources
from .shared.downloads import Downloads
from .shared.failures import Failures
from .videos.jobs import VideoJobs
from .videos.routes import Uploads

_WS_BYTES = 4 * 1024 * 1024
"""Larger messages close the connection; one between a camera's limit and this gets an error message."""

_GRACE_S = 3


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """The options of ``sepcam serve``.

    Attributes:
        live: networks and tasks; its own source does not count.
        sources: what ``open_live`` takes; may be none.
        host: address or name to listen on.
        port: TCP port to listen on; 0 takes any free one.
        names: host names under which browsers may reach the server, beside its addresses.
        tls: files with the certificate and its key, or None.
        folder: where recordings go.
        max_upload_mb: largest video file.
        cameras: largest number of visitors' cameras at a time.
        idle_s: seconds after which a visitor who sends nothing is disconnected, an upload included.
    """

    live: LiveRequest
    sources: Sequence[str]
    host: str
    port: int
    names: Sequence[str]
    tls: tuple[Path, Path] | None
    folder: Path
    max_upload_mb: int
    cameras: int
    idle_s: float


def serve(request: ServeRequest) -> None:
    """Serves until Ctrl-C or SIGTERM.

    Raises:
        SepcamError: If it cannot listen there, no source can be opened, or networks are unavailable.
    """
    live = request.live
    listener = listen(request.host, request.port)
    people: dict[int, PeopleList] = {}
    with listener, ExitStack() as stack, suppress(KeyboardInterrupt), terminable():
        store = EventStore(live.events.folder_in(request.folder), live.events.keeping)
        recorders = stack.enter_context(EventRecorders(store))
        feeds = stack.enter_context(Feeds(live, request.sources, request.folder))
        feeds.open()
        loaded = load_networks(live)
        stack.callback(loaded.pool.close)
        recorders.prepare(feeds, loaded)
        people |= {feed.number: PeopleList() for feed in feeds}

        def begun(feed: Feed) -> None:
            if feed.session is not None:
                console.note(described(feed.session.info, feed.name))
            recorders.begin(feed)

        feeds.begin(
            loaded,
            prepare_ahead=True,
            on_begin=begun,
            on_event=lambda feed, event: people[feed.number].add(event),
        )
        feeds.wait_until_begun()
        for feed in feeds:
            if feed.problem is not None:
                console.warn(feed.named(feed.notice() or feed.problem))
        asyncio.run(_run(request, listener, loaded, feeds, people, recorders, store))
    console.note("stopped")


def _editor(live: Live, rules: Sequence[Rule]) -> Callable[[], ZoneEditor]:
    """Changes the zones of a source, which may not be there yet."""

    @cache
    def editor() -> ZoneEditor:
        return ZoneEditor(live.session, rules, live.feed.zone_file)

    return editor


def listen(host: str, port: int) -> socket.socket:
    """Opens a socket that listens at an address.

    Raises:
        SepcamError: If the address is not this machine's, or the port is taken or not allowed.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise SepcamError(f"--host {host!r} is not an address of this machine") from error
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise SepcamError(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program: choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs administrator rights: choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host!r} is not an address of this machine"
    return f"cannot listen at {host}, port {port}: {error.strerror}"


async def _run(
    request: ServeRequest,
    listener: socket.socket,
    loaded: Loaded,
    feeds: Feeds,
    people: Mapping[int, PeopleList],
    recorders: EventRecorders,
    store: EventStore,
) -> None:
    address, port = listener.getsockname()[:2]
    access = Access(address, port, names=request.names, secure=request.tls is not None)
    downloads, failures = Downloads(), Failures()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sepcam-")))
        loop, names = asyncio.get_running_loop(), detector_names(loaded.settings.detector)
        lives = [
            Live(feed, loop, people[feed.number], request.folder, downloads, names, failures, request.idle_s)
            for feed in feeds
        ]
        for live in lives:
            stack.callback(live.close)
        of = request.live
        cameras = Cameras(
            loaded.pool,
            loaded.settings,
            of.analysis,
            of.drawing,
            failures,
            most=request.cameras,
            idle_s=request.idle_s,
        )
        stack.callback(cameras.close)
        jobs = VideoJobs(folder, lambda *wanted: _pipeline(of, loaded, *wanted), downloads, of.drawing)
        stack.callback(jobs.close)
        stack.callback(loaded.pool.close)  # first, so that nobody waits for a network
        uploads = Uploads(jobs, max_bytes=request.max_upload_mb * 1_000_000, idle_s=request.idle_s)
        editors = [_editor(live, recorders.rules(live.feed)) for live in lives]
        texts = [rule.text for rule in of.events.rules] if lives else []
        recorded = RecordedEvents(store, texts, lambda: recorders.recording)
        service = Service(Sources(feeds, lives), cameras, uploads, downloads, recorded, editors)
        _announce(address, port, access, tls=request.tls is not None)
        await _Server(_config(application(service, access), request.tls), uploads).serve(sockets=[listener])


def _config(app: ASGIApp, tls: tuple[Path, Path] | None) -> uvicorn.Config:
    certificate, key = tls or (None, None)
    return uvicorn.Config(
        app,
        log_level="warning",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=200,
        timeout_graceful_shutdown=_GRACE_S,
        ws_max_size=_WS_BYTES,
        ws_max_queue=4,
        ws_per_message_deflate=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


class _Server(uvicorn.Server):
    """Ends uploads before it waits for open requests: a stalled one would outlast its patience."""

    def __init__(self, config: uvicorn.Config, uploads: Uploads) -> None:
        super().__init__(config)
        self._uploads = uploads

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See uvicorn; a second signal ends open requests, and is not passed on like the first."""
        if self.should_exit:
            self.force_exit = True
        else:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        self._uploads.close()
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # requests that are cut off now
        await super().shutdown(sockets)


def _announce(address: str, port: int, access: Access, *, tls: bool) -> None:
    """Prints the page's address on stdout; the token is shown nowhere else."""
    where = ipaddress.ip_address(address)
    shown = _own_address() if where.is_unspecified else address
    url = f"{'https' if tls else 'http'}://{f'[{shown}]' if ':' in shown else shown}:{port}/"
    console.say_in_full(url if access.token is None else f"{url}?token={access.token}")
    if access.token is not None and not tls:
        console.note("browsers allow the camera only on https:// pages: use --tls-cert and --tls-key")


def _own_address() -> str:
    """The address at which other machines probably reach this one."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: only the route is looked up
        return str(probe.getsockname()[0])
    return socket.gethostname()


def _pipeline(request: LiveRequest, loaded: Loaded, backbone: ConvKind, tasks: frozenset[Task]) -> Pipeline:
    """A pipeline with the shared networks, loaded if necessary."""
    networks = loaded.pool.wait(
        choice_for(replace(loaded.settings, backbone=backbone, tasks=tasks), Quality())
    )
    options = replace(request.analysis, backbone=backbone, tasks=tuple(tasks), detect_every=1)
    return Pipeline(options, networks=networks)
