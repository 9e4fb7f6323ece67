"""The package is one import name, its imports go one way, and it brings what it says."""

import ast
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
LAYERS = ("models", "pipelines", "app")


def run(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)


@pytest.mark.parametrize("folder", [*LAYERS, "assets"])
def test_no_folder_of_the_checkout_becomes_a_top_level_package(folder, tmp_path):
    assert "ModuleNotFoundError" in run(f"import {folder}", tmp_path).stderr
    assert run(f"import sepcam.{folder}", tmp_path).returncode == 0


def test_the_full_install_leaves_opencv_working(tmp_path):
    done = run("import cv2, numpy; print(cv2.resize(numpy.zeros((4, 4, 3), 'u1'), (2, 2)).shape)", tmp_path)
    assert done.stdout.strip() == "(2, 2, 3)"


def imported_layers(path: Path) -> set[str]:
    """The layers of Sepcam that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".")
            up = node.level - len(path.relative_to(TOP).parts[:-1])
            found |= {parts[0]} if up == 1 else set()
            found |= {parts[1]} if parts[0] == "sepcam" and len(parts) > 1 else set()
        elif isinstance(node, ast.Import):
            found |= {n.name.split(".")[1] for n in node.names if n.name.startswith("sepcam.")}
    return found & set(LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_from_app_to_pipelines_to_models(layer):
    allowed = set(LAYERS[: LAYERS.index(layer) + 1])
    for path in sorted((TOP / layer).rglob("*.py")):
        assert imported_layers(path) <= allowed, path


def test_every_extra_is_part_of_all():
    about = metadata.metadata("sepcam")
    (everything,) = [line for line in metadata.requires("sepcam") or [] if line.endswith('extra == "all"')]
    assert set(everything.split("[")[1].split("]")[0].split(",")) == {*about.get_all("Provides-Extra")} - {
        "all"
    }


def test_the_core_does_not_depend_on_ultralytics():
    core = [line for line in metadata.requires("sepcam") or [] if "extra ==" not in line]
    assert core
    assert not any("ultralytics" in line for line in core)


def test_the_sample_clip_ships_with_its_source_noted():
    assets = resources.files("sepcam.assets")
    assert (assets / "market-street.mp4").read_bytes()[4:8] == b"ftyp"
    assert "public domain" in (assets / "README.md").read_text()
