"""The network files of the page: both forms of `people` as ONNX graphs, their weights, and settings."""

import gzip
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from filelock import FileLock

from ....models.cache import cache_root, make_folder, sha256_of
from ....models.errors import SepcamError
from ....models.files import flush_folder
from ....models.ops import coco
from ....models.people.specs import PEOPLE
from ....models.types import ConvKind
from ....models.weights.store import WeightStore
from ....pipelines.drawing.options import DrawOptions
from ....pipelines.drawing.skeleton import MIN_JOINT_SCORE, Skeleton
from ..shared.color import to_css, web_color

if TYPE_CHECKING:
    from ....models.runtime.browser_graph import BrowserGraph

FILES: Final = (
    "weights.bin",
    "people-separable.onnx",
    "mask-separable.onnx",
    "people-standard.onnx",
    "mask-standard.onnx",
)
"""Names of the files that are kept in the cache."""

_SUMS = "sha256.json"  # beside them, tells when one is damaged
_FORMAT = 2
_KINDS: tuple[ConvKind, ...] = ("separable", "standard")
_COLORS = 96
_DEFAULT_SIZE = 256
_SMALLEST = 192  # longer side of the input, for slow phones and people near the camera
_CHECKED = (64, 96)  # height and width of the image on which a graph is compared with torch


def version() -> str:
    """What tells one version of the files from another."""
    return f"{metadata.version('sepcam')}-{_FORMAT}-{PEOPLE.sha256[:16]}"


def network_folder(root: Path | None = None) -> Path:
    """A folder with ``FILES``; they are made if one is missing or damaged, which takes about ten seconds.

    Args:
        root: of the cache; by default ``$SEPCAM_CACHE`` or the user's cache folder.

    Raises:
        SepcamError: If the package onnx is missing or the cache cannot be written.
    """
    folder = (root or cache_root()) / "device"
    target = make_folder(folder) / version()
    if _whole(target):
        return target
    try:
        with FileLock(folder / f"{version()}.lock"):
            if not _whole(target):
                _write(target)
    except OSError as error:
        raise SepcamError(
            f"cannot write in {folder}: {error.strerror or error}; SEPCAM_CACHE names another place"
        ) from error
    return target


def _write(target: Path) -> None:
    beginning = f".{target.name}."
    for left in target.parent.glob(f"{beginning}*"):  # by a killed process: who holds the lock is alone
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=beginning, dir=target.parent))
    try:
        draft = work / "new"
        draft.mkdir()  # unlike the one around it, for all who may read the cache
        for name, content in _graphs().items():
            (draft / name).write_bytes(content)
        sums = {name: sha256_of(draft / name) for name in FILES}
        (draft / _SUMS).write_text(json.dumps(sums))
        flush_folder(draft)
        if target.exists():
            os.replace(target, work / "damaged")
        os.replace(draft, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _whole(folder: Path) -> bool:
    try:
        states = [(folder / name).stat() for name in (*FILES, _SUMS)]
        return _as_written(folder, tuple((one.st_mtime_ns, one.st_size) for one in states))
    except OSError:
        return False


@lru_cache(4)
def _as_written(folder: Path, states: tuple[tuple[int, int], ...]) -> bool:
    """Whether the files have their hashes; for files that have not changed, that is computed once."""
    del states
    try:
        sums = json.loads((folder / _SUMS).read_bytes())
    except ValueError:
        return False
    return sums == {name: sha256_of(folder / name) for name in FILES}


def _graphs() -> dict[str, bytes]:
    """The graphs and the weights, checked against torch."""
    from ....models.runtime.browser_graph import SharedWeights

    weights, files = SharedWeights(), {}
    for name, graph, example in _traced():
        for kind in _KINDS:
            content = graph.of_kind(kind, weights)
            graph.check(content, weights, example)
            files[f"{name}-{kind}.onnx"] = content
    files["weights.bin"] = gzip.compress(_planes(weights.content), 9, mtime=0)
    return files


def _traced() -> "list[tuple[str, BrowserGraph, Any]]":
    """Name, traced network, and an input to check its graphs with, of the two networks that the page runs."""
    import torch

    from ....models.people.masks import CHANNELS, GRID
    from ....models.runtime.browser_graph import BrowserGraph

    network = PEOPLE.build()
    network.load_state_dict(WeightStore().load(PEOPLE.name))
    axes = {"images": {0: "batch", 1: "height", 2: "width"}}
    axes |= {name: {0: "batch", 2: "rows", 3: "columns"} for name in PEOPLE.outputs[:-1]}
    axes |= {PEOPLE.outputs[-1]: {0: "batch", 1: "rows", 2: "columns"}}
    image = torch.zeros((1, 96, 128, 3), dtype=torch.uint8)
    people = BrowserGraph(network.get_submodule("people"), image, ["images", *PEOPLE.outputs], axes)
    masks = BrowserGraph(
        network.get_submodule("mask"),
        torch.zeros((2, GRID, GRID, CHANNELS)),
        ["people", "logits"],
        {"people": {0: "people"}, "logits": {0: "people"}},
    )
    random = np.random.default_rng(0)
    return [
        ("people", people, random.integers(0, 256, (1, *_CHECKED, 3), np.uint8)),
        ("mask", masks, random.random((3, GRID, GRID, CHANNELS), np.float32)),
    ]


def _planes(weights: bytes) -> bytes:
    """All low bytes of the float16 values, then all high ones, which compress well on their own."""
    return np.frombuffer(weights, np.uint8).reshape(-1, 2).T.tobytes()


def settings_file(folder: Path) -> bytes:
    """``settings.json`` of a network folder; see `Settings` in source/protocol.ts."""
    sizes = {name: (folder / name).stat().st_size for name in FILES}
    return json.dumps(settings() | {"bytes": sizes}, indent=2).encode()


def settings() -> dict[str, Any]:
    """What the page has to know of the network, and how it draws people."""
    assert PEOPLE.detector is not None
    sizes = sorted({_SMALLEST, max(PEOPLE.input_size), *map(max, PEOPLE.detector.smaller_inputs)})
    return {
        "version": metadata.version("sepcam"),
        "network": PEOPLE.name,
        "score_floor": PEOPLE.detector.thresholds.score_floor,
        "tracker": asdict(PEOPLE.detector.tracker),
        "sizes": sizes,
        "default_size": _DEFAULT_SIZE,
        "macs": dict(zip(_KINDS, PEOPLE.macs, strict=True)),
        "params": dict(zip(_KINDS, PEOPLE.params, strict=True)),
        "bones": [[a, b, to_css(color)] for a, b, color in Skeleton(coco.SKELETON, coco.KEYPOINTS).bones],
        "min_joint_score": MIN_JOINT_SCORE,
        "mask_opacity": DrawOptions().mask_opacity,
        "colors": [web_color(number) for number in range(_COLORS)],
    }
