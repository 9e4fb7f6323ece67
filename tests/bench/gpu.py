"""``python -m tests.bench.gpu``: what a CUDA GPU makes of Sepcam; without one it says so and does nothing.

Looks, follows in one batch, the standard form, f16 against f32, and decoding on the GPU where PyAV has it.
Under ten minutes; prints a table and writes JSON beside it.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel, hwdevices_available
from sepcam.assets import demo_clip
from sepcam.models.cache import cache_root, make_folder
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.pipeline import Pipeline
from sepcam.pipelines.sources.open import open_source

from . import clips, machine

_WARM_UP, _FRAMES, _ROUNDS = 10, 60, 3


def main() -> int:
    """Measures what there is; the exit status is 0 also where there is no GPU."""
    parser = argparse.ArgumentParser("python -m tests.bench.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("sepcam-bench"), help="folder of gpu.json")
    parser.add_argument("--frames", type=int, default=_FRAMES, help="of a clip, in each round")
    args = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        print("there is no CUDA GPU that torch can use: nothing is measured")
        return 0
    clip = clips.make(clips.cuts(demo_clip(), None)[0], 120, make_folder(cache_root() / "bench"))
    rows = {name: _median(measure) for name, measure in _cases(clip, args.frames).items()}
    facts = {"gpu": torch.cuda.get_device_name(0), "machine": machine.describe().as_dict(), "ms": rows}
    print(f"{facts['gpu']}, street at 720p, ms a frame (median of {_ROUNDS} rounds)")
    for name, milliseconds in rows.items():
        print(f"{name:52s} {'failed' if milliseconds is None else f'{milliseconds:.2f}'}")
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "gpu.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return 0


def _cases(clip: Path, frames: int) -> dict[str, Callable[[], float]]:
    """What is measured, by name; each gives milliseconds a frame."""
    found: dict[str, Callable[[], float]] = {}
    for precision in ("f16", "f32"):
        for backbone in ("separable", "standard"):
            for every, what in ((1, "looks"), ("auto", "look and follow")):
                setup: dict[str, Any] = {"backbone": backbone, "detect_every": every}
                setup["runtime"] = RuntimeOptions("torch", "cuda", precision)
                found[f"{what}, {backbone}, {precision}"] = _Whole(clip, frames, setup)
    for people in (1, 4, 8):
        found[f"follow {people} people in one batch, f16"] = _Follow(clip, people, frames)
    found["decode on the processor"] = lambda: _decode(clip, None)
    if "cuda" in hwdevices_available():
        found["decode on the GPU (NVDEC)"] = lambda: _decode(clip, HWAccel("cuda"))
    return found


class _Whole:
    """All tasks over a clip, as `sepcam process` does them; networks are loaded at the first call."""

    def __init__(self, clip: Path, frames: int, setup: dict[str, Any]) -> None:
        self._clip, self._frames, self._setup = clip, frames, setup
        self._pipeline: Pipeline | None = None

    def __call__(self) -> float:
        if self._pipeline is None:
            self._pipeline = Pipeline(AnalysisOptions(**self._setup))
        begun = 0.0
        source = open_source(str(self._clip), limit=_WARM_UP + self._frames)
        for result in self._pipeline.run(source, at_once=True):
            if result.frame.index == _WARM_UP - 1:
                begun = time.perf_counter()
        return (time.perf_counter() - begun) / self._frames * 1e3


class _Follow:
    """Known people alone: so many boxes side by side in one frame."""

    def __init__(self, clip: Path, people: int, frames: int) -> None:
        self._clip, self._people, self._frames = clip, people, frames
        self._network: Any = None

    def __call__(self) -> float:
        if self._network is None:
            options = AnalysisOptions(runtime=RuntimeOptions("torch", "cuda", "f16"))
            self._network = Pipeline(options).networks.detector
        with open_source(str(self._clip), limit=1) as source:
            image = next(iter(source)).image
        left = np.linspace(0, image.shape[1] - 150, self._people)
        boxes = np.stack([left, np.full_like(left, 200), left + 140, np.full_like(left, 600)], 1)
        for _ in range(_WARM_UP):
            self._network.follow(image, boxes.astype(np.float32))
        begun = time.perf_counter()
        for _ in range(self._frames):
            self._network.follow(image, boxes.astype(np.float32))
        return (time.perf_counter() - begun) / self._frames * 1e3


def _decode(clip: Path, hardware: HWAccel | None) -> float:
    """Frames as BGR images in memory."""
    begun, count = time.perf_counter(), 0
    with av.open(str(clip), hwaccel=hardware) as container:
        for frame in container.decode(video=0):
            frame.to_ndarray(format="bgr24")
            count += 1
    return (time.perf_counter() - begun) / count * 1e3


def _median(measure: Callable[[], float]) -> float | None:
    try:
        return float(np.median([measure() for _ in range(_ROUNDS)]))
    except Exception as error:
        print(f"  {error}", file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main())
