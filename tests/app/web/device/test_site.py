"""The folder of the page: whole files, whatever became of those in the cache."""

from pathlib import Path

import pytest
from sepcam.app.cli import main
from sepcam.app.web.device import networks


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows whenever the network files are made; they are small."""
    times: list[int] = []

    def graphs() -> dict[str, bytes]:
        times.append(len(times))
        return {name: name.encode() for name in networks.FILES}

    monkeypatch.setattr(networks, "_graphs", graphs)
    return times


def test_network_files_are_made_once(made: list[int], tmp_path: Path):
    folder = networks.network_folder(tmp_path)
    assert networks.network_folder(tmp_path) == folder
    assert made == [0]
    assert folder.stat().st_mode == folder.parent.stat().st_mode  # whoever may read the cache may read them


def test_what_a_killed_process_left_is_cleared(made: list[int], tmp_path: Path):
    name = networks.version()
    (tmp_path / "device" / f".{name}.abc" / "new").mkdir(parents=True)
    networks.network_folder(tmp_path)
    assert {path.name for path in (tmp_path / "device").iterdir()} == {name, f"{name}.lock"}


@pytest.mark.parametrize("damage", ["missing", "cut", "changed", "all gone", "no sums"])
def test_network_files_that_are_missing_or_damaged_are_made_again(
    made: list[int], damage: str, tmp_path: Path
):
    folder = networks.network_folder(tmp_path)
    file = folder / "weights.bin"
    if damage == "missing":
        file.unlink()
    elif damage == "all gone":
        for one in folder.iterdir():
            one.unlink()
    elif damage == "no sums":
        (folder / "sha256.json").write_text("")
    else:
        file.write_bytes({"cut": b"weights", "changed": b"weights.bim"}[damage])
    assert networks.network_folder(tmp_path) == folder
    assert file.read_bytes() == b"weights.bin"
    assert made == [0, 1]
    assert sorted(path.suffix for path in folder.parent.iterdir()) == [folder.suffix, ".lock"]


def test_a_file_in_place_of_the_folder_is_told(made: list[int], tmp_path: Path, capsys):
    file = tmp_path / "site"
    file.write_text("mine")
    for words in ([], ["--overwrite"]):
        with pytest.raises(SystemExit) as ended:
            main(["export", "-o", str(file), *words])
        assert ended.value.code == 2
        assert capsys.readouterr().err == f"error: {file} is a file: name a folder\n"
    assert file.read_text() == "mine"
