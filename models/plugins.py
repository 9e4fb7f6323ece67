"""Detectors and pose networks of others: named by an installed package, or by ``module:Class``.

A plugin is a class (or a function) that, called without arguments, gives a `types.Detector` or a
`types.PoseEstimator`. A package names its own in the entry point group ``sepcam.detectors`` or
``sepcam.poses``; anything that Python can import is named ``module:Class``.
"""

import importlib
from contextlib import suppress
from importlib import metadata
from typing import Any, Literal, TypeVar

from .errors import SepcamError
from .returned import check_returned

Group = Literal["sepcam.detectors", "sepcam.poses"]
T = TypeVar("T")


def installed(group: Group) -> dict[str, metadata.EntryPoint]:
    """The plugins of the installed packages, by name."""
    return {point.name: point for point in metadata.entry_points(group=group)}


def load(name: str, group: Group, protocol: type[T]) -> T | None:
    """What a plugin makes, or None if the name is neither an installed plugin's nor ``module:Class``.

    Args:
        name: of the plugin.
        group: where packages name theirs.
        protocol: what it has to be.

    Raises:
        SepcamError: If it cannot be imported or made, or is not what it has to be.
    """
    point = installed(group).get(name)
    if point is None and ":" not in name:
        return None
    try:
        made = (_find(name) if point is None else point.load())()
    except SepcamError:
        raise
    except Exception as error:  # it is somebody else's code
        reason = " ".join(str(error).split())
        raise SepcamError(f"the plugin {name} does not load: {type(error).__name__}: {reason}") from error
    if group == "sepcam.detectors" and not hasattr(made, "parts"):
        with suppress(AttributeError):  # it takes no attributes
            made.parts = frozenset()  # what finds boxes alone need not say so
    if not isinstance(made, protocol):
        wanted = [member for member in _members(protocol) if not hasattr(made, member)]
        raise SepcamError(
            f"the plugin {name} is not a {protocol.__name__}: "
            f"{type(made).__name__} has no {', '.join(wanted)}"
        )
    if group == "sepcam.detectors":
        check_returned(made, name)
    return made


def _find(target: str) -> Any:  # noqa: ANN401 - it is somebody else's
    module, _, path = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _members(protocol: type) -> list[str]:
    return sorted(name for name in vars(protocol) if not name.startswith("_"))
