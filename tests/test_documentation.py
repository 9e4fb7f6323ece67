"""The documents name files, headings and commands that exist."""

import re
from pathlib import Path

import pytest
import typer
from sepcam.app import cli

TOP = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    *(TOP / name for name in ("README.md", "CONTRIBUTING.md", "tests/README.md")),
    *(TOP / "app").glob("*.md"),
    *(TOP / "pipelines").glob("*.md"),
    *(TOP / "models").glob("*.md"),
]
PATH = re.compile(r"`((?:app|models|pipelines|tests|assets|\.ci)/[\w/.-]*)`")


def text_of(path: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The names by which links reach a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_paths_and_links_lead_somewhere(document):
    text = text_of(document)
    assert {path for path in PATH.findall(text) if not (TOP / path).exists()} == set()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith("http"):
            file, _, anchor = target.partition("#")
            goal = document.parent / file if file else document
            assert goal.exists(), target
            assert not anchor or anchor in anchors(goal), target


def test_contributing_leads_each_wish_to_files():
    table = re.search(r"\| I want to .*?\n\n", (TOP / "CONTRIBUTING.md").read_text(), re.DOTALL)[0]
    rows = [line.split("|")[2] for line in table.strip().splitlines()[2:]]
    assert len(rows) > 20
    for row in rows:
        named = PATH.findall(row) + re.findall(r"\]\(([^)#]+)", row)
        assert named, row
        assert all((TOP / path).exists() for path in named), row


@pytest.mark.parametrize("package", ["app", "models", "pipelines"])
def test_the_document_of_a_package_names_each_of_its_folders(package):
    text = (TOP / package / "README.md").read_text()
    folders = {str(path.parent.relative_to(TOP)) for path in (TOP / package).glob("*/__init__.py")}
    assert {folder for folder in folders if f"`{folder}/" not in text} == set()


def options(command) -> set[str]:
    """The long options of a command and its sub-commands."""
    names = (name for one in command.params for name in (*one.opts, *one.secondary_opts))
    own = {name for name in names if name.startswith("--")}
    return own.union(*(options(child) for child in getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(TOP)))
def test_the_options_that_a_document_names_exist(document):
    command = typer.main.get_command(cli.app)
    for name in cli.COMMANDS:
        command.load(name)
    known = options(command) | {"--help"}
    of_other_programs = re.compile("ray start|openssl|tests.soak|make (soak|bench|fuzz)|^--long")
    named = set()
    for line in document.read_text().splitlines():
        if not of_other_programs.search(line):
            named |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line))
    assert named <= known


def test_the_readme_is_short():
    assert len((TOP / "README.md").read_text().splitlines()) <= 250


def test_the_make_targets_that_the_documents_name_exist():
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:`|^|PIP\S+ )make ([a-z-]+)", document.read_text(), re.MULTILINE))
        assert named <= targets, document
