"""Networks from elsewhere: named, built the same each time, and refused with a reason where there is none."""

import pytest
import torch
from sepcam.models.errors import SepcamError
from sepcam.models.profiling.external import builder

SMALL = """
from torch import nn
import torch

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.pointwise = nn.Conv2d(8, 5, 1)

    def forward(self, x):
        y = self.pointwise(self.depthwise(self.stem(x)))
        return {"map": y, "more": [y.mean((2, 3)), y.argmax(1)]}

def build():
    return Net()

def number():
    return 7
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.py"
    path.write_text(SMALL)
    return path


def picture(side=64):
    return torch.randint(0, 256, (1, side, side, 3), dtype=torch.uint8)


def test_a_function_in_a_file(small):
    build = builder(f"{small}:build")
    one, other, x = build(), build(), picture()
    outputs = one(x)
    assert [o.shape for o in outputs] == [(1, 5, 32, 32), (1, 5)]  # floats only, in a fixed order
    assert all(torch.equal(a, b) for a, b in zip(outputs, other(x), strict=True))


def test_a_seed_gives_other_weights(small):
    one, other = (
        builder(f"{small}:build", seed=seed)().get_parameter("network.stem.weight") for seed in (0, 1)
    )
    assert not torch.equal(one, other)


@pytest.mark.parametrize("name", ["mobilenet_v2", "ssdlite320_mobilenet_v3_large"])
def test_networks_of_torchvision(name):
    outputs = builder(f"torchvision:{name}")()(picture(96))
    assert all(o.dtype == torch.float32 and o.shape[0] == 1 for o in outputs)
    assert len(outputs) == (1 if name == "mobilenet_v2" else 2)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mobilenet_v2", "cannot be read: write torchvision:NAME"),
        ("keras:vgg", "cannot be read"),
        ("torchvision:", "cannot be read"),
        ("torchvision:mobilnet_v2", "did you mean mobilenet_v2"),
        ("missing.py:build", "missing.py is not a file"),
        ("small.py:nothing", "has no function 'nothing'"),
        ("broken.py:build", "cannot be run: ZeroDivisionError"),
    ],
)
def test_what_is_not_there_is_told_at_once(spec, message, small, monkeypatch):
    monkeypatch.chdir(small.parent)
    (small.parent / "broken.py").write_text("1 / 0")
    with pytest.raises(SepcamError, match=message):
        builder(spec)


def test_what_is_no_network_is_told_when_it_is_built(small):
    with pytest.raises(SepcamError, match="returns a int, not a torch"):
        builder(f"{small}:number")()


def test_timm_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SepcamError, match="pip install timm"):
        builder("timm:mobilenetv3_small_100")
