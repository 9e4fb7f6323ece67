"""Whether this machine can show a window; asked first, since Qt ends the whole process if not."""

import os
import re
import socket
import sys
from pathlib import Path

import cv2

from ...models.errors import SepcamError

_ELSE = "watch in a browser with 'sepcam serve', or go without: --headless --record out.mp4"


def check() -> None:
    """Makes sure that a window can be opened.

    Raises:
        SepcamError: If OpenCV was built without windows, or there is no display.
    """
    found = re.search(r"GUI:\s*(\S+)", cv2.getBuildInformation())
    if found is None or found[1] == "NONE":
        raise SepcamError(f"this OpenCV has no windows (opencv-python-headless): {_ELSE}")
    if not sys.platform.startswith("linux"):
        return
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise SepcamError(f"there is no display here (DISPLAY is not set): {_ELSE}")
    if not _answers(display):
        raise SepcamError(f"the display {display} does not answer: {_ELSE}")


def _answers(display: str) -> bool:
    """Whether an X server listens at ``[host]:number[.screen]``."""
    match = re.fullmatch(r"(?:unix)?([^:]*):(\d+)(?:\.\d+)?", display)
    if match is None:
        return Path(display).exists()  # macOS names a socket
    host, number = match[1], int(match[2])
    if host:
        places = [(socket.AF_INET, (host, 6000 + number))]
    else:
        path = f"/tmp/.X11-unix/X{number}"
        places = [(socket.AF_UNIX, path), (socket.AF_UNIX, f"\0{path}")]
    for family, address in places:
        with socket.socket(family) as server:
            server.settimeout(3.0)
            try:
                server.connect(address)
            except OSError:
                continue
            return True
    return False
