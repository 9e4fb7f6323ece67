"""``sepcam process``: one video, or a job of many files."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .report import show_status
    from .request import JobRequest
    from .single import FileRequest, Job
    from .start import run

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
        "JobRequest": "request",
        "FileRequest": "single",
        "run": "start",
        "show_status": "report",
    },
)
