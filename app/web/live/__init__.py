"""The page's live tab: frames, switches, recordings, people."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .jpeg_stream import JpegStream
    from .people import PeopleList
    from .routes import Live, router

__all__ = [
    "JpegStream",
    "Live",
    "PeopleList",
    "router",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "JpegStream": "jpeg_stream",
        "Live": "routes",
        "PeopleList": "people",
        "router": "routes",
    },
)
