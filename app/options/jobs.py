"""Options of jobs of many files, and how they are read."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...models.errors import SepcamError
from ...pipelines.batch.files.remote import in_store

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_TYPED = ("COMMANDLINE", "DEFAULT_MAP")

WorkersOption = Annotated[
    str | None,
    typer.Option(
        "--workers",
        metavar="N|auto",
        help="Worker processes; auto tries how many are fastest. One file gets one unless told.",
        show_default="auto, for more than one file",
    ),
]
RetriesOption = Annotated[
    int, typer.Option("--retries", metavar="N", min=0, help="More attempts for a file that crashed.")
]
MaxMemoryOption = Annotated[
    str | None,
    typer.Option(
        "--max-memory",
        metavar="SIZE",
        help="Memory that all workers together may take, e.g. 4G.",
        show_default="three quarters of what is free",
    ),
]
StallTimeoutOption = Annotated[
    float,
    typer.Option(
        "--stall-timeout",
        metavar="SECONDS",
        min=1,
        help="Give up a file of which no frame is finished in so long, and kill its worker.",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ray[:ADDRESS]",
        help="Work on a Ray cluster: the one at ADDRESS, or that runs here. --threads are cores per worker.",
        show_default="this machine",
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Go on with the job in the output folder; INPUT and settings are its own."),
]
FreshOption = Annotated[
    bool,
    typer.Option("--fresh", help="Forget what a job did, and begin anew, also with other settings."),
]
StatusOption = Annotated[
    Path | None,
    typer.Option("--status", metavar="FOLDER", help="Show how far the job in a folder is, and do nothing."),
]
LogJsonOption = Annotated[
    bool, typer.Option("--log-json", help="Print a JSON object for everything that happens in a job.")
]


def place(text: str) -> tuple[Path, str | None]:
    """The output folder; and where results go in its place, if that is an address, as for ``s3://bucket/out``.

    The folder then holds the job alone, here and not at the address.
    """
    if not in_store(text):
        return Path(text), None
    address = text.rstrip("/")
    return Path("sepcam-jobs") / re.sub(r"[^\w.-]+", "-", address), address


def workers(text: str | None) -> int | Literal["auto"] | None:
    """How many processes, ``auto``, or None where nothing was said.

    Raises:
        SepcamError: If it is neither a number from 1 nor ``auto``.
    """
    if text is None:
        return None
    if text == "auto":
        return "auto"
    if not text.isdecimal() or int(text) < 1:
        raise SepcamError(f"--workers takes a number from 1, or auto; is {text!r}")
    return int(text)


def cluster(text: str | None) -> str | None:
    """The address of a Ray cluster, "" for the one that runs here, or None where nothing was said.

    Raises:
        SepcamError: If it is no Ray cluster.
    """
    if text is None:
        return None
    kind, _, address = text.partition(":")
    if kind != "ray":
        raise SepcamError(f"--cluster takes ray or ray:ADDRESS (host:port); is {text!r}")
    return address


def size(text: str | None) -> int | None:
    """Bytes, from ``500M`` or ``4G``.

    Raises:
        SepcamError: If it is no such size.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)(?:i?B)?", text, re.IGNORECASE)
    if match is None or float(match[1]) == 0:
        raise SepcamError(f"--max-memory takes a size such as 500M or 4G; is {text!r}")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def typed(ctx: typer.Context) -> frozenset[str]:
    """The names of the parameters that the user gave, typed or in a file."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return frozenset(name for name, source in sources.items() if source and source.name in _TYPED)
