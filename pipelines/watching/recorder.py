"""Records an event for each time that a rule holds: from seconds before it until seconds after."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal

from ...models.errors import SepcamError
from ..execution.background import BACKGROUND
from ..files.text import as_unicode
from ..types import FrameResult, StreamInfo
from .clip import Clip
from .packets import Packet, PacketEncoder, PacketRing
from .rules import Rule
from .store import EventStore
from .stored import StoredEvent
from .triggers import RuleWatch

BEFORE_S: Final = 5.0
"""Seconds of a clip before its rule holds, where the source has run for that long."""

AFTER_S: Final = 5.0
"""Seconds of a clip after its rule held last."""

MOST_S: Final = 600.0
"""Longest clip after its rule held first; where it still holds, another event begins."""

RING_BYTES: Final = 64 * 1024 * 1024

State = Literal["begin", "end"]
OnEvent = Callable[[State, StoredEvent], None]

_TICK_S = 1.0
_RETAIN_S = 60.0


class EventRecorder:
    """Takes the results of a source and records what its rules are about.

    Frames come from one thread and are never held up by files that are being completed, nor by anybody who
    is notified: a thread of its own does both. What is recorded is the image as it is shown, encoded once.
    """

    def __init__(
        self,
        info: StreamInfo,
        rules: Sequence[Rule],
        store: EventStore,
        *,
        on_event: OnEvent = lambda state, event: None,
        fail: Callable[[str], None] = lambda line: None,
        before_s: float = BEFORE_S,
        after_s: float = AFTER_S,
        most_s: float = MOST_S,
    ) -> None:
        """Open the encoder.

        Args:
            info: of the source.
            rules: see `rules.resolved`.
            store: where events go.
            on_event: called when an event begins, and when its files are complete.
            fail: called with a line when something cannot be written, once for each such line in a row.
            before_s: seconds of a clip before its rule holds.
            after_s: seconds of a clip after its rule held last.
            most_s: longest clip after its rule held first.

        Raises:
            SepcamError: If no encoder works.
        """
        # A file's name need not be Unicode, but what is stored and sent is.
        self._name = as_unicode(info.name)
        self._store = store
        self._on_event, self._fail = on_event, fail
        self._before_s, self._after_s, self._most_s = before_s, after_s, most_s
        self._encoder = PacketEncoder(info)
        self._ring = PacketRing(before_s, RING_BYTES)
        self._watches = [RuleWatch(rule) for rule in rules]
        self._clips: dict[str, Clip] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._said = ""
        self._work: queue.SimpleQueue[tuple[State, StoredEvent | Clip] | None] = queue.SimpleQueue()
        self._thread = BACKGROUND.thread("events", self._complete)
        self._thread.start()

    def __enter__(self) -> "EventRecorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def recording(self) -> tuple[str, ...]:
        """The rules of which an event is being recorded."""
        return tuple(self._clips)

    def write(self, result: FrameResult) -> None:
        """Takes a frame; its image is the one to record, (H, W, 3) uint8 BGR."""
        with self._lock:
            if self._closed:
                return
            time_s = result.frame.time_s
            try:
                self._pass_on(self._encoder.encode(result.frame.image, time_s))
            except SepcamError as error:
                self._say(str(error))
            for watch in self._watches:
                ids = watch.update(result)
                if ids is not None:
                    self._hold(watch.rule, result, ids)

    def close(self) -> None:
        """Completes the events under way; any number of times."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._pass_on(self._encoder.flush())
            except SepcamError as error:
                self._say(str(error))
            for text in list(self._clips):
                self._end(text)
        self._work.put(None)
        self._thread.join()
        self._encoder.close()

    def _pass_on(self, packets: Sequence[Packet]) -> None:
        """Passes packets to the ring and to every clip, and ends the clips that are long enough."""
        self._ring.add(packets)
        for text, clip in list(self._clips.items()):
            try:
                for packet in packets:
                    clip.add(packet)
            except SepcamError as error:
                del self._clips[text]
                clip.discard()
                self._say(str(error))
                continue
            if clip.last_s - clip.held_s >= self._after_s or clip.last_s - clip.began_s >= self._most_s:
                self._end(text)

    def _hold(self, rule: Rule, result: FrameResult, ids: Sequence[int]) -> None:
        clip = self._clips.get(rule.text)
        if clip is not None:
            clip.hold(result.frame.time_s, ids)
            return
        try:
            self._clips[rule.text] = clip = self._begin(rule, result, ids)
        except SepcamError as error:
            self._say(str(error))
            return
        self._work.put(("begin", clip.event))

    def _begin(self, rule: Rule, result: FrameResult, ids: Sequence[int]) -> Clip:
        """An event with what the ring has of the seconds before it, nothing from before an outage.

        Raises:
            SepcamError: If it cannot be written.
        """
        moment = datetime.now().astimezone()
        folder = self._store.begin(moment, rule.text)
        event = StoredEvent(
            folder.name,
            self._name,
            rule.text,
            rule.kind,
            rule.place,
            moment.isoformat(timespec="milliseconds"),
            moment.timestamp(),
            ids=tuple(ids),
        )
        clip = Clip(folder, event, self._encoder.template, result.frame.time_s)
        try:
            clip.add_thumbnail(result.frame.image)
            for packet in self._ring.since(result.frame.time_s - self._before_s):
                clip.add(packet)
        except SepcamError:
            clip.discard()
            raise
        return clip

    def _end(self, text: str) -> None:
        self._work.put(("end", self._clips.pop(text)))

    # --- the thread that completes files and notifies

    def _complete(self) -> None:
        retain_at = time.monotonic() + _RETAIN_S
        while True:
            try:
                item = self._work.get(timeout=_TICK_S)
            except queue.Empty:
                self._end_idle()
            else:
                if item is None:
                    return
                self._notify(*item)
            if time.monotonic() >= retain_at:
                self._store.retain()
                retain_at = time.monotonic() + _RETAIN_S

    def _notify(self, state: State, what: StoredEvent | Clip) -> None:
        if isinstance(what, Clip):
            try:
                what = what.publish()
            except SepcamError as error:
                self._say(str(error))
                return
            self._said = ""
            self._store.retain()
        self._on_event(state, what)

    def _end_idle(self) -> None:
        """Ends clips for which no more frames come: the camera is away, or the video stands still."""
        with self._lock:
            for text, clip in list(self._clips.items()):
                if clip.idle_s > self._after_s:
                    self._end(text)

    def _say(self, line: str) -> None:
        if line != self._said:
            self._said = line
            self._fail(line)
