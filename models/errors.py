"""The error that a user can act on."""


class SepcamError(Exception):
    """Something the user gave or the machine lacks; its text is one line saying what is wrong and what to do.

    The command line prints the text and exits with code 2; anything else that escapes is a bug.
    """
