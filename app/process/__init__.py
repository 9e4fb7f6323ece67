"""``sepcam process``: one video, or a job of many files."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .jobs import JobRequest, run
    from .report import show_status
    from .single import FileRequest, Job

__all__ = [
    "FileRequest",
    "Job",
    "JobRequest",
    "run",
    "show_status",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Job": "single",
        "JobRequest": "jobs",
        "FileRequest": "single",
        "run": "jobs",
        "show_status": "report",
    },
)
