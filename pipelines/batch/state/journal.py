"""The journal of a job: every file and its outcome, in SQLite, so that no crash loses or garbles it."""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from ....models.cache import sha256_of
from ....models.errors import SepcamError
from ...statistics import Statistics
from ..files.inputs import Input

State = Literal["waiting", "running", "done", "stopped", "failed", "skipped"]
"""``stopped`` was interrupted: its files hold what was finished, and the next run recomputes them.
``failed`` is set aside after its last attempt; ``skipped`` is a copy of another file, or Sepcam's own."""
STATES: tuple[State, ...] = get_args(State)
UNDONE: Final = frozenset(("waiting", "running", "stopped"))
"""The states of what the next run takes up."""

PRIVATE: Final = 0o600
"""The mode of files that only their owner may read."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, input TEXT NOT NULL, planned TEXT NOT NULL,
    bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, frames INTEGER NOT NULL DEFAULT 0,
    frame_count INTEGER, people INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    error TEXT, warnings TEXT NOT NULL DEFAULT '[]', started REAL, finished REAL
);
CREATE TABLE IF NOT EXISTS outputs (
    file INTEGER NOT NULL REFERENCES files (id), path TEXT NOT NULL, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (file, path)
);
CREATE TABLE IF NOT EXISTS statistics (file INTEGER PRIMARY KEY REFERENCES files (id), content TEXT NOT NULL);
"""
_COLUMNS = (
    *("id", "key", "input", "planned", "bytes", "modified_ns", "state", "attempts", "frames", "frame_count"),
    *("people", "seconds", "error", "warnings", "started", "finished"),
)


@dataclass(frozen=True, slots=True)
class Output:
    """A finished output.

    Attributes:
        path: relative to the output folder.
        bytes: its size; of a folder, that of its files.
        sha256: of its content; of a folder, of the names and hashes of its files.
    """

    path: str
    bytes: int
    sha256: str


def fingerprint(path: Path) -> Output:
    """Size and hash of a file, or of all files in a folder and the folders in it."""
    if not path.is_dir():
        return Output(str(path), path.stat().st_size, sha256_of(path))
    digest, size = hashlib.sha256(), 0
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        digest.update(os.fsencode(f"{file.relative_to(path).as_posix()} {sha256_of(file)}\n"))
        size += file.stat().st_size
    return Output(str(path), size, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in the journal.

    Attributes:
        id: its number, from 1, in the order in which files came to the job.
        input: the source.
        planned: where each kind of output goes, relative to the output folder.
        bytes: size of the source, 0 where it has none.
        modified_ns: when the source was last changed, 0 where that is unknown.
        state: its outcome so far.
        attempts: how often it was begun in earnest: attempts that ended with the whole job do not count.
        frames: frames that are done.
        frame_count: frames that it has, as far as known.
        people: different people seen in it.
        seconds: wall time of the last attempt.
        error: why it was set aside or skipped.
        warnings: what the user should know, a line each.
        started: when the last attempt began, in seconds since 1970.
        finished: when it ended.
        outputs: finished outputs.
        key: that of the source, also where its name means nothing in this folder.
        statistics: what was counted in it, as far as known.
    """

    id: int
    input: Input
    planned: Mapping[str, str]
    bytes: int
    modified_ns: int
    state: State
    attempts: int = 0
    frames: int = 0
    frame_count: int | None = None
    people: int = 0
    seconds: float = 0.0
    error: str | None = None
    warnings: tuple[str, ...] = ()
    started: float | None = None
    finished: float | None = None
    outputs: tuple[Output, ...] = field(default=())
    key: str = ""
    statistics: Statistics | None = None


class Journal:
    """The files of a job. Only the driver writes; anybody may read at the same time.

    Whatever a method changes is safely on the disk when it returns.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open it; made if need be, unless it is only read.

        Raises:
            SepcamError: If it cannot be opened, or is no journal.
        """
        self.path = path
        with self._told():
            if read_only:
                if not path.exists():
                    raise SepcamError(f"the journal {path} is gone: restart with --fresh")
                self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
                return
            # It holds the inputs, which may be addresses with passwords; SQLite's own files take its mode.
            path.touch(PRIVATE)
            with suppress(PermissionError):  # it is somebody else's
                path.chmod(PRIVATE)
            self._db = sqlite3.connect(path)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def entries(self) -> list[Entry]:
        """Every file, in the order of their numbers."""
        with self._told():
            outputs: dict[int, list[Output]] = {}
            for number, *values in self._db.execute(
                "SELECT file, path, bytes, sha256 FROM outputs ORDER BY rowid"
            ):
                outputs.setdefault(number, []).append(Output(*values))
            rows = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM files ORDER BY id").fetchall()
            counted = self._statistics()
        entries = [_entry(row, outputs.get(row[0], [])) for row in rows]
        return [replace(entry, statistics=counted.get(entry.id)) for entry in entries]

    def add(self, entries: Sequence[Entry]) -> None:
        """Take new files in; their ``id`` is not used."""
        rows = [
            (
                *(one.input.key, json.dumps(asdict(one.input)), json.dumps(dict(one.planned))),
                *(one.bytes, one.modified_ns, one.state, _storable(one.error)),
            )
            for one in entries
        ]
        with self._change() as db:
            db.executemany(
                "INSERT INTO files (key, input, planned, bytes, modified_ns, state, error) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def again(self, number: int, *, size: int, modified_ns: int) -> None:
        """The file waits, as if it had never been begun; its source is as big and as old as this."""
        with self._change() as db:
            db.execute(
                "UPDATE files SET state = 'waiting', attempts = 0, frames = 0, error = NULL, bytes = ?, "
                "modified_ns = ? WHERE id = ?",
                (size, modified_ns, number),
            )
            db.execute("DELETE FROM statistics WHERE file = ?", (number,))

    def rename(self, number: int, source: Input) -> None:
        """The same source has another name now, as seen from another folder."""
        self._set(number, input=json.dumps(asdict(source)))

    def begin(self, number: int) -> None:
        """Somebody works on the file now."""
        self._set(number, state="running", started=time.time(), frames=0)

    def wait(self, number: int, *, attempts: int, error: str | None = None) -> None:
        """The file waits for another attempt; records how many failed, and the last error."""
        self._set(number, state="waiting", attempts=attempts, error=error)

    def fail(self, number: int, error: str, *, attempts: int) -> None:
        """The file is set aside."""
        self._set(number, state="failed", attempts=attempts, error=error, finished=time.time())

    def skip(self, number: int, reason: str) -> None:
        """Nothing is to be done with the file."""
        self._set(number, state="skipped", error=reason, finished=time.time())

    def finish(
        self,
        number: int,
        outputs: Sequence[Output],
        *,
        attempts: int,
        frames: int,
        people: int,
        seconds: float,
        warnings: Sequence[str],
        complete: bool,
        statistics: Statistics | None = None,
    ) -> None:
        """The file's outputs have their names; unless ``complete``, they hold only its beginning."""
        with self._change() as db:
            db.execute("DELETE FROM outputs WHERE file = ?", (number,))
            db.executemany(
                "INSERT INTO outputs (file, path, bytes, sha256) VALUES (?, ?, ?, ?)",
                [(number, one.path, one.bytes, one.sha256) for one in outputs],
            )
            db.execute(
                "UPDATE files SET state = ?, attempts = ?, frames = ?, people = ?, seconds = ?, "
                "warnings = ?, error = NULL, finished = ? WHERE id = ?",
                (
                    *("done" if complete else "stopped", attempts, frames, people, seconds),
                    *(json.dumps(list(warnings)), time.time(), number),
                ),
            )
            if statistics is not None:
                content = json.dumps(statistics.to_json())
                db.execute("INSERT OR REPLACE INTO statistics VALUES (?, ?)", (number, content))

    def _statistics(self) -> dict[int, Statistics]:
        """What was counted in each file; nothing in a journal of an older version that is only read."""
        there = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'statistics'").fetchone()
        rows = self._db.execute("SELECT file, content FROM statistics").fetchall() if there else []
        return {number: Statistics.from_json(json.loads(content)) for number, content in rows}

    def _set(self, number: int, **values: str | float | None) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._change() as db:
            texts = [_storable(value) for value in values.values()]
            db.execute(f"UPDATE files SET {columns} WHERE id = ?", (*texts, number))

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._told(), self._db:
            yield self._db

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            # What is wrong with its content stays so; a disk or a lock may not.
            passing = isinstance(error, sqlite3.OperationalError | OSError)
            advice = "" if passing else ": restart with --fresh"
            raise SepcamError(f"the journal {self.path} cannot be used: {error}{advice}") from error


def _storable(value: str | float | None) -> str | float | None:
    """A value without bytes of file names that are not UTF-8, which SQLite does not take."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _entry(row: Sequence[Any], outputs: Sequence[Output]) -> Entry:
    values = dict(zip(_COLUMNS, row, strict=True))
    source = json.loads(values.pop("input"))
    source["listed"] = tuple(source["listed"])
    return Entry(
        input=Input(**source),
        planned=json.loads(values.pop("planned")),
        warnings=tuple(json.loads(values.pop("warnings"))),
        outputs=tuple(outputs),
        **values,
    )
