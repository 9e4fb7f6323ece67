"""An event as it is stored: a folder with a clip, a thumbnail, and what happened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

CLIP: Final = "clip.mp4"
THUMBNAIL: Final = "thumbnail.jpg"
FACTS: Final = "event.json"
FORMAT: Final = "sepcam-event"
VERSION: Final = 1

_WORDS: Final = ("source", "rule", "kind", "zone", "time")
_FIGURES: Final = ("time_unix", "before_s", "seconds")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What happened, and how long its clip is.

    Attributes:
        id: name of its folder.
        source: name of the source.
        rule: the rule that started it, as it was written.
        kind: of the rule.
        zone: name of the line or zone, or "".
        time: when the rule held first, as ISO 8601 with the offset from UTC.
        time_unix: the same in seconds since 1970.
        before_s: seconds of the clip before that.
        seconds: length of the clip.
        ids: the identities that were concerned, in order.
    """

    id: str
    source: str
    rule: str
    kind: str
    zone: str
    time: str
    time_unix: float
    before_s: float = 0.0
    seconds: float = 0.0
    ids: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        rounded = {
            key: round(value, 3) if isinstance(value, float) else value for key, value in values.items()
        }
        return {**rounded, "ids": list(self.ids)}

    def text(self) -> str:
        """The content of its file."""
        head = {"format": FORMAT, "version": VERSION}
        files = {"clip": CLIP, "thumbnail": THUMBNAIL}
        return json.dumps({**head, **self.to_json(), "files": files}, indent=1, ensure_ascii=False) + "\n"


def read_event(folder: Path) -> StoredEvent | None:
    """The event in a folder, or None where there is no whole one."""
    try:
        content = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        if not (folder / CLIP).is_file():
            return None
    except (OSError, ValueError, RecursionError):
        return None
    return _event_of(content, folder.name)


def _event_of(content: Any, name: str) -> StoredEvent | None:  # noqa: ANN401 - any JSON
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        return None
    values: dict[str, Any] = {key: content.get(key) for key in _WORDS + _FIGURES}
    ids = content.get("ids")
    if not all(isinstance(values[key], str) for key in _WORDS) or not isinstance(ids, list):
        return None
    if not all(isinstance(values[key], int | float) for key in _FIGURES):
        return None
    return StoredEvent(id=name, **values, ids=tuple(one for one in ids if isinstance(one, int)))
