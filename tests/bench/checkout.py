"""``import sepcam`` where Sepcam is not installed: out of the checkout that this file is in."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make_importable() -> None:
    """Lets ``sepcam`` be imported; does nothing where it can be already."""
    if importlib.util.find_spec("sepcam") is not None:
        return
    package = ROOT / "app" / "package"
    places = [str(package), str(ROOT)]  # sepcam.models is models/, as in pyproject.toml
    spec = importlib.util.spec_from_file_location(
        "sepcam", package / "__init__.py", submodule_search_locations=places
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sepcam"] = module
    spec.loader.exec_module(module)
