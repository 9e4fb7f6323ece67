"""Options of jobs of many files, and how they are read."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...models.errors import SepcamError
from ...pipelines.batch.files.remote import in_store
from ...pipelines.files.addresses import shown
from .shared import JOBS

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_TYPED = ("COMMANDLINE", "DEFAULT_MAP")

WorkersOption = Annotated[
    str | None,
    typer.Option(
        "--workers",
        metavar="N|auto",
        help="Worker processes; auto tries how many are fastest. A single file gets one.",
        show_default="auto, for more than one file",
        rich_help_panel=JOBS,
    ),
]
RetriesOption = Annotated[
    int,
    typer.Option(
        "--retries", metavar="N", min=0, help="More attempts for a file that crashed.", rich_help_panel=JOBS
    ),
]
MaxMemoryOption = Annotated[
    str | None,
    typer.Option(
        "--max-memory",
        metavar="SIZE",
        help="Memory that all workers together may take, e.g. 4G.",
        show_default="three quarters of what is free",
        rich_help_panel=JOBS,
    ),
]
StallTimeoutOption = Annotated[
    float,
    typer.Option(
        "--stall-timeout",
        metavar="SECONDS",
        min=1,
        help="Give up a file if no frame is finished for this long, and kill its worker.",
        rich_help_panel=JOBS,
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ray[:ADDRESS]",
        help="Use a Ray cluster: the one at ADDRESS, or the one running here. --threads is cores per worker.",
        show_default="this machine",
        rich_help_panel=JOBS,
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Continue the job in the output folder, with its own inputs and settings.",
        rich_help_panel=JOBS,
    ),
]
FreshOption = Annotated[
    bool,
    typer.Option(
        "--fresh",
        help="Forget what the job did and start over, also with other settings.",
        rich_help_panel=JOBS,
    ),
]
StatusOption = Annotated[
    Path | None,
    typer.Option(
        "--status",
        metavar="FOLDER",
        help="Show the progress of the job in a folder, and exit.",
        rich_help_panel=JOBS,
    ),
]
LogJsonOption = Annotated[
    bool,
    typer.Option(
        "--log-json", help="Print a JSON object for everything that happens in a job.", rich_help_panel=JOBS
    ),
]


def place(text: str) -> tuple[Path, str | None]:
    """The output folder; and where results go in its place, if that is an address, as for ``s3://bucket/out``.

    The folder then holds the job alone, here and not at the address.
    """
    if not in_store(text):
        return Path(text), None
    address = text.rstrip("/")
    return Path("sepcam-jobs") / re.sub(r"[^\w.-]+", "-", shown(address)), address


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
        raise SepcamError(f"--workers takes a number from 1, or auto; got {text!r}")
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
        raise SepcamError(f"--cluster takes ray or ray:ADDRESS (host:port); got {text!r}")
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
        raise SepcamError(f"--max-memory takes a size such as 500M or 4G; got {text!r}")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def typed(ctx: typer.Context) -> frozenset[str]:
    """The names of the parameters that the user gave, typed or in a file."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return frozenset(name for name, source in sources.items() if source and source.name in _TYPED)
