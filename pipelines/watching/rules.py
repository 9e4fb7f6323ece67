"""Rules: what has to happen in the image for an event to be recorded, and how rules are written.

person in Yard for 3 s
line Door crossed in
more than 5 people
at least 2 cars in Lot for 10 s
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from ...models.errors import SepcamError
from ..analytics.zones import Zone
from ..events import Direction

RuleKind = Literal["presence", "line", "count"]

ANYTHING: Final = "anything"
"""The label of a rule that takes every class."""

_FORMS: Final = "'person in ZONE for 3 s', 'line LINE crossed in' or 'more than 5 people in ZONE'"
_MOST_TEXT: Final = 200
_SYNONYMS: Final = {
    **dict.fromkeys(("people", "anyone", "anybody", "someone", "somebody"), "person"),
    **dict.fromkeys(("something", "object", "objects"), ANYTHING),
}
_FOR: Final = r"(?: for (?P<seconds>\d+(?:\.\d+)?) ?(?P<unit>s|secs?|seconds?|mins?|minutes?))?"
_LINE: Final = re.compile(
    r"(?P<place>.+?) (?:is )?crossed(?: (?P<direction>in|out))?(?: by (?P<label>.+))?", re.IGNORECASE
)
_COUNT: Final = re.compile(
    r"(?P<bound>more than|at least) (?P<number>\d+)(?: (?P<label>(?!in |for ).+?))?"
    rf"(?: in (?P<place>.+?))?{_FOR}",
    re.IGNORECASE,
)
_PRESENCE: Final = re.compile(rf"(?P<label>.+?) in (?P<place>.+?){_FOR}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """What has to happen.

    Attributes:
        text: as it was written, with single spaces.
        kind: ``presence``: somebody stays in a zone; ``line``: somebody crosses a line; ``count``: more than
            some are there.
        label: the class, or `ANYTHING`.
        place: name of the line or zone; "" is the whole frame.
        seconds: for how long it has to be so.
        direction: over a line; "" is either.
        more_than: a count has to be above it.
    """

    text: str
    kind: RuleKind
    label: str = "person"
    place: str = ""
    seconds: float = 0.0
    direction: Direction = ""
    more_than: int = 0

    def takes(self, label: str) -> bool:
        """Whether it is about objects of a class."""
        return self.label in (ANYTHING, label)

    def __str__(self) -> str:
        """As it was written."""
        return self.text


def parse_rule(text: str) -> Rule:
    """Reads a rule.

    Args:
        text: ``CLASS in ZONE [for N s]``, ``line LINE crossed [in|out] [by CLASS]``, or
            ``more than N [CLASS] [in ZONE] [for N s]``, also with ``at least``. A class is the detector's
            name for it, in the singular or plural, or ``anything``; without one it is ``person``.

    Raises:
        SepcamError: If it is no such rule.
    """
    words = " ".join(text.split())
    wrong = SepcamError(f"{words[:_MOST_TEXT]!r} is not a valid rule: write {_FORMS}")
    if not words.isprintable() or len(words) > _MOST_TEXT:
        raise wrong
    if match := _COUNT.fullmatch(words):
        number = int(match["number"])
        if match["bound"].lower() == "at least":
            if number == 0:
                raise SepcamError(f"{words!r} is always so: write 'at least 1' or more")
            number -= 1
        label, place = _label(match["label"] or "person"), match["place"] or ""
        return Rule(words, "count", label, place, _seconds(match), more_than=number)
    if match := _LINE.fullmatch(words):
        label = _label(match["label"] or "person")
        direction: Direction = "out" if (match["direction"] or "").lower() == "out" else "in"
        return Rule(words, "line", label, match["place"], direction=direction if match["direction"] else "")
    if match := _PRESENCE.fullmatch(words):
        return Rule(words, "presence", _label(match["label"]), match["place"], _seconds(match))
    raise wrong


def resolved(
    rules: Sequence[Rule], zones: Sequence[Zone], labels: Collection[str], *, tracked: bool = True
) -> tuple[Rule, ...]:
    """Rules with the names of lines and zones as these are called.

    Args:
        rules: as they were read.
        zones: the lines and zones that are watched.
        labels: names of the classes that are reported.
        tracked: whether identities are known, which lines and zones need.

    Raises:
        SepcamError: If a rule names a line, a zone or a class that is not there, or is given twice.
    """
    found = [_resolved(rule, zones, labels) for rule in rules]
    for number, rule in enumerate(found):
        if rule.text in {other.text for other in found[:number]}:
            raise SepcamError(f"the rule {rule.text!r} is given twice")
        if rule.place and not tracked:
            raise SepcamError(f"the rule {rule.text!r} needs tracking: add track to the tasks")
    return tuple(found)


def _resolved(rule: Rule, zones: Sequence[Zone], labels: Collection[str]) -> Rule:
    singulars = (rule.label, rule.label.removesuffix("s"), rule.label.removesuffix("es"))
    named = [name for one in singulars for name in labels if name.casefold() == one]
    label = named[0] if named else rule.label
    if label != ANYTHING and not named:
        seen = ", ".join(sorted(labels)[:8])
        raise SepcamError(
            f"the rule {rule.text!r} is about {label!r}, which is not reported ({seen}): "
            "add it to --classes, or check its spelling"
        )
    if not rule.place:
        return replace(rule, label=label)
    kind = "line" if rule.kind == "line" else "zone"
    names = [zone.name for zone in zones if zone.kind == kind]
    # A line may itself be called "line 1".
    wanted = [rule.place, rule.place.removeprefix(f"{kind} ")]
    for name in wanted:
        same = [one for one in names if one == name] or [
            one for one in names if one.casefold() == name.casefold()
        ]
        if same:
            return replace(rule, label=label, place=same[0])
    there = f"there is {', '.join(names)}" if names else f"there is no {kind}"
    raise SepcamError(
        f"the rule {rule.text!r} names no {kind} that is watched ({there}): add --{kind} {wanted[1]}:..."
    )


def _seconds(match: re.Match[str]) -> float:
    seconds = float(match["seconds"] or 0)
    return seconds * 60 if (match["unit"] or "").lower().startswith("min") else seconds


def _label(words: str) -> str:
    """A class as it was written, without an article; the plural is left to `_resolved`."""
    label = re.sub(r"^an? ", "", words.casefold())
    return _SYNONYMS.get(label, label)
