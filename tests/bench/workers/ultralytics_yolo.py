"""Ultralytics yolo11n-pose with its own tracker, then yolo11n-seg, on the same frames."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import ultralytics
from protocol import decoded, first_frame, serve
from ultralytics import YOLO
from ultralytics.data.augment import LetterBox

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # nothing is reported from here
import openvino  # noqa: E402

FOLDER = Path(os.environ["YOLO_CONFIG_DIR"])  # weights and exports, beside Ultralytics' own settings
NETWORKS = {"yolo11n-pose": "pose", "yolo11n-seg": "segment"}
"""Their names, and what Ultralytics calls what they do."""

CALIBRATION = 60  # frames of the clip


@dataclass(frozen=True)
class Pair:
    """A pose and a segmentation model of one runtime, precision and input shape."""

    pose: YOLO
    seg: YOLO
    size: tuple[int, int]


class Peer:
    """The models that were prepared, by key."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.pairs: dict[str, Pair] = {}

    def prepare(
        self, key: str, runtime: str, precision: str, size: list[int], clip: str, nncf: str | None = None
    ) -> dict[str, Any]:
        """Loads, exports where needed, and warms up both models for (height, width) pixels.

        Int8 is quantized by the clip's frames, in the interpreter `nncf`.
        """
        shape = (size[0], size[1])
        if runtime == "torch":
            pose, seg = (YOLO(_made(name)) for name in NETWORKS)
        else:
            folders = [_exported(name, shape) for name in NETWORKS]
            if precision == "int8":
                assert nncf is not None, "int8 needs an interpreter with NNCF"
                folders = [_quantized(folder, shape, clip, nncf) for folder in folders]
            pose, seg = (
                YOLO(folder, task=task) for folder, task in zip(folders, NETWORKS.values(), strict=True)
            )
        self.pairs[key] = Pair(pose, seg, shape)
        image = first_frame(clip)
        with pinned_openvino(self.threads, "bf16" if precision == "bf16" else "f32"):
            for _ in range(2):
                self._analyze(self.pairs[key], image)
        # Ultralytics gives torch one thread less than there are cores whenever it sets up a model.
        torch.set_num_threads(self.threads)
        return {"input": self._input(self.pairs[key])}

    def run(self, key: str, clip: str, frames: int) -> dict[str, Any]:
        """Decode, pose + track, segmentation, one after the other for every frame."""
        pair = self.pairs[key]
        done = people = 0
        started = time.perf_counter()
        for image in decoded(clip, frames):
            people += self._analyze(pair, image)
            done += 1
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "frames": done, "people": people / max(done, 1)}

    def _analyze(self, pair: Pair, image: np.ndarray) -> int:
        options = {"imgsz": pair.size, "device": "cpu", "verbose": False}
        tracked: Any = pair.pose.track(image, persist=True, tracker="bytetrack.yaml", **options)
        pair.seg.predict(image, **options)
        return len(tracked[0])

    def _input(self, pair: Pair) -> list[int]:
        """(height, width) that the pose network really runs at."""
        assert pair.pose.predictor is not None
        return list(pair.pose.predictor.imgsz)


def _made(name: str) -> Path:
    """The weights of a network, which are made where there are none."""
    weights = weights_of(name)
    if not weights.exists():
        make_random(name, weights)
    return weights


def _exported(name: str, size: tuple[int, int]) -> Path:
    """The folder of a network that Ultralytics converted for OpenVINO."""
    weights = _made(name)
    folder = FOLDER / f"{weights.stem}-{size[0]}x{size[1]}_openvino_model"
    if not folder.exists():
        Path(YOLO(weights).export(format="openvino", imgsz=size, dynamic=False)).rename(folder)
    return folder


def _quantized(folder: Path, size: tuple[int, int], clip: str, nncf: str) -> Path:
    """The folder of the same in int8, made by NNCF as Ultralytics' export does."""
    target = folder.with_name(folder.name.replace("_openvino", "_int8_openvino"))
    if target.exists():
        return target
    (model,) = folder.glob("*.xml")
    fit = LetterBox(size, auto=False, stride=32)
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        images = np.stack(
            [fit(image=image)[..., ::-1].transpose(2, 0, 1) for image in decoded(clip, CALIBRATION)]
        )
        np.save(f"{scratch}/images.npy", images)
        made = shutil.copytree(folder, f"{scratch}/{target.name}")
        script = Path(__file__).with_name("nncf_int8.py")
        command = [nncf, str(script), str(model), f"{scratch}/images.npy", f"{made}/{model.name}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"NNCF cannot quantize {model.name}: {done.stderr.strip()[-300:]}")
        Path(made).rename(target)
    return target


def weights_of(name: str) -> Path:
    """Trained weights where the user put them there, else the random ones that are made once."""
    trained = FOLDER / f"{name}.pt"
    return trained if trained.exists() else FOLDER / f"{name}-random.pt"


def make_random(name: str, weights: Path) -> None:
    """Untrained weights that cost what trained ones do: batch norms fit to noise keep activations near 1.

    As initialized, activations shrink layer by layer into denormal numbers, which are many times slower. The
    class scores are left at their low bias, so that nothing is found: NMS, mask assembly and tracking then
    cost next to nothing, in the peer's favor, where random scores would flood them.
    """
    torch.manual_seed(0)
    model = YOLO(f"{name}.yaml")
    network: Any = model.model
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    momentum = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None  # the plain mean over all batches
    network.train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.rand(2, 3, 384, 640))
    network.eval()
    for norm, before in zip(norms, momentum, strict=True):
        norm.momentum = before
    for branch in network.model[-1].cv3:
        torch.nn.init.zeros_(branch[-1].weight)
    model.save(weights)


def pinned_openvino(threads: int, precision: str) -> AbstractContextManager[object]:
    """Makes OpenVINO compile what is not int8 for this precision: it picks bf16 silently where it can."""
    compile_model = openvino.Core.compile_model

    def pinned(core: openvino.Core, model: Any, device_name: Any = None, config: Any = None) -> Any:
        hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
        return compile_model(core, model, device_name, {**(config or {}), **hints})

    return patch.object(openvino.Core, "compile_model", pinned)


def about() -> dict[str, Any]:
    """Versions that go into the report."""
    weights = ", ".join(weights_of(name).stem for name in NETWORKS)
    return {"ultralytics": ultralytics.__version__, "weights": weights}


if __name__ == "__main__":
    count = int(os.environ["OMP_NUM_THREADS"])
    peer = Peer(count)
    os.chdir(FOLDER)  # whatever else Ultralytics writes stays there
    serve({"prepare": peer.prepare, "run": peer.run, "about": about})
