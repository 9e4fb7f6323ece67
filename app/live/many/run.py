"""The work of ``sepcam live`` with several sources: a grid of them or no window, and each one's files."""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ....models.errors import SepcamError
from ....pipelines.events import Event
from ....pipelines.pipeline import Pipeline
from ....pipelines.process_file import context
from ....pipelines.sinks.base import ResultName
from ....pipelines.sinks.fan_out import FanOut
from ....pipelines.sinks.outputs import Target, check, target
from ....pipelines.sinks.registry import open_sinks
from ....pipelines.watching.store import EventStore
from ...terminal import console
from ...terminal.signals import terminable
from ..request import Loaded, described, load_networks
from ..run import WindowRequest, closing_line
from .feeds import Feed, Feeds
from .recorders import EventRecorders

_POLL_S = 0.02

DONE, SOME, NOTHING = 0, 1, 2
"""Exit codes: all sources were watched, only some, none."""


def watch_many(request: WindowRequest, sources: Sequence[str]) -> int:
    """Watches several sources until all have ended, the viewer leaves, the time is up, or Ctrl-C.

    Args:
        request: see ``WindowRequest``; its own source does not count.
        sources: what ``open_live`` takes.

    Returns:
        The exit code.

    Raises:
        SepcamError: If no source can be opened, networks are unavailable, or a file exists already.
    """
    feeds = Feeds(request.live, sources, request.folder)
    files = _Files(feeds, request)
    with files.recorders, feeds:
        feeds.open()
        loaded = load_networks(request.live)
        with closing(loaded.pool):
            begun = time.monotonic()
            for feed in feeds:
                if feed.problem is not None:
                    console.warn(feed.named(feed.notice() or feed.problem))
            files.prepare(feeds, loaded)
            feeds.begin(loaded, prepare_ahead=request.window, on_begin=files.begin, on_event=files.event)
            _run(feeds, request, files, begun)
            for feed in feeds:
                files.complete(feed)
            feeds.stop()
    return _end(feeds)


class _Files:
    """What is kept of each source, and what is said of it."""

    def __init__(self, feeds: Feeds, request: WindowRequest) -> None:
        """Choose the names.

        Raises:
            SepcamError: If a file exists that may not be replaced, or nothing can be written there.
        """
        self._request = request
        self._lock = threading.Lock()
        self._results: dict[int, FanOut] = {}
        self._begun: dict[int, float] = {}
        self._complete: set[int] = set()
        self._pipeline: Pipeline | None = None
        folder = request.folder if request.video is None else request.video.parent
        self._videos: list[Path] = []
        self._targets: list[Target] = []
        for feed in feeds:
            stem = feed.stem
            if request.video is not None:
                stem = f"{request.video.stem}-{stem}"
                self._videos.append(folder / f"{stem}{request.video.suffix}")
            name = ResultName(folder, stem, source_type="live")
            self._targets.append(target(feed.request.source, name, request.saves))
        if request.saves:
            check(self._targets, folder, overwrite=request.overwrite)
        for path in self._videos:
            if path.exists() and not request.overwrite:
                raise SepcamError(f"{path} exists: use --overwrite to replace it, or another name")

        asked = request.live.events
        self.recorders = EventRecorders(EventStore(asked.folder_in(request.folder), asked.keeping))

    def prepare(self, feeds: Feeds, loaded: Loaded) -> None:
        """Takes in what the networks are; before any feed begins.

        Raises:
            SepcamError: If a rule names a line, a zone or a class that is not there.
        """
        self._pipeline = loaded.pipeline
        self.recorders.prepare(feeds, loaded)

    def begin(self, feed: Feed) -> None:
        """Starts everything that is to be saved from the beginning."""
        session, place = feed.session, feed.number - 1
        assert session is not None and self._pipeline is not None
        self._begun[feed.number] = time.monotonic()
        console.note(described(session.info, feed.name))
        if self._videos:
            session.recordings.start(self._videos[place], overwrite=self._request.overwrite)
        if self._request.saves:
            made, asked = self._targets[place], self._request
            run = context(
                made, session.info, self._pipeline, overwrite=asked.overwrite, watching=asked.live.watching
            )
            self._results[feed.number] = FanOut(open_sinks(made.files, run))
            session.recordings.attach(self._results[feed.number])
        self.recorders.begin(feed)

    def event(self, feed: Feed, event: Event) -> None:
        """Prints an event if that is wanted."""
        if self._request.events:
            line = json.dumps({"source": feed.name, **event.to_json()})
            with self._lock:
                console.say_data(line)

    def complete(self, feed: Feed) -> None:
        """Ends a source, completes its files and says what there is; once."""
        session = feed.session
        if feed.number in self._complete or session is None:
            return
        self._complete.add(feed.number)
        meter = session.status().figures.meter
        seconds = time.monotonic() - self._begun[feed.number]
        session.halt()
        video = None
        try:
            video = session.recordings.stop()
            if feed.number in self._results:
                session.recordings.detach(self._results[feed.number])
        except SepcamError as error:
            session.recordings.failures.append(str(error))
        console.note(closing_line(feed.name, meter, seconds, video))
        for failure in session.recordings.failures:
            console.warn(failure)


def _run(feeds: Feeds, request: WindowRequest, files: _Files, begun: float) -> None:
    """Until the end; Ctrl-C and SIGTERM are the usual ways to end it without a window."""
    deadline = None if request.seconds is None else begun + request.seconds

    def going_on() -> bool:
        for feed in feeds:
            if feed.session is not None and feed.over:
                files.complete(feed)
        unread = any(isinstance(feed.failure, BrokenPipeError) for feed in feeds)  # `sepcam live ... | head`
        return not feeds.over and not unread and (deadline is None or time.monotonic() < deadline)

    try:
        with terminable():
            if request.window:
                from .viewer import show_grid

                show_grid(feeds, request.folder, files.recorders.rules, going_on)
                return
            numbers = dict.fromkeys(range(len(feeds)), 0)
            while going_on():
                for place, feed in enumerate(feeds):
                    shot = None if feed.session is None else feed.session.wait(numbers[place], 0)
                    if shot is not None and feed.session is not None:
                        numbers[place] = shot.number
                        feed.session.shown(shot)
                time.sleep(_POLL_S)
    except KeyboardInterrupt:
        return


def _end(feeds: Feeds) -> int:
    """Says which sources were lost; returns the exit code."""
    failures = [(feed, feed.failure) for feed in feeds if feed.failure is not None]
    for feed, failure in failures:
        if failure is not None and not isinstance(failure, SepcamError):
            raise failure
        console.warn(feed.named(str(failure)))
    if not failures:
        return DONE
    return SOME if len(failures) < len(feeds) else NOTHING
