"""``sepcam compare``: measuring both forms of the networks, and the report."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .comparison import CompareRequest, Comparison
    from .run import Outputs

__all__ = [
    "CompareRequest",
    "Comparison",
    "Outputs",
]

_MODULES: Final = {
    "CompareRequest": ".comparison",
    "Comparison": ".comparison",
    "Outputs": ".run",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any exported object
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
