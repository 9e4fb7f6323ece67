"""The weights that ship are there, say what they are, and a damaged file is refused with one line."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from sepcam.models.errors import SepcamError
from sepcam.models.weights.bundled import bundled_file, read_part


def test_the_people_weights_are_half_floats_and_small():
    path = bundled_file("people")
    assert path.stat().st_size < 10e6
    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
        assert {file.get_tensor(name).dtype for name in names} == {torch.float16}
        assert {name.split(".")[0] for name in names} == {"people", "mask"}


def test_the_people_weights_bring_their_card():
    with safe_open(bundled_file("people"), framework="pt") as file:
        card = file.metadata()
    assert {"name", "license", "source", "data", "recipe", "figures", "convs"} <= card.keys()
    assert card["license"] == "Apache-2.0" and "Google" in card["source"]
    assert bundled_file("people").with_name("people.md").is_file()


def test_weights_are_read_as_floats_under_the_modules_names():
    state = read_part(bundled_file("people"), "mask")
    assert state["stem.conv.weight"].dtype == torch.float32
    assert not any(name.startswith("mask.") for name in state)


def test_weights_that_do_not_ship_are_missed():
    with pytest.raises(SepcamError, match=r"nobody\.safetensors is missing: install sepcam again"):
        bundled_file("nobody")


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "p.safetensors"
    save_file({"mask.a": torch.zeros(300)}, path)
    with pytest.raises(SepcamError, match="has no weights of 'people'"):
        read_part(path, "people")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SepcamError, match=r"p\.safetensors cannot be read"):
        read_part(path, "mask")
    with pytest.raises(SepcamError, match="cannot be read"):
        read_part(tmp_path / "none.safetensors", "mask")
