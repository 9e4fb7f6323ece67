"""Standard streams that never fail a command: closed ones, and those that cannot show every character."""

import io
import os
import sys


def prepare_streams() -> None:
    """Makes stdin, stdout and stderr safe to use.

    A descriptor that is closed (a daemon, ``>&-``) is opened on the null device, so that no result file gets
    its number. Characters that a stream's encoding lacks, and bytes of file names that are not UTF-8, are
    written as escapes such as ``u6771`` with a backslash.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
