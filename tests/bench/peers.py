"""The peers: MediaPipe Pose and Ultralytics YOLO11 on the frames that Sepcam gets, each at its best.

Both read frames that OpenCV decodes ahead in a thread, which neither does by itself.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .clips import HEIGHT, WIDTH
from .rounds import Contender
from .worker import Worker, WorkerError

MEDIAPIPE = "0.10.21"  # the last release that carries its models inside
_PYTHONS = ("python3.12", "python3.11", "python3.10", "python3.9")

MEDIAPIPE_POSE = "MediaPipe Pose + mask, one person"


def yolo_name(runtime: str, side: int) -> str:
    """What the tables call Ultralytics' pose + segmentation at an input this wide."""
    height, width = yolo_size(side)
    return f"Ultralytics pose + track + seg, {runtime} {height}x{width}"


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
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if ready.exists():
        return python
    note(f"setting up MediaPipe {MEDIAPIPE} in {folder} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [_python_for_mediapipe(), "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", f"mediapipe=={MEDIAPIPE}"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise WorkerError(f"MediaPipe {MEDIAPIPE} cannot be installed: {done.stderr.strip()[-300:]}")
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


def yolo_contender(worker: Worker, runtime: str, side: int, clip: Path, frames: int) -> Contender:
    """Ultralytics' pair in one runtime and input width, over a clip."""
    key = name = yolo_name(runtime, side)
    size = list(yolo_size(side))
    worker.request("prepare", key=key, runtime=runtime, size=size, clip=str(clip))
    return Contender(name, lambda: worker.request("run", key=key, clip=str(clip), frames=frames))


def yolo_environment(folder: Path) -> dict[str, str]:
    """Keeps Ultralytics from installing packages, reporting home, or writing outside this folder.

    A ``yolo11n-pose.pt`` and ``yolo11n-seg.pt`` in it are used; without them, the weights are random.
    """
    return {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(folder)}
