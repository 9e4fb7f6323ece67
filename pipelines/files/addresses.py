"""Addresses (``rtsp://``, ``s3://`` ...): what is one, and how it is shown without its secrets."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

_SCHEME: Final = r"[A-Za-z][A-Za-z0-9+.-]*"
_ADDRESS: Final = re.compile(rf"{_SCHEME}(?:::{_SCHEME})*://")
_IN_TEXT: Final = re.compile(rf"(?<![A-Za-z0-9+.-])({_SCHEME}://)(\S+)")
_NAMED_SECRET: Final = re.compile(
    r"((?:^|(?<=[/;&?_,]))(?:user(?:name)?|login|pass(?:word|wd|phrase)?|pwd|token|(?:api)?_?key|auth|secret"
    r"|sig(?:nature)?|session(?:id)?)=)[^/;&?,]*",
    re.IGNORECASE,
)

STDIN: Final = "-"
"""Names the standard input."""


def is_address(name: str) -> bool:
    """Whether a name is an address such as ``rtsp://host/camera``, rather than a path."""
    return _ADDRESS.match(name) is not None


def is_file_address(name: str) -> bool:
    """Whether a name is the ``file://`` address of a local file."""
    return name.lower().startswith("file://") and "::" not in name


def local_path(name: str) -> str:
    """The path that a user means: ``~`` is the home folder, and ``file://`` an address of a local file."""
    if is_file_address(name):
        # Bytes that are not UTF-8 are kept as Python keeps them in paths.
        return unquote(name.partition("://")[2].removeprefix("localhost"), errors="surrogateescape") or name
    if name.startswith("~") and not Path(name).exists():
        return expanded(name)
    return name


def expanded(name: str) -> str:
    """``~`` and ``~user`` at the beginning as home folders; unchanged where there is no such home."""
    try:
        return str(Path(name).expanduser())
    except RuntimeError:  # no home folder is known
        return name


def shown(name: str) -> str:
    """A source's name as people, logs and results may see it.

    An address loses its user name, password, query and fragment, and values in its path that are named like
    secrets (``password=``). Whatever is not an address is returned as it is.
    """
    if not is_address(name) or is_file_address(name):
        return name
    return "::".join(map(_without_secrets, re.split(rf"::(?={_SCHEME}://)", name)))


def redacted(text: str) -> str:
    """A text with every address in it as `shown` gives it."""
    if "://" not in text:
        return text
    return _IN_TEXT.sub(_redacted_match, text)


def _redacted_match(match: re.Match[str]) -> str:
    address = match.group(0)
    # Punctuation of the sentence around it.
    ending = re.search(r"[;:,.)\]}'\"<>]*$", address)
    end = len(address) if ending is None else ending.start()
    return shown(address[:end]) + address[end:]


def _without_secrets(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    host, slash, path = rest.partition("/")
    if "@" in host:
        host = host.rpartition("@")[2]
    elif ":" in host and "@" in path:
        # A password with a slash in it: what looks like a host and a port is a user and a password.
        host, slash, path = path.rpartition("@")[2].partition("/")
    place = re.split(r"[?#]", f"{host}{slash}{path}", maxsplit=1)[0]
    return f"{scheme}://" + _NAMED_SECRET.sub(r"\g<1>***", place)
