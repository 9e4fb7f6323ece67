"""What a job remembers on disk: its folder, its journal, its settings."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .job_folder import JobFolder, JobInfo, versions
    from .journal import Entry, Journal, Output, fingerprint
    from .settings import JobSettings, differences

__all__ = [
    "Entry",
    "JobFolder",
    "JobInfo",
    "JobSettings",
    "Journal",
    "Output",
    "differences",
    "fingerprint",
    "versions",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Entry": "journal",
        "JobFolder": "job_folder",
        "JobInfo": "job_folder",
        "JobSettings": "settings",
        "Journal": "journal",
        "Output": "journal",
        "differences": "settings",
        "fingerprint": "journal",
        "versions": "job_folder",
    },
)
