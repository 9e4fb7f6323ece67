"""What is to be done: the files of a job, with what earlier runs have left to do."""

import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ...models.cache import sha256_of
from ...models.errors import SepcamError
from ..sinks.registry import check_fits
from ..sources.images import images_in
from .files.inputs import Input
from .files.naming import name_targets
from .state.job_folder import NAME, JobFolder, JobInfo
from .state.journal import Entry, Journal
from .state.settings import differences

_COPY: Final = "a copy of "
_GONE: Final = "no longer there"


def agree(folder: JobFolder, info: JobInfo) -> None:
    """Makes sure that a job which is there does the same as the one asked for.

    Raises:
        SepcamError: If it does not; the text lists the differences.
    """
    old = folder.info()
    changed = differences(old.settings, info.settings)
    changed += [
        f"weights of {name} {old.models[name][:8]} -> {digest[:8]}"
        for name, digest in info.models.items()
        if old.models.get(name, digest) != digest
    ]
    if changed:
        raise SepcamError(
            f"the job in {folder.out} was begun with other settings ({'; '.join(changed)}): give the same, "
            "another folder with -o, or --fresh to restart"
        )


def plan(
    folder: JobFolder, journal: Journal, inputs: Sequence[Input], info: JobInfo, *, overwrite: bool
) -> list[Entry]:
    """Takes the inputs into the journal; what is done already stays done.

    A source that has changed since, whose outputs are gone, or that was set aside, is done again. A copy of
    another source, what this job wrote itself, and what was set aside and then deleted, are skipped.

    Args:
        folder: of the job, whose lock the caller holds.
        journal: of the job.
        inputs: in order.
        info: what the job is.
        overwrite: whether results that the job did not make may be replaced.

    Returns:
        The entries of these inputs.

    Raises:
        SepcamError: If a kind of results is not for a source, or a result exists that is not the job's.
    """
    for one in inputs:
        check_fits(one.title, info.settings.saves, "images" if one.images else "video")
    entries = journal.entries()
    known = {entry.key: entry for entry in entries}
    taken = [folder.out / path for entry in entries for path in entry.planned.values()]
    new = without_results(folder, [one for one in inputs if one.key not in known], taken)
    targets = name_targets(new, folder.out, info.settings.saves, taken)
    added = []
    for one in new:
        files = targets[one.key].files
        planned: dict[str, str] = {save: folder.relative(path) for save, path in files.items()}
        there = None if overwrite else next(filter(folder.there, planned.values()), None)
        if there is not None:
            place = folder.out if folder.store is None else folder.store
            raise SepcamError(
                f"{place}/{there} exists: use --overwrite to replace it, or another output folder with -o"
            )
        added.append(Entry(0, one, planned, *_stamp(one), "waiting"))
    journal.add(_without_copies(entries, added))
    for one in inputs:
        if one.key in known:
            _renew(folder, journal, known[one.key], one)
    _renew_copies(journal, entries)
    keys = {one.key for one in inputs}
    for entry in entries:
        if entry.state == "failed" and entry.key not in keys and _is_gone(entry):
            journal.skip(entry.id, _GONE)
    return [entry for entry in journal.entries() if entry.key in keys]


def without_results(folder: JobFolder, inputs: Sequence[Input], known: Sequence[Path]) -> list[Input]:
    """The inputs that neither this job made nor another one in whose output folder they lie.

    Args:
        folder: of the job.
        inputs: in order.
        known: the results of the job.
    """
    results = {_real(path) for path in (*known, *(path for one in inputs for path in _foreign(one, folder)))}
    return [one for one in inputs if not _is_result(one, results)]


def _renew(folder: JobFolder, journal: Journal, entry: Entry, one: Input) -> None:
    """Lets a file wait again that has to be done again; it goes by the name that it has now."""
    if entry.input.name != one.name:
        journal.rename(entry.id, one)
    size, modified_ns = _stamp(one)
    changed = (size, modified_ns) != (entry.bytes, entry.modified_ns)
    lost = entry.state == "done" and not all(map(folder.holds, entry.outputs))
    returned = entry.state == "skipped" and entry.error == _GONE
    if entry.state == "failed" or changed or lost or returned:
        shutil.rmtree(folder.parts(entry.id), ignore_errors=True)
        journal.again(entry.id, size=size, modified_ns=modified_ns)


def _renew_copies(journal: Journal, before: Sequence[Entry]) -> None:
    """Lets files wait that were skipped as copies of one that has another content by now."""
    old = {entry.id: (entry.bytes, entry.modified_ns) for entry in before}
    now = [entry for entry in journal.entries() if entry.id in old]
    originals = [entry for entry in now if entry.state != "skipped"]
    other = [one for one in originals if old[one.id] != (one.bytes, one.modified_ns)]
    changed = {size for one in other for size in (one.bytes, old[one.id][0])}
    for entry in now:
        if entry.state != "skipped" or not (entry.error or "").startswith(_COPY):
            continue
        same = [one for one in originals if one.bytes == entry.bytes]
        if not same or (entry.bytes in changed and _copy_of(entry, same, {}) is None):
            journal.again(entry.id, size=entry.bytes, modified_ns=entry.modified_ns)


def _without_copies(entries: Sequence[Entry], added: Sequence[Entry]) -> list[Entry]:
    """The new entries; one whose content another has is skipped."""
    by_size: dict[int, list[Entry]] = {}
    for entry in entries:
        by_size.setdefault(entry.bytes, []).append(entry)
    hashes: dict[str, str] = {}
    kept = []
    for entry in added:
        same = None if not entry.bytes else _copy_of(entry, by_size.get(entry.bytes, ()), hashes)
        if same is not None:
            entry = replace(entry, state="skipped", error=f"{_COPY}{same.input.title}")
        else:
            by_size.setdefault(entry.bytes, []).append(entry)
        kept.append(entry)
    return kept


def _copy_of(entry: Entry, others: Sequence[Entry], hashes: dict[str, str]) -> Entry | None:
    def content(one: Entry) -> str | None:
        path = one.input.path
        if path is None or not path.is_file():
            return None
        key = str(path)
        if key not in hashes:
            try:
                hashes[key] = sha256_of(path)
            except OSError:
                return None
        return hashes[key]

    if not others:
        return None
    own = content(entry)
    return next((one for one in others if own is not None and content(one) == own), None)


def _is_gone(entry: Entry) -> bool:
    file = Path(entry.key)  # of this machine, where it is one
    return not entry.input.listed and file.is_absolute() and not file.exists()


def _is_result(one: Input, results: Collection[Path]) -> bool:
    """Whether a source is a result; of what a search found, also images that lie among results."""
    if one.path is None:
        return False
    path = _real(one.path)
    if path in results or not one.found:
        return path in results
    if any(up in results for up in path.parents):
        return True
    return one.images and path.is_dir() and all(_real(image) in results for image in images_in(path))


def _foreign(one: Input, folder: JobFolder) -> Sequence[Path]:
    """Results of another job in whose output folder a source lies."""
    if one.path is None or not one.found:
        return ()
    path = one.path.resolve()
    above = next((up for up in (path, *path.parents) if (up / NAME / "job.json").is_file()), None)
    return () if above is None or above == folder.out.resolve() else JobFolder(above).known_outputs()


def _stamp(one: Input) -> tuple[int, int]:
    """Bytes, and nanoseconds since 1970 of the last change; zeros for what is no file."""
    path = one.path
    if path is None or not path.is_file():
        return 0, 0
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _real(path: Path) -> Path:
    return path.resolve()
