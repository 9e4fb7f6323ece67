"""Several live sources on one set of networks: each is opened, watched and lost by itself.

with Feeds(request, sources, folder) as feeds:
    feeds.open()
    feeds.begin(load_networks(request), prepare_ahead=True)
    while not feeds.over:
        for feed in feeds:
            session = feed.session     # None while its source is not there: feed.notice() says why

A source that is lost harms no other.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn

from ....models.errors import SepcamError
from ....pipelines.events import Event
from ....pipelines.execution.background import BACKGROUND
from ....pipelines.execution.turns import Turns
from ....pipelines.live.session import LiveSession
from ....pipelines.sources.realtime import PacedSource
from ....pipelines.sources.reconnecting import WAITS_S, ReconnectingSource
from ...terminal import console
from ..request import LiveRequest, Loaded, begin
from ..zones import own_zone_file, with_drawn, zone_file
from .names import comes_back, file_stems, shown_names

OPEN_S: Final = 3.0
"""Seconds that sources are waited for which take longer to open than another one."""


@dataclass(frozen=True, slots=True)
class Start:
    """What the sessions of all feeds begin with.

    Attributes:
        loaded: the networks, which stay open when a session ends.
        turns: at the networks; None where one session has them alone.
        prepare_ahead: see ``LiveSession``.
        on_begin: called with each feed that has a session, before its first frame; from any thread.
        on_event: called with each event and its feed, from any thread.
    """

    loaded: Loaded
    turns: Turns | None
    prepare_ahead: bool
    on_begin: "Callable[[Feed], None]"
    on_event: "Callable[[Feed, Event], None]"


class Feed:
    """One source and its session. A camera or a stream that cannot be opened is tried again and again.

    Every method may be called from any thread.

    Attributes:
        number: counts from 1.
        name: what it is called; no other feed has the same name.
        stem: what the names of its files begin with; no other feed has the same.
        zone_file: where its lines and zones are saved.
        request: the source and what to do with it.
        session: None until the source and the networks are there.
        problem: why the source could not be opened the last time, or why there is no session; else None.
        tried: set once the source was opened, or could not be.
        attempt: of opening the source, from 1; 0 at first.
    """

    number: int
    name: str
    stem: str
    zone_file: Path
    request: LiveRequest
    session: LiveSession | None
    problem: str | None
    tried: threading.Event
    attempt: int

    def __init__(self, number: int, name: str, stem: str, zone_file: Path, request: LiveRequest) -> None:
        self.number, self.name, self.stem = number, name, stem
        self.zone_file, self.request = zone_file, request
        self.session = self.problem = None
        self.tried = threading.Event()
        self.attempt = 0
        self._given_up = False
        self._failure: BaseException | None = None
        self._closed = threading.Event()
        self._start: Start | None = None
        self._ready = threading.Event()
        self._thread = BACKGROUND.thread("feed", self._work)

    @property
    def opened(self) -> bool:
        """Whether the source was opened."""
        return self.tried.is_set() and self.problem is None

    @property
    def over(self) -> bool:
        """Whether no more frames come: the source has ended, was lost, or cannot be opened."""
        return self._given_up if self.session is None else self.session.ended

    @property
    def failure(self) -> BaseException | None:
        """Why it is over or has not begun, or None where all went well."""
        if self._failure is not None:
            return self._failure
        if self.session is not None:
            return self.session.error
        return None if self.problem is None else SepcamError(self.problem)

    def notice(self) -> str | None:
        """What to show instead of new frames, or None while they come."""
        session = self.session
        if session is None:
            if self.problem is None:
                return "opening ..."
            return self.problem if self._given_up else f"{self.problem}: trying again ({self.attempt})"
        if session.ended:
            return "ended" if session.error is None else f"lost: {session.error}"
        return session.notice()

    def named(self, problem: str) -> str:
        """A problem with the name of the source, unless it says that itself."""
        return problem if self.name in problem else f"{self.name}: {problem}"

    def open(self) -> None:
        """Begin to open the source; returns at once."""
        self._thread.start()

    def begin(self, start: Start) -> None:
        """Begin the session, as soon as the source is there; returns at once."""
        self._start = start
        self._ready.set()

    def halt(self) -> None:
        """End its frames; what is being kept can still be completed."""
        self._closed.set()
        self._ready.set()
        if self.session is not None:
            self.session.halt()

    def stop(self) -> None:
        """End it, and complete what is being kept."""
        self.halt()
        if self.session is not None:
            self.session.stop()

    def _work(self) -> None:
        try:
            source = self._open()
            if source is not None:
                self._begin(source)
        except SepcamError as error:
            self.problem = str(error)
        except BaseException as error:
            self.problem = f"{type(error).__name__}: {error}"
            self._failure = error
        finally:
            self._given_up = True
            self.tried.set()

    def _open(self) -> PacedSource | ReconnectingSource | None:
        """The source, however often it has to be tried; None once the feed is closed.

        Raises:
            SepcamError: If it cannot be opened, and is of no kind that comes back, or stayed away too long.
        """
        begun, timeout_s = time.monotonic(), self.request.reconnect_timeout_s
        while not self._closed.is_set():
            try:
                source = self.request.open()
            except SepcamError as error:
                wait = WAITS_S[min(self.attempt, len(WAITS_S) - 1)]
                spent = time.monotonic() - begun + wait
                if not comes_back(self.request.source) or (timeout_s is not None and spent > timeout_s):
                    raise
                self.problem = str(error)
                self.attempt += 1
                self.tried.set()
                self._closed.wait(wait)
            else:
                self.problem = None
                self.tried.set()
                return source
        return None

    def _begin(self, source: PacedSource | ReconnectingSource) -> None:
        self._ready.wait()
        start = self._start
        if self._closed.is_set() or start is None:
            source.close()
            return
        session = begin(
            self.request,
            source,
            start.loaded,
            prepare_ahead=start.prepare_ahead,
            turn=None if start.turns is None else start.turns.join(),
            on_event=lambda event: start.on_event(self, event),
        )
        self.session = session
        try:
            start.on_begin(self)
        except BaseException:
            self.session = None
            session.stop()
            raise
        session.start()
        if self._closed.is_set():
            session.stop()


class Feeds:
    """All sources that are watched. Every method may be called from any thread."""

    def __init__(self, request: LiveRequest, sources: Sequence[str], folder: Path) -> None:
        """Name the sources; ``open`` opens them.

        Args:
            request: what to do with each; its own source does not count.
            sources: what ``open_live`` takes.
            folder: where files go that have no name of their own, and where zones that were drawn are.

        Raises:
            SepcamError: If a file of zones cannot be read.
        """
        names = shown_names(sources)
        self._feeds: list[Feed] = []
        for name, stem, source in zip(names, file_stems(names, folder), sources, strict=True):
            watching = request.watching
            alone = len(sources) == 1
            path = zone_file(watching, folder, name) if alone else own_zone_file(folder, stem)
            watching = replace(watching, zones=with_drawn(watching, path))
            own = replace(request, source=source, watching=watching)
            self._feeds.append(Feed(len(self._feeds) + 1, name, stem, path, own))
        self._changes: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Feeds":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __iter__(self) -> Iterator[Feed]:
        return iter(self._feeds)

    def __len__(self) -> int:
        return len(self._feeds)

    def __getitem__(self, place: int) -> Feed:
        return self._feeds[place]

    @property
    def over(self) -> bool:
        """Whether no more frames come from any of them."""
        return all(feed.over for feed in self._feeds)

    def open(self) -> None:
        """Open all sources at the same time, and wait until one is there.

        Those that take longer are waited for a little, then join later.

        Raises:
            SepcamError: If none can be opened; why is said of each.
        """
        for feed in self._feeds:
            feed.open()
        patience: float | None = None
        while not all(feed.tried.is_set() for feed in self._feeds):
            now = time.monotonic()
            if patience is None and any(feed.opened for feed in self._feeds):
                patience = now + OPEN_S
            if patience is not None and now > patience:
                break
            time.sleep(0.02)
        if self._feeds and not any(feed.opened for feed in self._feeds):
            self.fail()

    def fail(self) -> NoReturn:
        """Says of each source why it is not there.

        Raises:
            SepcamError: With the problem of the last one, which the others' precede on stderr.
            BaseException: Another failure than the sources' own, as it was raised.
        """
        *others, last = self._feeds
        for feed in self._feeds:
            if feed.failure is not None and not isinstance(feed.failure, SepcamError):
                raise feed.failure
        for feed in others:
            console.fail(feed.named(str(feed.problem)))
        raise SepcamError(last.named(str(last.problem)))

    def begin(
        self,
        loaded: Loaded,
        *,
        prepare_ahead: bool,
        on_begin: Callable[[Feed], None] = lambda feed: None,
        on_event: Callable[[Feed, Event], None] = lambda feed, event: None,
    ) -> None:
        """Begin a session for each source that is there, and for each other one as soon as it is."""

        def joined(feed: Feed) -> None:
            with self._lock:
                if self._changes and feed.session is not None:
                    feed.session.change(**self._changes)
            on_begin(feed)

        turns = Turns() if len(self) > 1 else None
        start = Start(loaded, turns, prepare_ahead, joined, on_event)
        for feed in self._feeds:
            feed.begin(start)

    def wait_until_begun(self) -> None:
        """Wait until each source that is there has a session, or cannot have one.

        Raises:
            SepcamError: If none can; see ``fail``.
        """
        while any(feed.session is None and feed.opened and not feed.over for feed in self._feeds):
            time.sleep(0.02)
        if self._feeds and all(feed.session is None and feed.over for feed in self._feeds):
            self.fail()

    def change(self, **changes: Any) -> None:  # noqa: ANN401 - the fields of LiveSettings
        """Asks for other settings of all sessions, also of those to come; see ``LiveSettings``."""
        with self._lock:
            self._changes |= changes
            for feed in self._feeds:
                if feed.session is not None:
                    feed.session.change(**changes)

    def pause(self, paused: bool) -> None:
        """Pauses or resumes all of them."""
        for feed in self._feeds:
            if feed.session is not None:
                feed.session.pause(paused)

    def stop(self) -> None:
        """End all of them, and complete what is being kept."""
        for feed in self._feeds:
            feed.halt()
        for feed in self._feeds:
            feed.stop()
