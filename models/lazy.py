"""Public names that are imported when they are first used, so that ``sepcam --help`` stays quick."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy_exports(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package whose public names are imported when they are first used.

    Args:
        package: ``__name__`` of the package.
        modules: name of the module, within the package, that each public name is defined in.
    """

    def load(name: str) -> Any:  # noqa: ANN401 - whatever is exported
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f".{modules[name]}", package), name)

    return load
