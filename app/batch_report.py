"""How a job stands, and what came of it, as tables."""

from pathlib import Path


def show_status(out: Path) -> None:
    """Prints how far the job in an output folder is."""
