"""The weights that ship with Sepcam are there, whole, small, and documented."""

import pytest
from safetensors import safe_open
from sepcam.models.errors import SepcamError
from sepcam.models.registry import find
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
