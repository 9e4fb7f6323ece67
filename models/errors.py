"""The error that a user can act on."""

from typing import get_args


class SepcamError(Exception):
    """Something the user gave or the machine lacks; its text is one line saying what is wrong and what to do.

    The command line prints the text and exits with code 2; anything else that escapes is a bug.
    """


def check_choice(name: str, value: object, choices: object) -> None:
    """Makes sure that an option has one of the values of a ``Literal``.

    Raises:
        SepcamError: If it has not.
    """
    known = get_args(choices)
    if value not in known:
        raise SepcamError(f"{name} takes one of {', '.join(map(str, known))}; got {value!r}")
