"""The soak itself: a job that is killed again and again, beside one that nobody disturbs."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import av

SEPCAM = [sys.executable, "-c", "from sepcam.app.cli import main; main()"]
TOP = Path(__file__).parents[2]
"""From where workers can import the tests' networks."""

FAST = ("--detector", "ssdlite-person", "--tasks", "track", "--save", "video,jsonl,mot")


@dataclass
class Soak:
    """What came of a soak.

    Attributes:
        kills: how often the process group was killed while it worked.
        runs: how often the job was begun or gone on with.
        seconds: wall time of the disturbed job.
        undisturbed_s: of the other one.
        done: files that are done.
        failed: files that were set aside, with their reasons.
        faults: what is not as it should be, a line each.
    """

    kills: int = 0
    runs: int = 0
    seconds: float = 0.0
    undisturbed_s: float = 0.0
    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def job(clips: Path, out: Path, workers: str, options: tuple[str, ...] = FAST) -> list[str]:
    """The command of a job over a folder of clips."""
    return [*SEPCAM, "process", str(clips), "--recursive", "-o", str(out), "--workers", workers, *options]


def run_soak(
    clips: Path,
    bad: set[str],
    place: Path,
    *,
    kills: int,
    workers: str,
    seed: int,
    patience_s: float | None = None,
    options: tuple[str, ...] = FAST,
) -> Soak:
    """Runs the job twice, once in peace, and once killed at random moments and gone on with.

    Args:
        clips: the folder.
        bad: names of the files that cannot be processed.
        place: an empty folder for both results.
        kills: how often to kill.
        workers: as ``--workers`` takes it.
        seed: of the moments.
        patience_s: the longest time before a kill; None shares out that of the run in peace.
        options: of ``sepcam process``.
    """
    soak = Soak()
    peace, fire = place / "undisturbed", place / "killed"
    begun = time.monotonic()
    done = subprocess.run(job(clips, peace, workers, options), capture_output=True, text=True, cwd=TOP)
    soak.undisturbed_s = time.monotonic() - begun
    if done.returncode != (1 if bad else 0):
        soak.faults.append(f"the undisturbed run ended with {done.returncode}: {done.stderr[-500:]}")
    patience_s = patience_s or 2 * soak.undisturbed_s / (kills + 4)
    dice = random.Random(seed)
    begun = time.monotonic()
    while soak.kills < kills:
        soak.runs += 1
        if not _killed(job(clips, fire, workers, options), fire, dice.uniform(0.0, patience_s)):
            break  # it came to its end before
        soak.kills += 1
        soak.faults += [f"after kill {soak.kills}: {fault}" for fault in _damaged(fire)]
    soak.runs += 1
    last = subprocess.run(job(clips, fire, workers, options), capture_output=True, text=True, cwd=TOP)
    soak.seconds = time.monotonic() - begun
    if last.returncode != (1 if bad else 0):
        soak.faults.append(f"the last run ended with {last.returncode}: {last.stderr[-500:]}")
    _judge(soak, clips, bad, peace, fire)
    return soak


def _killed(command: list[str], out: Path, after_s: float) -> bool:
    """Kills the whole process group so many seconds after its first file was begun; False if it ended."""
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=TOP
    )
    before = _begun(out)
    limit = time.monotonic() + 120
    while running.poll() is None and _begun(out) == before and time.monotonic() < limit:
        time.sleep(0.05)
    with suppress(subprocess.TimeoutExpired):
        running.wait(after_s)
    ended = running.poll() is not None
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    return not ended


def _begun(out: Path) -> float:
    with suppress(sqlite3.Error):
        journal = sqlite3.connect(f"file:{out}/.sepcam/journal.sqlite?mode=ro", uri=True)
        try:
            return journal.execute("SELECT coalesce(max(started), 0) FROM files").fetchone()[0]
        finally:
            journal.close()
    return 0.0


def _damaged(out: Path) -> list[str]:
    """Finished results that are no longer whole."""
    faults = []
    for path in _visible(out):
        if path.suffix == ".jsonl" and '"type":"summary"' not in path.read_text().splitlines()[-1]:
            faults.append(f"{path.name} is cut")
        if path.suffix == ".mp4":
            try:
                with av.open(str(path)) as container:
                    next(container.decode(video=0))
            except Exception as error:
                faults.append(f"{path.name} cannot be played: {error}")
    return faults


def _visible(out: Path) -> list[Path]:
    paths = (path for path in out.rglob("*") if path.is_file())
    return sorted(
        path for path in paths if not any(part.startswith(".") for part in path.relative_to(out).parts)
    )


def _judge(soak: Soak, clips: Path, bad: set[str], peace: Path, fire: Path) -> None:
    journal = sqlite3.connect(fire / ".sepcam" / "journal.sqlite")
    rows = journal.execute("SELECT input, state, error FROM files").fetchall()
    journal.close()
    for source, state, error in rows:
        name = Path(json.loads(source)["name"]).name
        if state == "done":
            soak.done += 1
        else:
            soak.failed[name] = error or ""
        if (name in bad) != (state == "failed") or (state == "failed" and not error):
            soak.faults.append(f"{name} is {state} ({error})")
    one, other = ({str(path.relative_to(out)): path for path in _visible(out)} for out in (peace, fire))
    soak.faults += [f"{name} is in one result only" for name in sorted(one.keys() ^ other.keys())]
    soak.faults += [
        f"{name} differs" for name in sorted(one.keys() & other.keys()) if not _same(one[name], other[name])
    ]
    hidden = {path.relative_to(fire) for path in fire.rglob("*") if path.is_file()} - {
        path.relative_to(fire) for path in _visible(fire)
    }
    known = {"job.json", "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "lock", "driver.json"}
    soak.faults += [
        f"{path} is left over" for path in hidden if path.parts[0] != ".sepcam" or path.name not in known
    ]


def _same(one: Path, other: Path) -> bool:
    """The same results; times that were measured, and pictures that show them, may differ."""
    if one.suffix == ".jsonl":
        first, second = one.read_text().splitlines(), other.read_text().splitlines()
        ends = [json.loads(lines[-1]) for lines in (first, second)]
        return first[:-1] == second[:-1] and ends[0]["frames"] == ends[1]["frames"]
    if one.suffix == ".mp4":
        return _stamps(one) == _stamps(other)
    return one.read_bytes() == other.read_bytes()


def _stamps(path: Path) -> list[object]:
    with av.open(str(path)) as container:
        return [(frame.time, frame.width, frame.height) for frame in container.decode(video=0)]
