"""``sepcam compare``: measuring both forms of the networks, and the report."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .comparison import CompareRequest, Comparison
    from .run import Outputs

__all__ = [
    "CompareRequest",
    "Comparison",
    "Outputs",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "CompareRequest": "comparison",
        "Comparison": "comparison",
        "Outputs": "run",
    },
)
