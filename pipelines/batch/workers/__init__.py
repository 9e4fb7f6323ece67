"""Who runs tasks: processes on this machine or a Ray cluster, watched and tuned."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .autotune import Split, Tryout, choose, splits
    from .processes import ProcessPool
    from .protocol import Advanced, Died, Event, Finished, WorkerPool
    from .ray_pool import RayPool

__all__ = [
    "Advanced",
    "Died",
    "Event",
    "Finished",
    "ProcessPool",
    "RayPool",
    "Split",
    "Tryout",
    "WorkerPool",
    "choose",
    "splits",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Advanced": "protocol",
        "Died": "protocol",
        "Event": "protocol",
        "Finished": "protocol",
        "ProcessPool": "processes",
        "RayPool": "ray_pool",
        "Split": "autotune",
        "Tryout": "autotune",
        "WorkerPool": "protocol",
        "choose": "autotune",
        "splits": "autotune",
    },
)
