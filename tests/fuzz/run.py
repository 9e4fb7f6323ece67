"""Feeds damaged files to workers that may crash or hang."""

import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.fuzz.inputs import damaged, make_valid

HANG_S: Final = 30.0
_START_S: Final = 120.0


@dataclass(slots=True)
class Found:
    """What a run found.

    Attributes:
        ends: how many files were ``done`` or ``refused``, and how many were a ``fault``.
        faults: why, by the path of the file, which is kept.
    """

    ends: Counter[str] = field(default_factory=Counter)
    faults: dict[Path, str] = field(default_factory=dict)


class _Worker:
    """A process that reads files; started again after it crashed or was ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._fresh = True

    def judge(self, path: Path) -> dict[str, str]:
        """What became of a file; a crash or a hang is a fault."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None and process.stdin is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        limit, self._fresh = (_START_S if self._fresh else HANG_S), False
        try:
            line = self._answers.get(timeout=limit)
        except queue.Empty:
            self.close()
            return {"end": "fault", "why": f"no end after {limit:g} s"}
        if line:
            return json.loads(line)
        code = process.wait()
        self.close()
        return {"end": "fault", "why": f"the process died: {code}"}

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def _start(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process, self._answers, self._fresh = process, answers, True

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                answers.put(line)
            answers.put("")

        threading.Thread(target=listen, daemon=True).start()


def fuzz(folder: Path, files: int, *, seed: int = 1, first: int = 0, most_s: float = 1200.0) -> Found:
    """Damages files and has them processed.

    Args:
        folder: for the files; those with a fault stay there.
        files: how many.
        seed: of the damage.
        first: number of the first file.
        most_s: seconds after which no other file is begun.
    """
    valid = make_valid(folder / "valid")
    found, worker, begun = Found(), _Worker(), time.monotonic()
    try:
        for number in range(first, first + files):
            if time.monotonic() - begun > most_s:
                break
            suffix, data = damaged(valid, number, seed)
            path = folder / f"{number}{suffix}"
            path.write_bytes(data)
            end = worker.judge(path)
            found.ends[end["end"]] += 1
            shutil.rmtree(path.with_name(f"{path.name}-out"), ignore_errors=True)
            if end["end"] == "fault":
                found.faults[path] = end["why"]
            else:
                path.unlink()
    finally:
        worker.close()
    return found
