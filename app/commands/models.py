"""``sepcam models``: what networks there are, and their weights on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from ...models import plugins
from ...models.errors import SepcamError
from ..terminal import console
from .export import export
from .quantize import quantize

_WIDE = 80

models = typer.Typer(help="The networks and their weights on this machine.", no_args_is_help=False)
models.command()(export)
models.command()(quantize)


@models.command("list")
def list_models() -> None:
    """Show every network: cost in both forms, quality, license, and whether its weights are here."""
    from rich.table import Table

    from ...models.registry import REGISTRY
    from ...models.weights.store import WeightStore

    store = WeightStore()
    costs = Table("name", "task", "input", box=None, header_style="bold", pad_edge=False)
    for heading in ("MACs", "std", "params", "std"):
        costs.add_column(heading, justify="right")
    facts = Table(box=None, header_style="bold", pad_edge=False, width=_WIDE)
    for heading in ("name", "weights", "license"):
        facts.add_column(heading, no_wrap=True)
    facts.add_column("quality", overflow="fold")
    for info in REGISTRY.values():
        height, width = info.input_size
        size = f"{width}x{height}"
        macs = (f"{millions:,}" for millions in info.macs)
        costs.add_row(info.name, info.task, size, *macs, *(f"{millions:.1f}" for millions in info.params))
        state = "here" if store.is_cached(info.name) else "not fetched"
        facts.add_row(info.name, state, info.license, info.figures)
    console.say("Multiply-adds and parameters in millions, separable and in standard form:")
    console.show(costs)
    console.say("")
    console.show(facts)
    groups: tuple[tuple[plugins.Group, str], ...] = (("sepcam.detectors", "detect"), ("sepcam.poses", "pose"))
    for group, task in groups:
        for name, point in plugins.installed(group).items():
            package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            console.say(f"{name}: {task}, a plugin of {package}")


@models.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Networks; all where none is named.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="PATH", help="Take the weights of the one network from this file."),
    ] = None,
) -> None:
    """Put weights into the cache: downloaded and checked, or from your file."""
    from ...models.registry import REGISTRY, find
    from ...models.weights.store import WeightStore

    names = names or []
    store = WeightStore(notice=console.note)
    if file is not None and len(names) != 1:
        raise SepcamError(
            "--file holds one network: name it, e.g. sepcam models fetch yolox-nano --file PATH"
        )
    wanted = [find(name).name for name in dict.fromkeys(names)] or list(REGISTRY)
    failed = 0
    for name in wanted:
        try:
            with console.downloads() as report:
                path = store.fetch(name, file, report)
            console.say(f"{name}: {path}")
        except SepcamError as error:
            console.fail(str(error))
            failed += 1
    if failed:
        raise typer.Exit(2 if failed == len(wanted) else 1)


@models.command()
def verify() -> None:
    """Check every byte of the weights in the cache."""
    from ...models.registry import REGISTRY
    from ...models.weights.bundled import bundled_file
    from ...models.weights.store import WeightStore

    store = WeightStore()
    words = {
        "ok": "ok",
        "missing": "not fetched",
        "damaged": "DAMAGED: the next use fetches it again, or run sepcam models fetch",
    }
    states = {name: store.verify(name) for name in REGISTRY}
    for name, state in states.items():
        shipped = state == "damaged" and bundled_file(REGISTRY[name]) is not None
        console.say(f"{name}: {'DAMAGED: install Sepcam again' if shipped else words[state]}")
    if "damaged" in states.values():
        raise typer.Exit(2)
