"""The kinds of results there are: every module of the folder ``formats`` that has a constant ``KIND``.

A new kind is one new module here; the commands, the jobs and their help find it by themselves. Such a module
must not import anything heavy (av, cv2, torch, pyarrow) at its top, because ``--help`` lists the kinds.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ...models.errors import SepcamError
from ...models.files import clear_leftovers
from .base import Sink, SinkContext, SinkKind, SourceType


@cache
def sink_kinds() -> Mapping[str, SinkKind]:
    """All kinds by name: those with images first, then in the order of their names."""
    package = importlib.import_module(f"{__package__}.formats")
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    ]
    kinds = [module.KIND for module in modules if isinstance(getattr(module, "KIND", None), SinkKind)]
    return MappingProxyType(
        {kind.name: kind for kind in sorted(kinds, key=lambda kind: (kind.image is None, kind.name))}
    )


def names_for(*source_types: SourceType) -> tuple[str, ...]:
    """The names of the kinds that can be written of any of these."""
    return tuple(name for name, kind in sink_kinds().items() if kind.source_types & set(source_types))


def with_companions(names: Sequence[str]) -> tuple[str, ...]:
    """These kinds and those that are written with them, once each, in the order of ``sink_kinds``."""
    wanted = {*names, *(other for name in names for other in sink_kinds()[name].companions)}
    return tuple(name for name in sink_kinds() if name in wanted)


def open_sinks(files: Mapping[str, Path], context: SinkContext) -> list[Sink]:
    """A sink for each file; after an error none is left.

    Args:
        files: where each kind of results goes.
        context: the run.

    Raises:
        SepcamError: If a file exists (without ``overwrite``) or cannot be written.
    """
    opened: list[Sink] = []
    try:
        for name, path in files.items():
            clear_leftovers(path)
            opened.append(sink_kinds()[name].open(path, context))
    except BaseException:
        for sink in opened:
            sink.abort()
        raise
    return opened


_IN_WORDS: Final[Mapping[SourceType, str]] = {"video": "videos", "images": "images", "live": "live sources"}


def check_fits(source: str, names: Sequence[str], source_type: SourceType) -> None:
    """Makes sure that each kind of results can be written of this source.

    Raises:
        SepcamError: If one cannot.
    """
    for name in names:
        kind = sink_kinds()[name]
        if source_type not in kind.source_types:
            fits = " and ".join(_IN_WORDS[fitting] for fitting in sorted(kind.source_types))
            lines = "leave out --line, --zone and --save events"
            leave = lines if name == "events" else "leave it out of --save"
            raise SepcamError(f"{source}: {name} is for {fits}, not for {_IN_WORDS[source_type]}: {leave}")
