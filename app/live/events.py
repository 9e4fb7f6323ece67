"""Events of ``sepcam live`` and ``sepcam serve``: recorded by rules, printed, and sent on."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...pipelines.analytics.zones import Zone
from ...pipelines.types import StreamInfo
from ...pipelines.watching.recorder import EventRecorder, State
from ...pipelines.watching.rules import Rule, resolved
from ...pipelines.watching.store import EventStore
from ...pipelines.watching.stored import FORMAT, VERSION, StoredEvent
from ..options.events import SECRET
from ..options.live import LiveRequest
from ..terminal import console
from .request import Loaded

if TYPE_CHECKING:
    from ...pipelines.notify.base import Notifier


def rules_of(request: LiveRequest, zones: Sequence[Zone], loaded: Loaded) -> tuple[Rule, ...]:
    """The rules of a request, with names as the zones and the network have them.

    Raises:
        SepcamError: If a rule names a line, a zone or a class that is not there.
    """
    wanted = request.analysis.classes
    labels = [name for name in loaded.pipeline.networks.detector.labels if wanted is None or name in wanted]
    return resolved(request.events.rules, zones, labels, tracked="track" in request.analysis.tasks)


@contextmanager
def recording(
    request: LiveRequest, rules: Sequence[Rule], info: StreamInfo, store: EventStore
) -> Iterator[EventRecorder | None]:
    """A recorder of events while the block runs, or None where there is no rule.

    Args:
        request: says who is notified.
        rules: see `rules_of`.
        info: of the source.
        store: where events go.

    Raises:
        SepcamError: If no encoder works.
    """
    if not rules:
        yield None
        return
    with ExitStack() as stack:
        notifiers = _notifiers(request, stack)

        def on_event(state: State, event: StoredEvent) -> None:
            if state == "end":
                where = store.folder / event.id
                console.note(f"event: {event.rule} ({event.seconds:.1f} s) -> {where}")
            for notifier in notifiers:
                notifier.send(message(state, event))

        yield stack.enter_context(EventRecorder(info, rules, store, on_event=on_event, fail=console.warn))


def message(state: State, event: StoredEvent) -> Mapping[str, Any]:
    """What other programs are sent when an event begins, and when its clip is complete."""
    sent = datetime.now().astimezone().isoformat(timespec="milliseconds")
    return {"format": FORMAT, "version": VERSION, "state": state, "sent": sent, **event.to_json()}


def _notifiers(request: LiveRequest, stack: ExitStack) -> "list[Notifier]":
    options = request.events
    found: list[Notifier] = []
    if options.hooks:
        from ...pipelines.notify.webhook import WebHook

        secret = os.environ.get(SECRET) or None
        found += [_closed_by(stack, WebHook(address, secret, console.warn)) for address in options.hooks]
    if options.mqtt is not None:
        from ...pipelines.notify.mqtt import Mqtt

        found.append(_closed_by(stack, Mqtt(options.mqtt, console.warn)))
    return found


def _closed_by(stack: ExitStack, notifier: "Notifier") -> "Notifier":
    close: Callable[[], None] = notifier.close
    stack.callback(close)
    return notifier
