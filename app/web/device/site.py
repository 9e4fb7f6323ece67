"""The files of the page, for a server and for a folder that any web host takes."""

import hashlib
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final

from ....assets import demo_clip
from ....models.errors import SepcamError
from ....models.files import atomic_write
from . import networks

POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
"""Content-Security-Policy of the page: nothing goes to another site, nor comes from one."""

_KEPT = ("settings.json", "weights.bin", "people-separable.onnx", "mask-separable.onnx")
"""The network files that every visitor needs; others are kept when they were used once."""


def page_files() -> dict[str, bytes]:
    """The page's own files by name, ready to be sent; all but the network's and the sample clip."""
    package = resources.files("sepcam.app.web.device")
    page = {file.name: file.read_bytes() for file in (package / "page").iterdir() if file.is_file()}
    runtime = {f"runtime/{file.name}": file.read_bytes() for file in (package / "runtime").iterdir()}
    page["index.html"] = page["index.html"].replace(b"__POLICY__", POLICY.encode())
    page["sw.js"] = _service_worker(page, runtime)
    return page | runtime


def _service_worker(page: dict[str, bytes], runtime: dict[str, bytes]) -> bytes:
    """The service worker with what it has to know; its bytes change whenever any file of the page does."""
    digest = hashlib.sha256(json.dumps([networks.version(), networks.settings()]).encode())
    for name, content in sorted((page | runtime).items()):
        digest.update(f"{name} {len(content)} ".encode() + content)
    kept = ["./", *sorted(page.keys() - {"index.html", "sw.js"}), "sample.mp4"]
    site = {
        "version": digest.hexdigest()[:16],
        "files": [*kept, *(f"network/{name}" for name in _KEPT)],
        "policy": POLICY,
    }
    return f"const SITE = {json.dumps(site)};\n".encode() + page["sw.js"]


def export_site(folder: Path, *, overwrite: bool = False) -> dict[str, int]:
    """Writes everything that the page needs into a folder.

    Args:
        folder: created if missing.
        overwrite: whether files that are there may be replaced; those of other names stay in any case.

    Returns:
        The size of each file in bytes, by its name in the folder.

    Raises:
        SepcamError: If the folder is not empty and ``overwrite`` is not set, or cannot be written to.
    """
    if folder.is_file():
        raise SepcamError(f"{folder} is a file: name a folder")
    if folder.is_dir() and not overwrite and any(folder.iterdir()):
        raise SepcamError(f"{folder} is there already and not empty: name another folder, or add --overwrite")
    files: dict[str, Callable[[], bytes]] = {
        name: lambda content=content: content for name, content in page_files().items()
    }
    made = networks.network_folder()
    files |= {f"network/{name}": (made / name).read_bytes for name in networks.FILES}
    files["network/settings.json"] = lambda: networks.settings_file(made)
    files["sample.mp4"] = demo_clip().read_bytes
    sizes = {}
    for name, read in files.items():
        content = read()
        with atomic_write(folder / name, overwrite=True) as draft:
            draft.write_bytes(content)
        sizes[name] = len(content)
    return sizes
