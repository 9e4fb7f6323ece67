"""The package is one import name with one-way imports and small folders, and a wheel holds all of it."""

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOP = Path(__file__).resolve().parents[2]
LAYERS = ("models", "pipelines", "app")
SETUP = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["setuptools"]
ROOT = Path(SETUP["package-dir"]["sepcam"])

MOST_LINES = 400
MOST_MODULES = 14


def run(code: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = os.environ | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, env=env, capture_output=True, text=True)


def modules() -> list[Path]:
    """Every module of the package, relative to the checkout."""
    return [path.relative_to(TOP) for layer in LAYERS for path in sorted((TOP / layer).rglob("*.py"))]


def folders() -> list[Path]:
    """Every folder of the package that holds modules, relative to the checkout."""
    return sorted({path.parent for path in modules()})


def import_name(path: Path) -> str:
    """``sepcam.models.types`` for models/types.py, ``sepcam.models`` for models or models/__init__.py."""
    path = path.parent if path.name == "__init__.py" else path.with_suffix("")
    return ".".join(("sepcam", *(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).parts))


@cache
def imports() -> dict[Path, set[Path]]:
    """For each module the modules that it imports anywhere in its text, for types alone too."""
    by_name = {import_name(path): path for path in modules()}
    found: dict[Path, set[Path]] = {}
    for name, path in by_name.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        wanted = set()
        for node in ast.walk(ast.parse((TOP / path).read_text())):
            if isinstance(node, ast.ImportFrom):
                parents = package.split(".")
                base = ".".join(parents[: len(parents) + 1 - node.level]) if node.level else ""
                base = ".".join(part for part in (base, node.module) if part)
                wanted |= {f"{base}.{a.name}" if f"{base}.{a.name}" in by_name else base for a in node.names}
            elif isinstance(node, ast.Import):
                wanted |= {alias.name for alias in node.names}
        found[path] = {by_name[name] for name in wanted if name in by_name} - {path}
    return found


def node(path: Path) -> Path:
    """The folder of a module; a module that lies directly in models, pipelines or app stands for itself."""
    return path if len(path.parts) == 2 else path.parent


def cycles(graph: dict[Path, set[Path]]) -> list[set[Path]]:
    """The groups of two or more nodes that reach each other."""
    reach = {}
    for start in graph:
        seen: set[Path] = set()
        ahead = list(graph[start])
        while ahead:
            if (current := ahead.pop()) not in seen:
                seen.add(current)
                ahead += graph.get(current, ())
        reach[start] = seen
    groups = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in graph if a in reach[a]}
    return [set(group) for group in groups if len(group) > 1]


@pytest.mark.parametrize("folder", [*LAYERS, "assets"])
def test_no_folder_of_the_checkout_becomes_a_top_level_package(folder, tmp_path):
    assert "ModuleNotFoundError" in run(f"import {folder}", tmp_path).stderr
    assert run(f"import sepcam.{folder}", tmp_path).returncode == 0


def test_the_full_install_leaves_opencv_working(tmp_path):
    done = run("import cv2, numpy; print(cv2.resize(numpy.zeros((4, 4, 3), 'u1'), (2, 2)).shape)", tmp_path)
    assert done.stdout.strip() == "(2, 2, 3)"


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_from_app_to_pipelines_to_models(layer):
    allowed = set(LAYERS[: LAYERS.index(layer) + 1])
    for path, imported in imports().items():
        if path.parts[0] == layer:
            assert {other.parts[0] for other in imported} <= allowed, path


def test_modules_do_not_import_each_other_in_a_circle():
    assert cycles(imports()) == []


def test_folders_do_not_import_each_other_in_a_circle():
    graph: dict[Path, set[Path]] = {}
    for path, imported in imports().items():
        graph.setdefault(node(path), set()).update(node(other) for other in imported)
    graph = {start: targets - {start} for start, targets in graph.items()}
    assert cycles(graph) == []


@pytest.mark.parametrize("folder", folders(), ids=str)
def test_each_folder_says_what_it_holds_and_is_small(folder):
    text = ast.get_docstring(ast.parse((TOP / folder / "__init__.py").read_text())) or ""
    assert text.split("\n\n")[0].endswith(".")
    assert (
        len([path for path in modules() if path.parent == folder and path.name != "__init__.py"])
        <= MOST_MODULES
    )


@pytest.mark.parametrize("folder", folders(), ids=str)
def test_each_folder_exports_names_that_exist(folder):
    package = importlib.import_module(import_name(folder))
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name) is not None


def test_no_module_is_long():
    assert {str(p) for p in modules() if len((TOP / p).read_text().splitlines()) > MOST_LINES} == set()


def tracked() -> list[Path]:
    """The files of the package that git knows, relative to the checkout, without what it does not run."""
    if not (TOP / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", *LAYERS, "assets"], cwd=TOP, capture_output=True, text=True)
    files = [Path(line) for line in listed.stdout.splitlines() if (TOP / line).exists()]
    images = {".jpg", ".png"}
    return [
        path
        for path in files
        if not (path.parts[0] in LAYERS and path.suffix == ".md")
        and not (path.parts[0] == "assets" and path.suffix in images)
        and path.parent.parts[:4] != ("app", "web", "device", "source")
    ]


def test_the_list_of_packages_is_the_folders():
    assert set(SETUP["packages"]) == {import_name(path.parent / "__init__.py") for path in tracked()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A folder with the unpacked wheel, built from a copy of the checkout."""
    work = tmp_path_factory.mktemp("wheel")
    for path in [*tracked(), *map(Path, ("pyproject.toml", "README.md", "LICENSE", "NOTICE"))]:
        (work / "src" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TOP / path, work / "src" / path)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "-w", ".", "./src"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(work.glob("sepcam-*.whl"))) as archive:
        archive.extractall(work / "unpacked")
    return work / "unpacked"


def test_a_wheel_holds_every_file_of_the_package(wheel):
    def place(path: Path) -> Path:
        return Path("sepcam", path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)

    held = {p.relative_to(wheel) for p in (wheel / "sepcam").rglob("*") if p.is_file()}
    assert held == {place(path) for path in tracked()}
    assert {path.name for path in wheel.iterdir()} == {
        "sepcam",
        f"sepcam-{metadata.version('sepcam')}.dist-info",
    }


@pytest.mark.parametrize("installed", ["from a wheel", "editable"])
def test_importing_sepcam_gives_its_main_names_and_loads_nothing_heavy(installed, request, tmp_path):
    path = request.getfixturevalue("wheel") if installed == "from a wheel" else None
    heavy = "len({'torch', 'cv2'} & {*sys.modules})"
    quick = f"import sys, sepcam; print(sepcam.__file__, sepcam.__version__, {heavy})"
    done = run(quick, tmp_path, path)
    assert done.returncode == 0, done.stderr
    file, version, loaded = done.stdout.split()
    assert Path(file).is_relative_to(path or TOP)
    assert version == metadata.version("sepcam")
    assert loaded == "0"
    every = "import sepcam; print(*[getattr(sepcam, name) for name in sepcam.__all__]); sepcam.nothing"
    done = run(every, tmp_path, path)
    assert "class 'sepcam.pipelines.pipeline.Pipeline'" in done.stdout
    assert "module 'sepcam' has no attribute 'nothing'" in done.stderr


def test_python_m_sepcam_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sepcam", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == f"sepcam {metadata.version('sepcam')}\n"


def test_install_completion_teaches_bash_the_commands(tmp_path):
    env = os.environ | {"HOME": str(tmp_path)}
    install = f"'{sys.executable}' -m sepcam --install-completion; true"
    done = subprocess.run(["bash", "-c", install], env=env, capture_output=True, text=True)
    assert "completion installed" in done.stdout, done.stderr
    assert "sepcam" in (tmp_path / ".bashrc").read_text()
    asked = {"_SEPCAM_COMPLETE": "complete_bash", "COMP_WORDS": "sepcam pro", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "sepcam"]
    assert subprocess.run(command, env=env | asked, capture_output=True, text=True).stdout == "process\n"


def test_a_type_checker_resolves_sepcam_outside_its_folders(tmp_path):
    if not (TOP / ".venv" / "editor").is_dir():
        pytest.skip("`make setup` makes the links")
    script = tmp_path / "script.py"
    script.write_text(
        "import sepcam\nfrom sepcam.pipelines import Pipeline\n"
        "reveal_type(sepcam.Pipeline)\nreveal_type(Pipeline)\nsepcam.Pipeline().nothing\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", script], cwd=TOP, capture_output=True, text=True
    )
    said = [
        (d["severity"], d["message"].splitlines()[0]) for d in json.loads(done.stdout)["generalDiagnostics"]
    ]
    assert said == [
        ("information", 'Type of "sepcam.Pipeline" is "type[Pipeline]"'),
        ("information", 'Type of "Pipeline" is "type[Pipeline]"'),
        ("error", 'Cannot access attribute "nothing" for class "Pipeline"'),
    ]


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


def test_the_citation_names_this_version():
    citation = (TOP / "CITATION.cff").read_text()
    version = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == version
