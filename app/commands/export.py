"""``sepcam models export``: a network as a file for other programs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ...models.errors import SepcamError
from ...models.types import ConvKind
from ..terminal import console


def export(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="The network, or a file of sepcam train.")],
    format: Annotated[
        Literal["onnx", "openvino", "torchscript"], typer.Option("--format", help="Kind of the file.")
    ] = "onnx",
    backbone: Annotated[
        ConvKind,
        typer.Option("--backbone", help="Separable convolutions, or standard ones that compute the same."),
    ] = "separable",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The file.", show_default="the network's name"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Write a network as a file that other programs run, and check it against torch."""
    from ...models.registry import find
    from ...models.trained import SUFFIX
    from ...models.weights.store import WeightStore

    info = find(name)

    from ...models.layers.conversion import as_kind
    from ...models.runtime import export as exporter

    kind = "" if backbone == "separable" else "-standard"
    stem = Path(name).name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else name
    path = out or Path(f"{stem}{kind}{exporter.SUFFIXES[format]}")
    for file in (path, path.with_suffix(".bin")) if format == "openvino" else (path,):
        if file.exists() and not overwrite:
            raise SepcamError(f"{file} exists: use --overwrite to replace it, or another name with -o")
    store = WeightStore(notice=console.note)
    with console.downloads() as report:
        weights = store.load(name, report)

    network = info.build()
    network.load_state_dict(weights)
    differences = exporter.export(as_kind(network, backbone), info.input_size, info.outputs, format, path)
    height, width = info.input_size
    console.say(f"{path}: takes {exporter.INPUT} (B, {height}, {width}, 3) uint8 BGR, any batch size B")
    for one in differences:
        shape = ", ".join(map(str, ("B", *one.shape)))
        far = f"{one.largest:.1g} of {one.scale:.3g}"
        console.say(f"  gives {one.output} ({shape}); largest difference from torch: {far}")
