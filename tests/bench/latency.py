"""Table 4: latency of a paced 30 fps source, and the time to the first frame of a new process."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .clips import CROWD, RATE
from .end_to_end import FAST, Plan, Sepcam, Setup
from .rounds import Contender, Result, interleave
from .worker import Worker

FIRST = "first frame of a new process"
FASTER = "--preset fast"
LIVE = "as live does, saving where it must"
_WARM_UP = 15  # frames
_SETTLE_S = 6.0  # seconds that live has to find what the machine can do


_SETUPS = {
    "as process does": Setup(),
    FASTER: FAST,
    "standard": Setup(backbone="standard"),
}


def paced_name(clip: str, what: str) -> str:
    """What the table calls a paced run."""
    return f"{clip}, {what}"


def measure(
    clips: Mapping[str, Path], sepcam: Sepcam, worker: Worker, plan: Plan, note: Callable[[str], None]
) -> dict[str, Result]:
    """Runs each clip at 30 fps through both backbones; results are drawn, late frames dropped."""
    contenders = []
    for name, clip in clips.items():
        for what, setup in _SETUPS.items() if name != CROWD else ():
            request: dict[str, Any] = {
                "key": sepcam.key(clip, setup),
                "clip": str(clip),
                "frames": plan.frames,
                "fps": RATE,
                "warm_up": min(_WARM_UP, plan.frames // 3),
            }
            contenders.append(Contender(paced_name(name, what), _asking(worker, "paced", request)))
        options = sepcam.request(Setup())["options"]
        live = {"clip": str(clip), "detector": sepcam.detector, "options": options}
        live |= {"settle_s": _SETTLE_S, "seconds": plan.frames / RATE}
        contenders.append(Contender(paced_name(name, LIVE), _asking(worker, "live", live)))
    return interleave(contenders, plan.rounds, plan.seed, note)


def _asking(worker: Worker, op: str, request: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    return lambda: worker.request(op, **request)


def first_frame(clip: Path, sepcam: Sepcam, plan: Plan, log: Path, note: Callable[[str], None]) -> Result:
    """From starting Python to the first frame with all tasks done; networks come from the warm cache."""

    def run() -> dict[str, Any]:
        begun = time.perf_counter()
        with Worker("sepcam_run", log, plan.threads) as worker:
            worker.request("prepare", key="first", clip=str(clip), frames=1, **sepcam.request(Setup()))
            seconds = time.perf_counter() - begun
            worker.request(
                "run", key="first", clip=str(clip), frames=plan.frames, output="results", folder=""
            )
            return {"seconds": seconds, "frames": 1, **worker.request("memory")}

    return interleave([Contender(FIRST, run)], min(plan.rounds, 3), plan.seed, note)[FIRST]
