"""The tasks that a job's files are divided into, and how each is run."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .plan import FileInParts, Steps, WholeFile
    from .run import run_task
    from .types import FileTask, Report, Task, TaskResult

__all__ = [
    "FileInParts",
    "FileTask",
    "Report",
    "Steps",
    "Task",
    "TaskResult",
    "WholeFile",
    "run_task",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "FileInParts": "plan",
        "FileTask": "types",
        "Report": "types",
        "Steps": "plan",
        "Task": "types",
        "TaskResult": "types",
        "WholeFile": "plan",
        "run_task": "run",
    },
)
