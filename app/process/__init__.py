"""``sepcam process``: one video, or a job of many files."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .jobs import JobRequest, run
    from .report import show_status
    from .single import Job, Request

__all__ = [
    "Job",
    "JobRequest",
    "Request",
    "run",
    "show_status",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Job": "single",
        "JobRequest": "jobs",
        "Request": "single",
        "run": "jobs",
        "show_status": "report",
    },
)
