"""Options that commands share, and how they are read from files."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .analysis import AnalysisArguments
    from .config_file import ConfigOption, PresetOption, PrintConfigOption, as_toml
    from .groups import with_groups
    from .live import LiveArguments, LiveRequest
    from .load_networks import SizeOf, load, size_rule

__all__ = [
    "AnalysisArguments",
    "ConfigOption",
    "LiveArguments",
    "LiveRequest",
    "PresetOption",
    "PrintConfigOption",
    "SizeOf",
    "as_toml",
    "load",
    "size_rule",
    "with_groups",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "AnalysisArguments": "analysis",
        "ConfigOption": "config_file",
        "LiveArguments": "live",
        "LiveRequest": "live",
        "PresetOption": "config_file",
        "PrintConfigOption": "config_file",
        "SizeOf": "load_networks",
        "as_toml": "config_file",
        "load": "load_networks",
        "size_rule": "load_networks",
        "with_groups": "groups",
    },
)
