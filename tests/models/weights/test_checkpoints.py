"""Convolutions come out of files that torch wrote, or it is said why not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sepcam.models.weights.checkpoints import read_torch
from torch import nn


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
    network(torch.rand(8, 3, 9, 9))  # moves the statistics
    return network.state_dict()


@pytest.mark.parametrize(
    "change",
    [nn.Parameter, lambda value: value.bfloat16(), lambda value: value.double()],
    ids=["with gradients", "bfloat16", "float64"],
)
def test_weights_of_other_types_are_read_in_float32(state, change, tmp_path: Path):
    (tmp_path / "plain").touch()
    torch.save(state, tmp_path / "plain")
    floats = {name: change(value) if value.is_floating_point() else value for name, value in state.items()}
    torch.save(floats, tmp_path / "other")
    (one,), (other,) = read_torch(tmp_path / "plain"), read_torch(tmp_path / "other")
    for ours, theirs in ((one.weight, other.weight), (one.bias, other.bias)):
        assert theirs.dtype == np.float32
        np.testing.assert_allclose(theirs, ours, rtol=0.05, atol=0.01)


def test_batch_norms_without_statistics_are_refused(state, tmp_path: Path):
    torch.save({name: value for name, value in state.items() if "running" not in name}, tmp_path / "file")
    with pytest.raises(ValueError, match="1 lacks its statistics"):
        read_torch(tmp_path / "file")


@pytest.mark.parametrize("content", [{1: torch.zeros(1)}, [torch.zeros(1)], {"a": 1}])
def test_other_contents_are_refused(content, tmp_path: Path):
    torch.save(content, tmp_path / "file")
    with pytest.raises(ValueError, match="not a torch state dict"):
        read_torch(tmp_path / "file")
