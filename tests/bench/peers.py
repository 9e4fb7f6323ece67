"""The peers: MediaPipe Pose and Ultralytics YOLO11 on the frames that Sepcam gets, each at its best.

Both read frames that OpenCV decodes ahead in a thread, which neither does by itself.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from .clips import HEIGHT, WIDTH
from .rounds import Contender
from .worker import Worker, WorkerError

MEDIAPIPE = "0.10.21"  # the last release that carries its models inside
NNCF = "3.4.0"
_PYTHONS = ("python3.12", "python3.11", "python3.10", "python3.9")

MEDIAPIPE_POSE = "MediaPipe Pose + mask, one person"


def yolo_name(runtime: str, side: int, precision: str = "f32") -> str:
    """What the tables call Ultralytics' pose + segmentation at an input this wide."""
    height, width = yolo_size(side)
    named = runtime if precision == "f32" else f"{runtime} {precision}"
    return f"Ultralytics pose + track + seg, {named} {height}x{width}"


def yolo_size(side: int) -> tuple[int, int]:
    """(height, width) of the smallest multiple of 32 that holds a 720p picture scaled to this width."""
    return -(-side * HEIGHT // WIDTH // 32) * 32, side


def mediapipe_python(cache: Path, note: Callable[[str], None]) -> Path:
    """The interpreter of an environment with MediaPipe 0.10.21, which is created where it does not exist.

    It pins numpy 1 and a protobuf that others here do not take, so it lives apart.

    Raises:
        WorkerError: If there is no Python that it has a wheel for, or pip fails.
    """
    folder = cache / f"mediapipe-{MEDIAPIPE}"
    return _environment(
        f"MediaPipe {MEDIAPIPE}", folder, _python_for_mediapipe, [f"mediapipe=={MEDIAPIPE}"], note
    )


def nncf_python(cache: Path, note: Callable[[str], None]) -> Path:
    """The interpreter of an environment with NNCF and the OpenVINO of this one, created where there is none.

    Raises:
        WorkerError: If pip fails.
    """
    openvino = version("openvino")
    folder = cache / f"nncf-{NNCF}-openvino-{openvino}"
    packages = [f"nncf=={NNCF}", f"openvino=={openvino}"]
    return _environment(f"NNCF {NNCF}", folder, lambda: sys.executable, packages, note)


def _environment(
    name: str, folder: Path, base: Callable[[], str], packages: list[str], note: Callable[[str], None]
) -> Path:
    """The interpreter of a virtual environment with these packages, created by that of `base` if need be."""
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if ready.exists():
        return python
    note(f"setting up {name} in {folder} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [base(), "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise WorkerError(f"{name} cannot be installed: {done.stderr.strip()[-300:]}")
    ready.touch()
    return python


def _python_for_mediapipe() -> str:
    """A Python that MediaPipe 0.10.21 has wheels for: 3.9 to 3.12."""
    candidates = [sys.executable, *filter(None, map(shutil.which, _PYTHONS))]
    for candidate in candidates:
        check = "import sys, venv; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 12))"
        if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
            return candidate
    raise WorkerError(f"MediaPipe {MEDIAPIPE} needs Python 3.9 to 3.12, and there is none on the PATH")


def mediapipe_contender(worker: Worker, clip: Path, frames: int) -> Contender:
    """MediaPipe Pose with its mask over a clip; the first run warms its files up."""
    worker.request("run", clip=str(clip), frames=3)
    return Contender(MEDIAPIPE_POSE, lambda: worker.request("run", clip=str(clip), frames=frames))


def yolo_contender(
    worker: Worker,
    runtime: str,
    precision: str,
    side: int,
    clip: Path,
    frames: int,
    nncf: Callable[[], Path],
) -> Contender:
    """Ultralytics' pair in one runtime, precision and input width, over a clip.

    Raises:
        WorkerError: If it cannot be made.
    """
    key = name = yolo_name(runtime, side, precision)
    form = {"runtime": runtime, "precision": precision, "size": list(yolo_size(side))}
    python = str(nncf()) if precision == "int8" else None
    worker.request("prepare", key=key, clip=str(clip), nncf=python, **form)
    return Contender(name, lambda: worker.request("run", key=key, clip=str(clip), frames=frames))


def yolo_environment(folder: Path) -> dict[str, str]:
    """Keeps Ultralytics from installing packages, reporting home, or writing outside this folder.

    A ``yolo11n-pose.pt`` and ``yolo11n-seg.pt`` in it are used; without them, the weights are random.
    """
    return {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(folder)}
