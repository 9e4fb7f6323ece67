"""A watched camera: rules, the recordings that they start, where these are kept."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .recorder import EventRecorder
    from .rules import Rule, parse_rule
    from .store import EventStore

__all__ = ["EventRecorder", "EventStore", "Rule", "parse_rule"]

__getattr__ = lazy_exports(
    __name__,
    {"EventRecorder": "recorder", "EventStore": "store", "Rule": "rules", "parse_rule": "rules"},
)
