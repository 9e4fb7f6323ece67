"""Table 5: memory in use while a clip goes round, which must not grow with the video."""

from pathlib import Path
from typing import Any

from .end_to_end import Sepcam, Setup
from .worker import Worker

FIRST, LAST = 1000, 20_000  # frames


def measure(clip: Path, sepcam: Sepcam, threads: int, log: Path, scratch: Path) -> dict[int, float]:
    """Memory of a process of its own, in MB, by frame; all tasks, with video and JSONL out.

    Args:
        clip: goes round until ``LAST`` frames.
        sepcam: says what to load.
        threads: of the process.
        log: where what it prints goes.
        scratch: where it writes.
    """
    asked = sepcam.request(Setup())
    request: dict[str, Any] = {key: asked[key] for key in ("detector", "options")}
    with Worker("sepcam_run", log, threads, timeout_s=7200) as worker:
        reply = worker.request("loop", clip=str(clip), frames=LAST, folder=str(scratch), **request)
    return {int(frame): used for frame, used in reply["rss_mb"].items()}
