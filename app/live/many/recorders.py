"""The events that rules record, for several sources: one folder, and a recorder for each source."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from ....pipelines.watching.recorder import EventRecorder
from ....pipelines.watching.rules import Rule
from ....pipelines.watching.store import EventStore
from ..events import recording, rules_of
from ..request import LiveRequest, Loaded
from .feeds import Feed


class EventRecorders:
    """Records the events of each feed from its first frame on; closed after the feeds.

    Args:
        store: where events go.

    Attributes:
        all: those that have begun.
    """

    all: list[EventRecorder]

    def __init__(self, store: EventStore) -> None:
        self.all = []
        self._store = store
        self._rules: Sequence[Rule] = ()
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> "EventRecorders":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stack.close()

    def prepare(self, request: LiveRequest, loaded: Loaded) -> None:
        """Takes in the rules; before any feed begins.

        Raises:
            SepcamError: If a rule names a line, a zone or a class that is not there.
        """
        self._rules = rules_of(request, request.watching.zones, loaded)

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
            recorder = self._stack.enter_context(recording(feed.request, self._rules, info, self._store))
        if recorder is not None:
            self.all.append(recorder)
            session.recordings.follow(recorder.write)
