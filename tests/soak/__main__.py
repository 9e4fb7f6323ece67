"""``make soak``: the whole of it, and how much faster two workers are than one."""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.clips import write_clip
from tests.soak.kinds import make_clips, pictures
from tests.soak.run import job, run_soak


def main() -> int:
    """Runs it, prints a summary, and gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--clips", type=int, default=200, help="how many (200)")
    parser.add_argument("--frames", type=int, default=20, help="of each clip, about (20)")
    parser.add_argument("--kills", type=int, default=20, help="of the whole process group (20)")
    parser.add_argument(
        "--patience", type=float, help="most seconds of work before a kill (a share of the undisturbed run)"
    )
    parser.add_argument("--workers", default="2", help="as for sepcam process (2)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    parser.add_argument("--short", type=int, default=16, help="short files for the speed-up, 0 for none (16)")
    parser.add_argument("--long", type=int, default=90, help="seconds of the long file, 0 for none (90)")
    parser.add_argument("--keep", type=Path, help="keep everything in this folder")
    words = parser.parse_args()
    place = words.keep or Path(tempfile.mkdtemp(prefix="sepcam-soak-"))
    try:
        code = _soak(words, place) if words.kills else 0
        _speed_up(words, place)
        return code
    finally:
        if words.keep is None:
            shutil.rmtree(place, ignore_errors=True)


def _soak(words: argparse.Namespace, place: Path) -> int:
    kinds = make_clips(place / "clips", words.clips, words.frames)
    bad = {path.name for path, kind in kinds.items() if not kind.good}
    print(
        f"{len(kinds)} clips of {len({kind.name for kind in kinds.values()})} kinds, {len(bad)} of them bad"
    )
    soak = run_soak(
        place / "clips",
        bad,
        place,
        kills=words.kills,
        workers=words.workers,
        seed=words.seed,
        patience_s=words.patience,
    )
    print(f"killed {soak.kills} times in {soak.runs} runs; {soak.done} done, {len(soak.failed)} set aside")
    print(f"{soak.seconds:.0f} s, undisturbed {soak.undisturbed_s:.0f} s")
    for name, reason in sorted(soak.failed.items()):
        print(f"  set aside: {name}: {reason}")
    for fault in soak.faults:
        print(f"  FAULT: {fault}")
    print("as if nothing had happened" if not soak.faults else f"{len(soak.faults)} faults")
    return bool(soak.faults)


def _speed_up(words: argparse.Namespace, place: Path) -> None:
    """Times jobs with one worker, which has all cores, and with two, which share them."""
    if words.short:
        folder = place / "short"
        folder.mkdir(parents=True)
        for number in range(words.short):
            images = pictures(40, (640, 480), number)
            write_clip(folder / f"{number:02}.mp4", images=images, size=(640, 480))
        _compare(f"{words.short} short files", folder, place)
    if words.long:
        folder = place / "long"
        folder.mkdir(parents=True)
        images = pictures(words.long * 10, (640, 480), 0)
        write_clip(folder / "long.mp4", images=images, size=(640, 480), options={"g": "50"})
        _compare(f"a long file of {words.long} s", folder, place)


def _compare(what: str, folder: Path, place: Path) -> None:
    seconds = {}
    for workers in ("1", "2"):
        out = place / f"{folder.name}-{workers}"
        begun = time.monotonic()
        subprocess.run(
            job(folder, out, workers, ("--detector", "ssdlite-person")), check=True, capture_output=True
        )
        seconds[workers] = time.monotonic() - begun
    print(
        f"{what}: 1 worker {seconds['1']:.1f} s, 2 workers {seconds['2']:.1f} s: "
        f"{seconds['1'] / seconds['2']:.2f} times as fast"
    )


if __name__ == "__main__":
    sys.exit(main())
