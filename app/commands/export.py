"""``sepcam models export``: a network as a file for other programs."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
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
    precision: Annotated[
        Literal["f32", "int8"],
        typer.Option(
            "--precision", help="int8 writes the copies of sepcam models quantize, not torchscript."
        ),
    ] = "f32",
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
    if precision == "int8":
        if format == "torchscript":
            raise SepcamError("int8 is written as onnx or openvino: choose one of them with --format")
        target = out or Path(f"{stem}{kind}-int8{exporter.SUFFIXES[format]}")
        exporter.check_suffix(target, format)
        _export_int8(name, backbone, format, target, overwrite=overwrite)
        return
    path = out or Path(f"{stem}{kind}{exporter.SUFFIXES[format]}")
    exporter.check_suffix(path, format)
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


def _export_int8(
    name: str, backbone: ConvKind, format: Literal["onnx", "openvino"], path: Path, *, overwrite: bool
) -> None:
    """Writes every network that a detector or pose estimator consists of, one file each."""
    from ...models.registry import find
    from ...models.runtime.export_int8 import Copies
    from ...models.runtime.options import RuntimeOptions
    from ...models.weights.store import WeightStore
    from ...models.zoo import load_detector, load_pose

    copies, options, store = (
        Copies(),
        RuntimeOptions("openvino", "cpu", "int8"),
        WeightStore(notice=console.note),
    )
    info = find(name)
    with console.downloads() as report:
        if info.task == "detect":
            detector = load_detector(
                name,
                backbone=backbone,
                options=options,
                store=store,
                progress=report,
                compiler=copies.compile,
            )
            # Some compile what looks at an image of a shape when the first one comes.
            detector.detect(np.zeros((*info.input_size, 3), np.uint8))
        else:
            load_pose(
                name,
                backbone=backbone,
                options=options,
                store=store,
                masks=True,
                progress=report,
                compiler=copies.compile,
            )
    for file in copies.write(format, path, overwrite=overwrite):
        console.say(f"{file.path}: takes {file.input} ({', '.join(map(str, file.shape))}) {file.dtype}")
        for one in file.differences:
            shape = ", ".join(map(str, ("B", *one.shape)))
            far = f"{one.share:.1%}"
            console.say(f"  gives {one.output} ({shape}); mean difference from the copy: {far}")
