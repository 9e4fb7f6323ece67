"""``sepcam live``: the window, its keys, and the headless view."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .request import LiveRequest, Loaded, begin, described, detector_names, load_networks
    from .run import WindowRequest, watch

__all__ = [
    "LiveRequest",
    "Loaded",
    "WindowRequest",
    "begin",
    "described",
    "detector_names",
    "load_networks",
    "watch",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "LiveRequest": "request",
        "Loaded": "request",
        "WindowRequest": "run",
        "begin": "request",
        "described": "request",
        "detector_names": "request",
        "load_networks": "request",
        "watch": "run",
    },
)
