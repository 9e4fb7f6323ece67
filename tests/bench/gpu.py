"""``python -m tests.bench.gpu``: what a CUDA GPU makes of Sepcam; without one it says so and does nothing.

Looks, follows in one batch, whole clips in both forms of the network, f16 against f32, whether the GPU finds
what the CPU finds, and decoding on the GPU where PyAV has it. It needs torch, numpy, opencv and safetensors,
no installed Sepcam; it ends after about a minute, prints a table and writes JSON beside it.
"""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from . import checkout

checkout.make_importable()

from sepcam.assets import demo_clip  # noqa: E402
from sepcam.models.ops.boxes import iou  # noqa: E402
from sepcam.models.runtime.options import RuntimeOptions  # noqa: E402
from sepcam.models.types import U8, Detections  # noqa: E402
from sepcam.pipelines.analysis.options import AnalysisOptions  # noqa: E402
from sepcam.pipelines.pipeline import Pipeline  # noqa: E402
from sepcam.pipelines.types import Frame, StreamInfo  # noqa: E402

from . import machine  # noqa: E402

_WARM_UP, _FRAMES, _SECONDS, _ROUNDS = 10, 60, 70.0, 5
_FIRST, _WINDOW, _SIZE = 255, (0, 52, 540, 304), (1280, 720)  # the street of the other benches
_COMPARED = 4  # frames in which GPU and CPU must find the same people


def main(argv: list[str] | None = None) -> int:
    """Measures what there is; the exit status is 0 also where there is no GPU."""
    parser = argparse.ArgumentParser("python -m tests.bench.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("sepcam-bench"), help="folder of gpu.json")
    parser.add_argument("--frames", type=int, default=_FRAMES, help="of the clip, in each round")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="begin no measurement after these")
    parser.add_argument("--quick", action="store_true", help="20 frames, one round")
    parser.add_argument(
        "--device", choices=["cuda", "cpu"], default="cuda", help="cpu tries the script itself"
    )
    args = parser.parse_args(argv)
    began = time.perf_counter()
    import torch

    if args.device == "cuda" and not torch.cuda.is_available():
        print("there is no CUDA GPU that torch can use: nothing is measured")
        return 0
    frames, rounds = (20, 1) if args.quick else (args.frames, _ROUNDS)
    images = _street(_WARM_UP + frames)
    bench = _Bench(images, args.device)
    notes = [
        _attempt(lambda precision=precision: bench.agreement(precision)) for precision in bench.precisions
    ]
    rows = _measure(bench.cases(), rounds, until=began + args.seconds)
    name = torch.cuda.get_device_name(0) if args.device == "cuda" else "CPU"
    packages = {"torch": torch.__version__, "numpy": np.__version__, "opencv": cv2.__version__}
    print(
        f"{name}, torch {torch.__version__}; street at 720p, {frames} frames; ms a frame (median of rounds)"
    )
    for label, times in rows.items():
        print(f"{label:58s} {f'{np.median(times):8.2f} ({len(times)})' if times else 'not measured'}")
    for note in notes:
        print(note)
    args.out.mkdir(parents=True, exist_ok=True)
    about = {"gpu": name, "packages": packages, "machine": machine.describe().as_dict()}
    facts = about | {"frames": frames, "ms": rows, "notes": notes}
    (args.out / "gpu.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    print(f"{args.out / 'gpu.json'} after {time.perf_counter() - began:.0f} s")
    return 0


class _Bench:
    """What is measured on a device, on images of the street."""

    def __init__(self, images: list[U8], device: str) -> None:
        self._images = images
        self._device = device
        self.precisions = ("f16", "f32") if device == "cuda" else ("f32",)
        self._pipelines: dict[tuple[str, str, Any], Pipeline] = {}
        self._warm: set[Pipeline] = set()

    def cases(self) -> dict[str, Callable[[], float]]:
        """What is measured, by name, what matters most first; each gives milliseconds a frame."""
        found: dict[str, Callable[[], float]] = {}
        for backbone in ("separable", "standard"):
            for precision in self.precisions:
                for every, what in (("auto", "look and follow"), (1, "a look at every frame")):
                    setup = (backbone, precision, every)
                    found[f"all tasks, {what}, {backbone}, {precision}"] = lambda setup=setup: self.whole(
                        *setup
                    )
        for precision in self.precisions:
            found[f"a look alone, separable, {precision}"] = lambda p=precision: self.look("separable", p)
            found[f"a look alone, standard, {precision}"] = lambda p=precision: self.look("standard", p)
        for people in (1, 4, 8):
            found[f"follow {people} people in one batch, {self.precisions[0]}"] = lambda n=people: (
                self.follow(n)
            )
        return found | _decoders()

    def whole(self, backbone: str, precision: str, every: Any) -> float:
        """All tasks over the clip, as `sepcam process` does them, without drawing."""
        pipeline, begun = self._pipeline(backbone, precision, every), 0.0
        if (
            pipeline not in self._warm
        ):  # every shape that comes is recorded as a CUDA graph when it first does
            self._warm.add(pipeline)
            deque(pipeline.run(_Images(self._images), at_once=True), 0)
        for result in pipeline.run(_Images(self._images), at_once=True):
            if result.frame.index == _WARM_UP - 1:
                begun = time.perf_counter()
        return (time.perf_counter() - begun) / (len(self._images) - _WARM_UP) * 1e3

    def look(self, backbone: str, precision: str) -> float:
        """Boxes and keypoints from whole frames."""
        network = self._pipeline(backbone, precision, 1).networks.detector
        return _timed(network.detect, self._images)

    def follow(self, people: int) -> float:
        """Known people alone: their boxes side by side in one frame."""
        network: Any = self._pipeline("separable", self.precisions[0], "auto").networks.detector
        left = np.linspace(0, _SIZE[0] - 150, people)
        boxes = np.stack([left, np.full_like(left, 200), left + 140, np.full_like(left, 600)], 1)
        if network.follow(self._images[0], boxes.astype(np.float32)) is None:
            raise ValueError(f"{people} people are too many to follow")
        return _timed(lambda image: network.follow(image, boxes.astype(np.float32)), self._images)

    def agreement(self, precision: str) -> str:
        """In words, whether the device finds what a CPU finds in f32."""
        images = self._images[:: -(-len(self._images) // _COMPARED)]
        reference = Pipeline(AnalysisOptions(runtime=RuntimeOptions("torch", "cpu", "f32"))).networks.detector
        network = self._pipeline("separable", precision, 1).networks.detector
        pairs = [_compare(reference.detect(image), network.detect(image)) for image in images]
        same, total = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        apart = max(pair[2] for pair in pairs)
        return (
            f"{precision} against the CPU's f32: {same} of {total} people with the same box and mask "
            f"(IoU over 0.9), keypoints at most {apart:.2f} px apart"
        )

    def _pipeline(self, backbone: Any, precision: Any, every: Any) -> Pipeline:
        key = (backbone, precision, every)
        if key not in self._pipelines:
            runtime = RuntimeOptions("torch", self._device, precision)
            options = AnalysisOptions(backbone=backbone, detect_every=every, runtime=runtime)
            other = (backbone, precision, 1 if every == "auto" else "auto")
            shared = self._pipelines[other].networks if other in self._pipelines else None
            self._pipelines[key] = Pipeline(options, networks=shared)
        return self._pipelines[key]


class _Images:
    """Images in memory as a source: what reads them from a file is not measured."""

    def __init__(self, images: list[U8]) -> None:
        self._images = images
        self.info = StreamInfo("street", *_SIZE, fps=30.0, frame_count=len(images))
        self.warnings: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        for index, image in enumerate(self._images):
            yield Frame(image, index, index / 30)

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> "_Images":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _street(count: int) -> list[U8]:
    """That many 720p images, forth and back through a stretch of the bundled clip."""
    video = cv2.VideoCapture(str(demo_clip()))
    x, y, width, height = _WINDOW
    images: list[U8] = []
    for index in range(_FIRST + 60):
        there, image = video.read()
        if not there:
            raise SystemExit(f"{demo_clip()} has only {index} frames")
        if index >= _FIRST:
            part = image[y : y + height, x : x + width]
            images.append(np.asarray(cv2.resize(part, _SIZE, interpolation=cv2.INTER_CUBIC), np.uint8))
    video.release()
    path = images + images[-2:0:-1]
    return [path[index % len(path)] for index in range(count)]


def _compare(expected: Detections, found: Detections) -> tuple[int, int, float]:
    """People who are the same, people who are expected, and pixels that a likely keypoint is off at most."""
    if not len(found) or not len(expected):
        return 0, len(expected), 0.0
    matches = iou(expected.boxes, found.boxes)
    partner = matches.argmax(1)
    same, apart = 0, 0.0
    for row, column in enumerate(partner):
        if matches[row, column] <= 0.9 or not _same_mask(expected, row, found, int(column)):
            continue
        same += 1
        if expected.keypoints is not None and found.keypoints is not None:
            seen = expected.keypoints[row, :, 2] > 0.5
            way = expected.keypoints[row, seen, :2] - found.keypoints[column, seen, :2]
            apart = max(apart, float(np.hypot(*way.T).max(initial=0)))
    return same, len(expected), apart


def _same_mask(expected: Detections, row: int, found: Detections, column: int) -> bool:
    """Whether two masks have more than 0.9 of their pixels in common."""
    if expected.masks is None or found.masks is None:
        return True
    full = np.zeros((2, _SIZE[1], _SIZE[0]), bool)
    for canvas, (pixels, x, y) in zip(full, (expected.masks[row], found.masks[column]), strict=True):
        canvas[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels != 0
    either = np.count_nonzero(full[0] | full[1])
    return not either or np.count_nonzero(full[0] & full[1]) > 0.9 * either


def _timed(call: Callable[[U8], object], images: list[U8]) -> float:
    for image in images[:_WARM_UP]:
        call(image)
    begun = time.perf_counter()
    for image in images[_WARM_UP:]:
        call(image)
    return (time.perf_counter() - begun) / (len(images) - _WARM_UP) * 1e3


def _decoders() -> dict[str, Callable[[], float]]:
    """Decoding of the bundled clip to BGR images, where PyAV is installed."""
    try:
        import av
        from av.codec.hwaccel import HWAccel, hwdevices_available
    except ImportError:
        return {}

    def decode(hardware: Any) -> float:
        begun, count = time.perf_counter(), 0
        with av.open(str(demo_clip()), hwaccel=hardware) as container:
            for frame in container.decode(video=0):
                frame.to_ndarray(format="bgr24")
                count += 1
        return (time.perf_counter() - begun) / count * 1e3

    found = {"decode 540x360 on the processor": lambda: decode(None)}
    if "cuda" in hwdevices_available():
        found["decode 540x360 on the GPU (NVDEC)"] = lambda: decode(HWAccel("cuda"))
    return found


def _measure(cases: dict[str, Callable[[], float]], rounds: int, until: float) -> dict[str, list[float]]:
    """Every case once a round, as long as there is time; a case that fails says so."""
    rows: dict[str, list[float]] = {name: [] for name in cases}
    failed: set[str] = set()
    for _ in range(rounds):
        for name, measure in cases.items():
            if name in failed or time.perf_counter() > until:
                continue
            try:
                rows[name].append(measure())
            except Exception as error:
                failed.add(name)
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
    return rows


def _attempt(what: Callable[[], str]) -> str:
    try:
        return what()
    except Exception as error:
        return f"failed: {type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
