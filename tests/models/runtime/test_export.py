"""Exported files compute what torch computes, with any batch size, and appear whole or not at all."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import torch
from sepcam.app.cli import main
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conversion import as_kind
from sepcam.models.registry import REGISTRY
from sepcam.models.runtime.export import SUFFIXES, TOLERANCE, export
from sepcam.models.weights.store import WeightStore
from torch import nn

SMALL = (64, 96)  # takes any size and little time
OUTPUTS = REGISTRY["yolox-nano"].outputs


def sepcam(*words: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(words)
    return int(exit_.value.code or 0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return REGISTRY["yolox-nano"].build().eval()


@pytest.mark.parametrize("backbone", ["separable", "standard"])
@pytest.mark.parametrize("format", SUFFIXES)
def test_every_format_and_backbone_agrees_with_torch(network, format, backbone, tmp_path):
    path = tmp_path / "new" / f"network{SUFFIXES[format]}"
    differences = export(as_kind(network, backbone), SMALL, OUTPUTS, format, path)
    assert [d.output for d in differences] == ["predictions"]
    assert all(0 <= d.share <= TOLERANCE and d.scale > 0 for d in differences)
    written = {file.suffix for file in path.parent.iterdir()}
    assert written == ({".xml", ".bin"} if format == "openvino" else {path.suffix})


@pytest.mark.parametrize("name", ["ssdlite320-mobilenet-v3-large", "selfie-segmentation"])
def test_networks_with_other_kinds_of_layers_can_be_exported(name, tmp_path):
    torch.manual_seed(0)
    info = REGISTRY[name]
    differences = export(
        REGISTRY[name].build().eval(), info.input_size, info.outputs, "onnx", tmp_path / "network.onnx"
    )
    assert [d.output for d in differences] == list(info.outputs)


def test_the_landmark_network_takes_any_batch_and_names_its_outputs(tmp_path, capsys):
    path = tmp_path / "lite.onnx"
    assert sepcam("models", "export", "blazepose-lite", "-o", str(path)) == 0
    said = capsys.readouterr().out
    assert "takes images (B, 256, 256, 3) uint8 BGR, any batch size B" in said
    assert "gives landmarks (B, 195); largest difference from torch" in said

    network = REGISTRY["blazepose-lite"].build().eval()
    network.load_state_dict(WeightStore().load("blazepose-lite"))
    compiled = ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert [output.any_name for output in compiled.outputs] == list(REGISTRY["blazepose-lite"].outputs)
    for batch in (1, 5):
        images = np.random.default_rng(batch).integers(0, 256, (batch, 256, 256, 3), np.uint8)
        with torch.inference_mode():
            wanted = network(torch.from_numpy(images))
        np.testing.assert_allclose(compiled(images)["landmarks"], wanted[0].numpy(), atol=0.05)


def test_a_file_that_exists_is_replaced_only_on_request(tmp_path, capsys):
    for taken in ("net.xml", "net.bin"):
        (tmp_path / "net.xml").unlink(missing_ok=True)
        (tmp_path / taken).write_text("mine")
        words = (
            "models",
            "export",
            "ssdlite-person",
            "--format",
            "openvino",
            "-o",
            str(tmp_path / "net.xml"),
        )
        assert sepcam(*words) == 2
        assert f"{taken} exists: use --overwrite" in capsys.readouterr().err
        assert (tmp_path / taken).read_text() == "mine"
    assert sepcam(*words, "--overwrite") == 0
    assert (tmp_path / "net.bin").stat().st_size > 1e6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("no-such-network",), "unknown model 'no-such-network'"),
        (("ssdlite-person", "-o", "net.xml"), "a file in the format onnx ends in .onnx"),
        (("ssdlite-person", "--format", "openvino", "-o", "."), "a file in the format openvino ends in .xml"),
        (("ssdlite-person", "--precision", "int8", "-o", "."), "a file in the format onnx ends in .onnx"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert sepcam("models", "export", *words) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


class Unstable(nn.Module):
    """Computes something else each time, as a network does whose export went wrong."""

    calls = 0

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        self.calls += 1
        return (images.float().mean((1, 2)) + self.calls,)


def test_a_file_that_computes_something_else_is_not_kept(tmp_path):
    with pytest.raises(SepcamError, match=r"differs from torch in mean by .*: it is not kept"):
        export(Unstable(), (8, 8), ("mean",), "torchscript", tmp_path / "network.pt")
    assert list(tmp_path.iterdir()) == []


class HalfBroken(nn.Module):
    """The second of its outputs is no number."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = images.float().mean((1, 2))
        return mean, mean / 0 - mean / 0


def test_a_file_that_computes_no_numbers_is_not_kept(tmp_path):
    with pytest.raises(SepcamError, match=r"differs from torch in broken by nan .*: it is not kept"):
        export(HalfBroken(), (8, 8), ("mean", "broken"), "torchscript", tmp_path / "network.pt")
    assert list(tmp_path.iterdir()) == []


def test_a_network_too_large_for_onnx_is_told_at_once(tmp_path):
    large = HalfBroken()
    large.weight = nn.Parameter(torch.zeros(1).expand(600_000_000))  # takes no memory
    with pytest.raises(
        SepcamError, match=r"would have 2\.4 GB, ONNX files have 2\.1 at most: use --format openv"
    ):
        export(large, (8, 8), ("mean", "broken"), "onnx", tmp_path / "network.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(network, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SepcamError, match="cannot write"):
        export(network, SMALL, OUTPUTS, "onnx", tmp_path / "file" / "network.onnx")
    assert Path(tmp_path / "file").read_text() == ""
