"""The weights that ship with Sepcam are there, whole, small, and documented."""

from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from sepcam.app.cli import main
from sepcam.models.errors import SepcamError
from sepcam.models.registry import find
from sepcam.models.trained import save_trained
from sepcam.models.weights.bundled import bundled_file, read_bundled
from sepcam.models.weights.store import WeightStore


@pytest.fixture
def path():
    path = bundled_file(find("people"))
    assert path is not None
    return path


def test_the_file_is_half_precision_small_and_has_a_card(path):
    assert path.stat().st_size <= 10e6
    with safe_open(path, framework="pt") as file:
        assert {str(file.get_tensor(name).dtype) for name in file.keys()} == {"torch.float16"}  # noqa: SIM118
        assert {"license", "source", "recipe", "figures"} <= file.metadata().keys()
    assert path.with_name("people.md").is_file()


def test_the_store_needs_no_cache_for_it(path, tmp_path):
    store = WeightStore(tmp_path / "cache")
    assert store.is_cached("people") and store.verify("people") == "ok"
    assert store.fetch("people") == store.path("people") == path
    assert not (tmp_path / "cache").exists()


def test_networks_of_other_origin_are_not_bundled():
    assert bundled_file(find("yolox-nano")) is None


def test_a_part_is_read_in_full_precision(path):
    state = read_bundled(path, "mask")
    assert "last.conv.weight" in state
    assert {str(value.dtype) for value in state.values()} == {"torch.float32"}


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "people.safetensors"
    path.write_bytes(b"no safetensors")
    with pytest.raises(SepcamError, match="copy or install it again"):
        read_bundled(path)


def test_a_shipped_file_that_is_damaged_is_not_used(tmp_path):
    store = WeightStore(tmp_path, registry={"people": replace(find("people"), sha256="0" * 64)})
    with pytest.raises(SepcamError, match="is damaged: copy or install it again"):
        store.load("people")


def test_verify_says_how_to_mend_a_shipped_file(monkeypatch, capsys):
    monkeypatch.setattr(WeightStore, "verify", lambda self, name: "damaged")
    with pytest.raises(SystemExit) as ended:
        main(["models", "verify"])
    assert ended.value.code == 2
    said = capsys.readouterr().out
    assert "people: DAMAGED: install Sepcam again" in said
    assert "yolox-nano: DAMAGED: the next use fetches it again" in said


@pytest.mark.parametrize(
    ("change", "found"),
    [({}, "nothing"), ({"mask.last.conv.bias": torch.zeros(3)}, "(3,)")],
    ids=["lacking", "of another shape"],
)
def test_a_trained_file_that_does_not_fit_is_told_in_one_line(change, found, tmp_path, capsys):
    weights = WeightStore().load("people")
    del weights["mask.last.conv.bias"]
    file = tmp_path / "mine.safetensors"
    save_trained(file, weights | change, {"network": "people"})
    with pytest.raises(SystemExit) as ended:
        main(["models", "export", str(file), "-o", str(tmp_path / "mine.onnx")])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert (
        f"does not fit this version of the network (mask.last.conv.bias should be (1,), is {found})" in said
    )
    assert "bug" not in said
    assert not (tmp_path / "mine.onnx").exists()
