"""A comparison's report as one self-contained HTML page: no network access, no other file."""

import json
from importlib import resources
from typing import Any

from ...models.types import U8
from ..terminal.images import image_url


def page(report: dict[str, Any], image: U8 | None, caption: str = "") -> str:
    """The page's text.

    Args:
        report: the content of the JSON file.
        image: (H, W, 3) uint8 BGR, both backbones on one frame; or None.
        caption: of the image.
    """
    files = resources.files("sepcam.app.compare") / "report_page"
    shown = None if image is None else {"data": image_url(image), "caption": caption}
    # Inside a script element only "</" and "<!--" could end or change it.
    data = json.dumps({"report": report, "image": shown}, allow_nan=False).replace("<", "\\u003c")
    text = (files / "page.html").read_text(encoding="utf-8")
    for place, content in (
        ("/*STYLE*/", (files / "page.css").read_text(encoding="utf-8")),
        ("/*SCRIPT*/", (files / "page.js").read_text(encoding="utf-8")),
        ("/*DATA*/", data),
    ):
        text = text.replace(place, content)
    return text
