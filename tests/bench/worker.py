"""A measured child process: one request, one reply, and it never outlives its parent."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

FOLDER = Path(__file__).parent / "workers"
_MARK = "\x1e"  # as in workers/protocol.py, which must not import anything from here


class WorkerError(Exception):
    """A request failed; the message says why, with the end of what the process printed."""


class Worker:
    """Runs one of the scripts in ``workers/``; use it as a context manager.

    Closing its stdin ends the process, so it also ends when the parent is killed.

    Args:
        script: name of the script, without ``.py``.
        log: where what it prints goes.
        threads: threads that the libraries in it may use.
        python: interpreter of another environment, or None for this one.
        env: further environment variables.
        timeout_s: a request that takes longer fails and ends the process.
    """

    def __init__(
        self,
        script: str,
        log: Path,
        threads: int,
        *,
        python: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout_s: float = 900.0,
    ) -> None:
        self.name, self._log, self._timeout_s = script, log, timeout_s
        limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
        self._output = log.open("wb")
        self._process = subprocess.Popen(
            [str(python or sys.executable), str(FOLDER / f"{script}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            text=True,
            env={**os.environ, **limits, "PYTHONFAULTHANDLER": "1", **(env or {})},
        )

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def request(self, op: str, **fields: Any) -> dict[str, Any]:
        """Sends one request and waits for its reply.

        Raises:
            WorkerError: If the request failed, took too long, or the process ended.
        """
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        assert pipe_in is not None and pipe_out is not None
        watchdog = threading.Timer(self._timeout_s, self._process.kill)
        watchdog.start()
        try:
            pipe_in.write(json.dumps({"op": op, **fields}) + "\n")
            pipe_in.flush()
            while (line := pipe_out.readline()) and not line.startswith(_MARK):
                pass
        except (OSError, ValueError):  # the process ended, or was closed
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            status = self._process.wait()
            raise WorkerError(f"{self.name}: the process ended with status {status} (see {self._log})")
        reply = json.loads(line.removeprefix(_MARK))
        if "error" in reply:
            raise WorkerError(f"{self.name}: {reply['error']} (see {self._log})")
        return reply["ok"]

    def close(self) -> None:
        """Ends the process: by closing its stdin, then, where that does not help, by force."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._output.close()
