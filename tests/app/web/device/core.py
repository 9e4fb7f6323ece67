"""Runs the page's analysis, page/core.js, in node."""

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NODE = shutil.which("node")
CORE = Path(str(resources.files("sepcam.app.web.device"))) / "page" / "core.js"

needs_node = pytest.mark.skipif(
    NODE is None, reason="the page's analysis is tested in node (apt-get install nodejs)"
)

_START = """
import fs from "node:fs";
import * as core from {core};
const about = JSON.parse(fs.readFileSync({folder} + "/about.json"));
const types = {{ float32: Float32Array, uint8: Uint8Array, uint8c: Uint8ClampedArray }};
const given = Object.fromEntries(Object.entries(about.arrays).map(([name, type]) => {{
  const bytes = fs.readFileSync({folder} + "/" + name);
  return [name, new types[type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))];
}}));
const {{ values }} = about;
const write = (name, array) =>
  fs.writeFileSync({folder} + "/out." + name, Buffer.from(array.buffer, array.byteOffset, array.byteLength));
"""


class Core:
    """Calls the analysis with arrays and JSON values, in a folder of its own.

    The program finds them as ``given.NAME`` (flat) and ``values.NAME``, and the analysis as ``core``; it
    prints its result as JSON and gives arrays with ``write(NAME, array)``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, program: str, *, values: dict[str, Any] | None = None, **arrays: np.ndarray) -> Any:
        assert NODE is not None
        for name, array in arrays.items():
            (self._folder / name).write_bytes(np.ascontiguousarray(array).tobytes())
        types = {name: array.dtype.name for name, array in arrays.items()}
        about = {"arrays": types, "values": values or {}}
        (self._folder / "about.json").write_text(json.dumps(about))
        script = self._folder / "program.mjs"
        start = _START.format(core=json.dumps(CORE.as_uri()), folder=json.dumps(str(self._folder)))
        script.write_text(start + program)
        done = subprocess.run([NODE, script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def written(self, name: str, dtype: type) -> np.ndarray:
        return np.frombuffer((self._folder / f"out.{name}").read_bytes(), dtype)
