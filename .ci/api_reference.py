"""Writes the API reference of every module into the folder sepcam-docs (run by ``make docs``)."""

import importlib
from pathlib import Path

import pdoc

PACKAGES = ("app", "models", "pipelines")
OUT = Path("sepcam-docs")


def main() -> None:
    """Imports all packages and lets pdoc write a page for each of their modules."""
    inits = [path for package in PACKAGES for path in sorted(Path(package).rglob("__init__.py"))]
    folders = {".".join(("sepcam", *path.parent.parts)): path.parent for path in inits}
    for name in ("sepcam", *folders):
        module = importlib.import_module(name)
        if exported := getattr(module, "__all__", None):
            # pdoc sees only names that are there already, and of a package with __all__ only what that names.
            for lazy in exported:
                setattr(module, lazy, getattr(module, lazy))
            children = (path for path in folders.get(name, Path()).iterdir() if name in folders)
            module.__all__ = [*exported, *(path.stem for path in children if not path.stem.startswith("_"))]
    pdoc.render.configure(docformat="google", show_source=False)
    pdoc.pdoc(
        "sepcam", *(f"sepcam.{package}" for package in PACKAGES), "!sepcam.app.package", output_directory=OUT
    )
    print(f"API reference -> {OUT / 'index.html'}")


if __name__ == "__main__":
    main()
