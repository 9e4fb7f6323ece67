"""Writes the API reference of every module into the folder sepcam-docs (run by ``make docs``)."""

import importlib
from pathlib import Path

import pdoc
import sepcam

PACKAGES = ("app", "models", "pipelines")
OUT = Path("sepcam-docs")


def main() -> None:
    """Imports all packages and lets pdoc write a page for each of their modules."""
    sepcam.__path__.append(str(Path.cwd()))  # pdoc finds modules by folder, and these lie beside, not inside
    inits = [path for package in PACKAGES for path in sorted(Path(package).rglob("__init__.py"))]
    folders = {".".join(("sepcam", *path.parent.parts)): path.parent for path in inits}
    show("sepcam", list(PACKAGES))
    for name, folder in folders.items():
        modules = sorted([*folder.glob("[!_]*.py"), *(init.parent for init in folder.glob("*/__init__.py"))])
        show(name, [path.stem for path in modules])
    pdoc.render.configure(docformat="google", show_source=False)
    pdoc.pdoc("sepcam", "!sepcam.app.package", output_directory=OUT)
    print(f"API reference -> {OUT / 'index.html'}")


def show(name: str, children: list[str]) -> None:
    """Makes a package's lazy names real and adds its modules to ``__all__``: pdoc shows nothing else."""
    package = importlib.import_module(name)
    if exported := getattr(package, "__all__", None):
        for lazy in exported:
            setattr(package, lazy, getattr(package, lazy))
        package.__all__ = [*exported, *children]


if __name__ == "__main__":
    main()
