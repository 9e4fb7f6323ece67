"""The page's video tab: uploaded files."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .jobs import VideoJob, VideoJobs
    from .routes import Uploads, router

__all__ = [
    "Uploads",
    "VideoJob",
    "VideoJobs",
    "router",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Uploads": "routes",
        "VideoJob": "jobs",
        "VideoJobs": "jobs",
        "router": "routes",
    },
)
