"""Where results go: sinks, the kinds of them, and the files that they write."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .base import ResultName, Sink, SinkContext
    from .fan_out import FanOut
    from .outputs import Target, check, check_writable, stem_of, target
    from .registry import check_fits, names_for, open_sinks, sink_kinds
    from .serialize import rounded

__all__ = [
    "FanOut",
    "ResultName",
    "Sink",
    "SinkContext",
    "Target",
    "check",
    "check_fits",
    "check_writable",
    "names_for",
    "open_sinks",
    "rounded",
    "sink_kinds",
    "stem_of",
    "target",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "FanOut": "fan_out",
        "ResultName": "base",
        "Sink": "base",
        "SinkContext": "base",
        "Target": "outputs",
        "check": "outputs",
        "check_fits": "registry",
        "check_writable": "outputs",
        "names_for": "registry",
        "open_sinks": "registry",
        "rounded": "serialize",
        "sink_kinds": "registry",
        "stem_of": "outputs",
        "target": "outputs",
    },
)
