"""How networks are run: options, batches, and what is kept on disk."""

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sepcam.models.errors import SepcamError
from sepcam.models.runtime.compile import compile_network, resolve
from sepcam.models.runtime.openvino_backend import compiled_path, load
from sepcam.models.runtime.options import AnySize, RuntimeOptions, split
from torch import nn

SIZE = (32, 48)


class Toy(nn.Module):
    """Two outputs of different shapes from a depthwise and a pointwise convolution."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.depthwise = nn.Conv2d(3, 3, 3, 2, 1, groups=3)
        self.pointwise = nn.Conv2d(3, 5, 1)
        for parameter in self.parameters():
            nn.init.normal_(parameter, generator=generator)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = images.permute(0, 3, 1, 2).float() / 255
        x = self.pointwise(torch.relu(self.depthwise(x)))
        return x.permute(0, 2, 3, 1), x.mean((2, 3))


def images(count: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *size, 3), np.uint8)


def reference(batch: np.ndarray) -> list[np.ndarray]:
    with torch.inference_mode():
        return [output.numpy() for output in Toy()(torch.from_numpy(batch))]


def never_built() -> nn.Module:
    raise AssertionError("the network was built though a compiled copy is on disk")


CPU = RuntimeOptions(device="cpu", precision="f32")
RUNTIMES = [replace(CPU, runtime="torch"), replace(CPU, runtime="openvino")]


@pytest.mark.parametrize("options", RUNTIMES, ids=lambda o: o.runtime)
def test_gives_what_the_network_gives_for_any_batch_size_in_any_order(options: RuntimeOptions):
    runner = compile_network(Toy(), SIZE, options, max_batch=16)
    for count in (1, 5, 2, 23, 3, 16, 4, 1):
        outputs = runner(images(count))
        assert [o.dtype for o in outputs] == [np.float32] * 2
        for output, wanted in zip(outputs, reference(images(count)), strict=True):
            np.testing.assert_allclose(output, wanted, atol=1e-5)


@pytest.mark.parametrize("options", RUNTIMES, ids=lambda o: o.runtime)
def test_takes_images_that_lie_apart_in_memory_or_cannot_be_written(options: RuntimeOptions):
    runner = compile_network(Toy(), SIZE, options)
    mirrored = images(1)[:, :, ::-1]
    np.testing.assert_allclose(runner(mirrored)[0], reference(mirrored.copy())[0], atol=1e-5)
    read_only = images(1)
    read_only.flags.writeable = False
    np.testing.assert_allclose(runner(read_only)[0], reference(images(1))[0], atol=1e-5)


@pytest.mark.parametrize("options", RUNTIMES, ids=lambda o: o.runtime)
@pytest.mark.parametrize("wrong", [images(1, (32, 32)), images(1)[0], images(1)[:0], images(1) / 255])
def test_refuses_images_that_the_network_was_not_compiled_for(options: RuntimeOptions, wrong: np.ndarray):
    runner = compile_network(Toy(), SIZE, options)
    with pytest.raises(ValueError, match="input must be"):
        runner(wrong)


def test_auto_says_what_it_came_to():
    resolved = resolve(RuntimeOptions(device="cpu"))
    assert resolved.runtime == "openvino"
    assert resolved.precision == "f32"
    assert compile_network(Toy(), SIZE, RuntimeOptions(device="cpu")).options == resolved


def test_torch_runs_in_bf16():
    runner = compile_network(Toy(), SIZE, RuntimeOptions("torch", "cpu", "bf16"))
    assert runner.options.precision == "bf16"
    outputs = runner(images(1))
    assert outputs[0].dtype == np.float32
    np.testing.assert_allclose(outputs[0], reference(images(1))[0], atol=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (RuntimeOptions("torch", "cpu", "f16"), "--precision f32 or bf16"),
        (RuntimeOptions("torch", "cpu", "int8"), "--runtime openvino"),
        (RuntimeOptions("openvino", "cuda"), "CUDA|--runtime torch"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(options: RuntimeOptions, message: str):
    with pytest.raises(SepcamError, match=message):
        resolve(options)


def test_needs_at_least_one_thread():
    with pytest.raises(SepcamError, match="at least 1"):
        RuntimeOptions(threads=0)


def test_batches_are_split_without_padding():
    assert split(7, (1, 2, 4)) == [4, 2, 1]
    assert split(3, (1,)) == [1, 1, 1]
    assert split(16, (1, 2, 4)) == [4, 4, 4, 4]


# --- the cache of compiled networks -----------------------------------------------------------------------

OPENVINO = RUNTIMES[1]


def test_a_second_start_does_not_build_the_network(cache_dir: Path):
    first = compile_network(Toy(), SIZE, OPENVINO, key="toy")
    again = compile_network(never_built, SIZE, OPENVINO, key="toy")
    np.testing.assert_array_equal(first(images(1))[0], again(images(1))[0])


def test_one_compiled_copy_serves_other_threads_and_batch_sizes(cache_dir: Path):
    compile_network(Toy(), SIZE, OPENVINO, key="toy")
    runner = compile_network(never_built, SIZE, replace(OPENVINO, threads=1), key="toy", max_batch=4)
    np.testing.assert_allclose(runner(images(3))[0], reference(images(3))[0], atol=1e-5)


def test_what_is_in_use_is_read_once(cache_dir: Path):
    first, second = (load(Toy, AnySize(size), "f32", "toy", cache_dir) for size in (SIZE, (64, 64)))
    assert first is second


def test_another_size_or_key_is_another_copy(cache_dir: Path):
    paths = {compiled_path(key, size) for key in ("a", "b") for size in ((32, 48), (48, 32))}
    assert len(paths) == 4
    assert {path.parent for path in paths} == {cache_dir / "compiled"}


@pytest.mark.parametrize("damage", ["changed", "cut", "no archive", "flags"])
def test_a_damaged_copy_is_made_anew(cache_dir: Path, damage: str):
    wanted = compile_network(Toy(), SIZE, OPENVINO, key="toy")(images(1))[0].copy()
    file = compiled_path("toy", SIZE)
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    flags = file.read_bytes()
    place = flags.index(b"PK\x01\x02") + 8
    flags = flags[:place] + b"\x01" + flags[place + 1 :]  # says that it needs a password
    damaged = {"changed": content, "cut": content[:-100], "no archive": b"?", "flags": flags}
    file.write_bytes(damaged[damage])
    runner = compile_network(Toy(), SIZE, OPENVINO, key="toy")
    np.testing.assert_array_equal(runner(images(1))[0], wanted)
    compile_network(never_built, SIZE, OPENVINO, key="toy")


def test_what_an_older_version_left_is_removed(cache_dir: Path):
    path = compiled_path("toy", SIZE)
    older = path.with_name(f"{path.name.split('.')[0]}.0123456789abcdef.zip")
    other = path.with_name("toy-1x1-f32.0123456789abcdef.zip")
    path.parent.mkdir(parents=True)
    older.touch()
    other.touch()
    compile_network(Toy(), SIZE, OPENVINO, key="toy")
    assert sorted(path.parent.iterdir()) == sorted([path, other])


def test_nothing_is_left_beside_the_compiled_copy(cache_dir: Path):
    compile_network(Toy(), SIZE, OPENVINO, key="toy")
    assert list((cache_dir / "compiled").iterdir()) == [compiled_path("toy", SIZE)]


def test_without_a_key_nothing_is_written(cache_dir: Path):
    compile_network(Toy(), SIZE, OPENVINO)
    assert not cache_dir.exists()


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SepcamError, match=r"cannot write to the folder .* SEPCAM_CACHE names another place"):
        compile_network(Toy(), SIZE, OPENVINO, key="toy", cache_dir=blocked)


def test_a_warm_start_never_imports_torch(cache_dir: Path):
    compile_network(Toy(), SIZE, OPENVINO, key="toy")
    script = """
        import sys
        import numpy as np
        from sepcam.models.runtime.compile import RuntimeOptions, compile_network
        options = RuntimeOptions("openvino", "cpu", "f32")
        runner = compile_network(lambda: sys.exit("built"), (32, 48), options, key="toy", max_batch=4)
        runner(np.zeros((3, 32, 48, 3), np.uint8))
        assert "torch" not in sys.modules
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(script)], check=True, timeout=60)
