"""A comparison's report as one self-contained HTML page: no network access, no other file."""

import base64
import json
from importlib import resources
from typing import Any

import cv2

from ...models.types import U8

_QUALITY = 85


def page(report: dict[str, Any], image: U8 | None, caption: str = "") -> str:
    """The page's text.

    Args:
        report: the content of the JSON file.
        image: (H, W, 3) uint8 BGR, both backbones on one frame; or None.
        caption: of the image.
    """
    files = resources.files("sepcam.app.compare") / "report_page"
    shown = None if image is None else {"data": _as_url(image), "caption": caption}
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


def _as_url(image: U8) -> str:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
