"""The recorded events over HTTP, and the lines and zones that are drawn on the page."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .routes import RecordedEvents, router

__all__ = ["RecordedEvents", "router"]

__getattr__ = lazy_exports(__name__, {"RecordedEvents": "routes", "router": "routes"})
