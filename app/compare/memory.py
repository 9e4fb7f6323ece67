"""The memory that one form of a network or pipeline takes: each runs in its own process.

``python -m sepcam.app.compare.memory JSON`` is that process.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...models.registry import find
from ...models.runtime.options import RuntimeOptions
from ...models.types import ConvKind
from ...models.zoo import load_detector, load_pose
from ...pipelines.analysis.options import AnalysisOptions
from ...pipelines.execution.memory import peak_memory
from ...pipelines.pipeline import Pipeline
from ...pipelines.sources.open import open_source

_TIMEOUT_S = 300
_FRAMES = 3


def footprint(
    names: Sequence[str], backbone: ConvKind, options: RuntimeOptions, *, source: str | None = None
) -> dict[str, float]:
    """Runs a network or a pipeline once in a new process.

    Args:
        names: one network, or a detector and a pose network, which then analyze a few frames.
        backbone: kind of their convolutions.
        options: resolved ones.
        source: what ``open_source`` takes, for frames to analyze.

    Returns:
        ``peak_rss_bytes``, the most memory that the process had; ``start_s``, the seconds from its start to
        its first result. Empty where the system does not report it, or the process failed.
    """
    request = {
        "names": list(names),
        "backbone": backbone,
        "source": source,
        "options": {name: getattr(options, name) for name in ("runtime", "device", "precision", "threads")},
    }
    command = [sys.executable, "-m", __name__, json.dumps(request)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, OSError, ValueError, IndexError):
        return {}


def _main(request: dict[str, Any]) -> None:
    begun = time.perf_counter()
    options, backbone = RuntimeOptions(**request["options"]), request["backbone"]
    given = {"backbone": backbone, "options": options}
    if len(request["names"]) == 1:
        _once(request["names"][0], given)
    else:
        detector, pose = request["names"]
        asked = AnalysisOptions(detector, pose, backbone=backbone, detect_every=1, runtime=options)
        pipeline = Pipeline(asked)
        _analyze(pipeline, request["source"])
    peak = peak_memory()
    found = {"start_s": time.perf_counter() - begun}
    print(json.dumps(found | ({} if peak is None else {"peak_rss_bytes": peak})))


def _once(name: str, given: dict[str, Any]) -> None:
    """One pass of a network over one image, as the pipeline runs it."""
    spec = find(name)
    height, width = spec.input_size
    image = np.zeros((height, width, 3), np.uint8)
    if spec.task == "detect":
        load_detector(name, **given).detect(image)
    else:
        whole = np.array([[width / 2, height / 2, width, 0]], np.float32)
        pose = load_pose(name, **given)
        pose.estimate(image, whole, masks="segment" in pose.parts)


def _analyze(pipeline: Pipeline, spec: str) -> None:
    with open_source(spec, limit=_FRAMES) as source:
        analyzer = pipeline.analyzer(source.info)
        for frame in source:
            analyzer.analyze(frame)


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
