"""How long events are kept, and how much room they may take."""

import re
from dataclasses import dataclass
from typing import Final

from ...models.errors import SepcamError

# No "m": who means months would lose everything after minutes.
_AGES: Final = {"min": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SIZES: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?) ?([a-z]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Keeping:
    """When the oldest events are deleted.

    Attributes:
        age_s: oldest that is kept, in seconds; None keeps all.
        size_bytes: that all events may take together; None is without a limit. The newest event stays.
    """

    age_s: float | None = None
    size_bytes: int | None = None


def parse_age(text: str) -> float:
    """Seconds of ``7d``, ``12h``, ``30min`` or ``2w``.

    Raises:
        SepcamError: If it is no such time.
    """
    match = _AMOUNT.fullmatch(text.strip())
    unit = _AGES.get(match[2].lower()) if match else None
    if match is None or unit is None or float(match[1]) <= 0:
        raise SepcamError(f"{text!r} is not a valid age: write 7d, 12h, 30min or 2w")
    return float(match[1]) * unit


def parse_size(text: str) -> int:
    """Bytes of ``500MB``, ``5GB`` or ``2GiB``.

    Raises:
        SepcamError: If it is no such size.
    """
    match = _AMOUNT.fullmatch(text.strip())
    unit = _SIZES.get(match[2].upper()) if match else None
    if match is None or unit is None or float(match[1]) <= 0:
        raise SepcamError(f"{text!r} is not a valid size: write 500MB, 5GB or 2GiB")
    return int(float(match[1]) * unit)
