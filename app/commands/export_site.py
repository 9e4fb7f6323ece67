"""``sepcam export``: the page that finds people on its visitors' own devices, for any web host."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..terminal import console


def export_site(
    format: Annotated[Literal["web"], typer.Option("--format", help="What to write.")] = "web",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="The folder.")] = Path("site"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Write a web page that finds people on the visitor's own device: a folder for any web host.

    For networks as files, see 'sepcam models export'.
    """
    del format  # there is one so far
    from ..web.device.site import export_site as write

    sizes = write(out, overwrite=overwrite)
    total = sum(sizes.values())
    network = sum(size for name, size in sizes.items() if name.startswith("network/"))
    console.say(f"{out}: {len(sizes)} files, {total / 1e6:.1f} MB; the network {network / 1e6:.1f} MB")
    console.say(f"copy it to any web host with https://; to try it here: python -m http.server -d {out}")
