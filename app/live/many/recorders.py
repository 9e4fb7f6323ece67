"""The events that rules record, for several sources: one folder, and a recorder for each source."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from ....models.errors import SepcamError
from ....pipelines.watching.recorder import EventRecorder
from ....pipelines.watching.rules import Rule
from ....pipelines.watching.store import EventStore
from ..events import recording, rules_of
from ..request import Loaded
from .feeds import Feed, Feeds


class EventRecorders:
    """Records the events of each feed from its first frame on; closed after the feeds.

    Args:
        store: where events go.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._rules: dict[int, tuple[Rule, ...]] = {}
        self._recorders: list[EventRecorder] = []
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> "EventRecorders":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stack.close()

    @property
    def recording(self) -> tuple[str, ...]:
        """The rules of which an event is being recorded now, as they were written."""
        with self._lock:
            return tuple(dict.fromkeys(text for one in self._recorders for text in one.recording))

    def rules(self, feed: Feed) -> tuple[Rule, ...]:
        """The rules of a feed."""
        return self._rules.get(feed.number, ())

    def prepare(self, feeds: Feeds, loaded: Loaded) -> None:
        """Takes in the rules, before any feed begins: each feed has those whose lines and zones it has.

        Raises:
            SepcamError: If a rule names a line, a zone or a class that no feed has, or is given twice.
        """
        for feed in feeds:
            fitting = [rule for rule in feed.request.events.rules if _fits(rule, feed, loaded)]
            self._rules[feed.number] = _resolved(fitting, feed, loaded)
            for rule in feed.request.events.rules:
                if not any(_fits(rule, other, loaded) for other in feeds):
                    _resolved([rule], feed, loaded)  # raises what is wrong with it

    def begin(self, feed: Feed) -> None:
        """Records the events of a feed that has a session.

        Raises:
            SepcamError: If no encoder works.
        """
        session = feed.session
        if session is None:
            return
        info = replace(session.info, name=feed.name)
        with self._lock:
            recorder = self._stack.enter_context(recording(feed.request, self.rules(feed), info, self._store))
            if recorder is not None:
                self._recorders.append(recorder)
        if recorder is not None:
            session.recordings.follow(recorder.write)


def _resolved(rules: Sequence[Rule], feed: Feed, loaded: Loaded) -> tuple[Rule, ...]:
    asked = feed.request
    asked = replace(asked, events=replace(asked.events, rules=tuple(rules)))
    return rules_of(asked, asked.watching.zones, loaded)


def _fits(rule: Rule, feed: Feed, loaded: Loaded) -> bool:
    """Whether a feed has the lines and zones of a rule."""
    try:
        return bool(_resolved([rule], feed, loaded))
    except SepcamError:
        return False
