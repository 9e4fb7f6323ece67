"""Stages that run at the same time: a thread each, with bounded queues between them.

``run_stages`` knows nothing of images. It takes items from a source, passes each through every stage in
order and hands the results to its caller, so that reading, working on and writing different items overlap.
"""

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .background import BACKGROUND

GRACE_S = 0.8
"""Seconds that threads get to notice the end of a run; one that hangs longer is left behind as a daemon."""


class Items(Protocol):
    """What ``run_stages`` reads from: anything that can be iterated once and closed."""

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None:
        """Releases what the source holds."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a run.

    Attributes:
        name: what the step is called in timings and in the name of its thread.
        work: turns an item into what the next stage gets. Called from one thread, in the order of the items.
    """

    name: str
    work: Callable[[Any], Any]

    def results(self, items: Iterable[Any], on_time: Callable[[str, float], None]) -> Iterator[Any]:
        """What becomes of the items; ``on_time`` is called with the seconds that each took."""
        for item in items:
            begun = time.perf_counter()
            result = self.work(item)
            on_time(self.name, time.perf_counter() - begun)
            yield result


@dataclass(frozen=True, slots=True)
class DelayingStage(Stage):
    """A step that needs to see later items first: its ``work`` returns a list of those that are complete.

    Attributes:
        flush: returns the rest, after the last item.
    """

    flush: Callable[[], Iterable[Any]]

    def results(self, items: Iterable[Any], on_time: Callable[[str, float], None]) -> Iterator[Any]:
        """See `Stage`."""
        # Not super(): a dataclass with slots is another class than the one that its methods were written in.
        for complete in Stage.results(self, items, on_time):
            yield from complete
        yield from self.flush()


class _Queue:
    """A bounded queue between two threads that can be ended (drain, then no more) and stopped (now)."""

    def __init__(
        self, size: int, *, newest: bool = False, before: Callable[[], object] = lambda: None
    ) -> None:
        self._size = size
        self._newest = newest
        self._before = before
        self._items: deque[Any] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._stopped = False

    def put(self, item: object) -> tuple[bool, int]:
        """Whether the run continues, and how many older items were dropped to make room."""
        dropped = 0
        with self._changed:
            while len(self._items) >= self._size and not self._stopped:
                if self._newest:
                    self._items.popleft()
                    dropped += 1
                else:
                    self._changed.wait()
            if not self._stopped:
                self._items.append(item)
            self._changed.notify_all()
            return not self._stopped, dropped

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Any]:
        while True:
            with self._changed:
                while not (self._items or self._ended or self._stopped):
                    self._changed.wait()
                if not self._items:
                    return
            self._before()
            with self._changed:
                if not self._items:
                    return  # stopped meanwhile
                item = self._items.popleft()
                self._changed.notify_all()
            yield item


class _Run:
    """The threads and queues of one run, and the first error that any of them met."""

    def __init__(
        self,
        source: Items,
        stages: Sequence[Stage],
        queues: Sequence[_Queue],
        on_time: Callable[[str, float], None] | None,
        on_drop: Callable[[int], None] | None,
    ) -> None:
        self._source = source
        self._queues = queues
        self._on_time = on_time or (lambda name, seconds: None)
        self._on_drop = on_drop or (lambda count: None)
        self._lock = threading.Lock()
        self.error: BaseException | None = None
        links = zip(stages, queues[:-1], queues[1:], strict=True)
        self._threads = [
            BACKGROUND.thread("read", self._read, (queues[0],)),
            *(BACKGROUND.thread(link[0].name, self._work, link) for link in links),
        ]

    def start(self) -> None:
        # Also where a script ends with the results half read: threads that die in native code abort it.
        self._at_exit = weakref.finalize(self, _end, self._queues, self._threads)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        _stop(self._queues)

    def join(self) -> None:
        self._at_exit.detach()
        _end(self._queues, self._threads)

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self.error = self.error or error
        self.stop()

    def _read(self, after: _Queue) -> None:
        try:
            try:
                self._read_all(after)
                after.end()
            finally:
                # After the end is announced, so that a source that hangs delays nobody. In this thread, since
                # decoders do not survive being closed while another thread reads from them.
                self._source.close()
        except BaseException as error:
            self._fail(error)

    def _read_all(self, after: _Queue) -> None:
        asked = time.perf_counter()
        for item in self._source:
            self._on_time("read", time.perf_counter() - asked)
            going, dropped = after.put(item)
            if dropped:
                self._on_drop(dropped)
            if not going:
                return
            asked = time.perf_counter()

    def _work(self, stage: Stage, before: _Queue, after: _Queue) -> None:
        try:
            for result in stage.results(before, self._on_time):
                if not after.put(result)[0]:
                    return
            after.end()
        except BaseException as error:
            self._fail(error)


def _stop(queues: Sequence[_Queue]) -> None:
    for queue in queues:
        queue.stop()


def _end(queues: Sequence[_Queue], threads: Sequence[threading.Thread]) -> None:
    """Stops the queues, and gives the threads a moment to end."""
    _stop(queues)
    deadline = time.monotonic() + GRACE_S
    for thread in threads:
        if thread.ident is not None:
            thread.join(max(0.0, deadline - time.monotonic()))


def run_stages(
    source: Items,
    stages: Sequence[Stage],
    *,
    newest: bool = False,
    depth: int = 2,
    before: Callable[[], object] = lambda: None,
    on_time: Callable[[str, float], None] | None = None,
    on_drop: Callable[[int], None] | None = None,
) -> Generator[Any, None, None]:
    """Passes every item of a source through all stages, each stage in a thread of its own.

    Results come in the order of the source. The run ends when the source does, when anything raises, or when
    the caller closes the generator (a ``break`` does); then all threads end and the source is closed, by the
    thread that reads it. A thread that hangs in foreign code is left behind after ``GRACE_S`` seconds.

    Args:
        source: iterated once, then closed.
        stages: what is done with each item, in order.
        newest: for live sources: the reader never waits, and the first stage always gets the newest item;
            older ones that nobody took are dropped. Otherwise a full queue makes the one before it wait.
        depth: most items that wait between two stages; one, with ``newest``.
        before: called by the first stage when there is an item for it, before it takes the item; with
            ``newest``, a newer one may replace that item while ``before`` waits.
        on_time: told the name of a stage (``read`` for the source) and the seconds it took for one item, from
            the stage's own thread.
        on_drop: told how many items were dropped, from the reader's thread.

    Yields:
        What the last stage makes of each item.

    Raises:
        BaseException: The first error that the source or any stage raised, as it was raised.
    """
    size = 1 if newest else depth
    queues = [_Queue(size, newest=newest, before=before), *(_Queue(size) for _ in stages)]
    run = _Run(source, stages, queues, on_time, on_drop)
    try:
        run.start()
        yield from queues[-1]
    finally:
        run.stop()
        run.join()
    if run.error is not None:
        raise run.error
