"""The files that ship with Sepcam, and where they lie, in a checkout as in an installed wheel."""

from importlib import resources
from pathlib import Path


def demo_clip() -> Path:
    """The sample clip: 11 s of 540x360 video with people near the camera, see assets/README.md."""
    return Path(str(resources.files(__name__) / "market-street.mp4"))
