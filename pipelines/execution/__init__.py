"""Running stages in threads: queues, meters, memory, and networks that are shared."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .background import BACKGROUND
    from .memory import return_freed_memory
    from .meter import Meter
    from .network_pool import NetworkChoice, NetworkPool
    from .network_set import NetworkSet
    from .stages import Stage, run_stages

__all__ = [
    "BACKGROUND",
    "Meter",
    "NetworkChoice",
    "NetworkPool",
    "NetworkSet",
    "Stage",
    "return_freed_memory",
    "run_stages",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "BACKGROUND": "background",
        "Meter": "meter",
        "NetworkChoice": "network_pool",
        "NetworkPool": "network_pool",
        "NetworkSet": "network_set",
        "Stage": "stages",
        "return_freed_memory": "memory",
        "run_stages": "stages",
    },
)
