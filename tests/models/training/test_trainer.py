"""Labels correct the network where they speak, and nothing changes where they do not."""

import numpy as np
import pytest
import torch
from sepcam.models.networks.movenet import BOX_HEADS, HEADS
from sepcam.models.networks.people import People
from sepcam.models.training.examples import Example, Examples
from sepcam.models.training.losses import Labels, losses, mask_loss
from sepcam.models.training.optimizer import RelativeAdam, channel_sizes
from sepcam.models.training.recipe import Recipe
from sepcam.models.training.samples import Person, Sample
from sepcam.models.training.targets import targets_of
from sepcam.models.training.trainer import Trainer
from sepcam.models.weights.store import WeightStore

SIZE, CELLS = 64, 16
CHANNELS = HEADS | BOX_HEADS
BOX = np.array([[16, 8, 40, 56]], np.float32)
NONE = np.zeros((0, 4), np.float32)


def example(boxes=BOX, keypoints=None, masks=None, ignored=NONE, complete=True) -> Example:
    count = len(boxes)
    keypoints = np.zeros((count, 17, 3), np.float32) if keypoints is None else keypoints
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    return Example(image, boxes, keypoints, masks or (None,) * count, ignored, complete)


def gradients(one: Example) -> dict[str, torch.Tensor]:
    """Of the loss with respect to outputs that are the teacher's."""
    generator = torch.Generator().manual_seed(0)
    maps = {name: torch.randn(1, n, CELLS, CELLS, generator=generator) for name, n in CHANNELS.items()}
    maps["center"] -= 5  # it has found nobody
    maps["kpt_heatmap"] -= 5
    maps["box_scale"] = maps["box_scale"].abs() + 4
    outputs = {name: value.clone().requires_grad_() for name, value in maps.items()}
    labels = Labels.of(targets_of([one], np.random.default_rng(0)), torch.device("cpu"))
    torch.stack(list(losses(outputs, maps, labels).values())).sum().backward()
    return {name: torch.zeros(()) if one.grad is None else one.grad for name, one in outputs.items()}


def test_an_image_of_which_nothing_is_known_teaches_nothing():
    found = gradients(example(NONE, np.zeros((0, 17, 3), np.float32), complete=False))
    assert all(not value.any() for value in found.values())


def test_everything_that_is_not_labeled_in_a_complete_image_is_a_negative_but_not_what_is_ignored():
    ignored = np.array([[0, 0, 32, 64]], np.float32)
    empty = np.zeros((0, 17, 3), np.float32)
    found = gradients(example(NONE, empty, ignored=ignored))
    for name in ("center", "kpt_heatmap"):
        assert (found[name][..., 8:] > 0).all()
        assert not found[name][..., :8].any()


def test_keypoints_that_are_not_labeled_are_no_negatives_in_the_box_of_the_person():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 0] = 28, 12, 2
    heat = gradients(example(keypoints=keypoints))["kpt_heatmap"][0]
    inside = (slice(2, 14), slice(4, 10))
    assert not heat[(slice(1, 17), *inside)].any()
    assert (heat[1:, :, 12:] > 0).all()
    assert heat[0, 3, 7] < 0  # the labeled nose is learned
    assert heat[0, 10, 7] > 0  # and is nowhere else


def test_in_a_partly_labeled_image_only_what_is_near_a_label_counts():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 0] = 28, 12, 2
    found = gradients(example(keypoints=keypoints, complete=False))
    assert found["center"][0, 0, 8, 7] < 0 and found["kpt_heatmap"][0, 0, 3, 7] < 0
    assert not found["center"][..., 12:].any() and not found["kpt_heatmap"][..., 12:].any()
    assert not found["kpt_heatmap"][0, 1:].any()


def test_the_box_learns_from_labels_and_the_rough_keypoints_only_where_labeled():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 3] = 20, 20, 1
    found = gradients(example(keypoints=keypoints))
    regress = found["kpt_regress"][0].reshape(17, 2, CELLS, CELLS)
    assert found["box_scale"].any() and regress[3].any()
    assert not np.delete(regress.numpy(), 3, 0).any()


def test_masks_that_are_not_labeled_are_the_teachers():
    drawn = torch.randn(2, 80, 80)
    logits = drawn.clone().requires_grad_()
    boxes = np.repeat(BOX, 2, 0)
    mask = np.full((SIZE, SIZE), 255, np.uint8)
    one = example(boxes, masks=(mask, None))
    labels = Labels.of(targets_of([one], np.random.default_rng(0)), torch.device("cpu"))
    mask_loss(logits, drawn, labels, torch.arange(2)).backward()
    assert logits.grad is not None
    assert logits.grad[0].abs().sum() > 0
    assert logits.grad[1].abs().max() < 1e-9


def test_a_step_changes_small_and_large_channels_alike():
    layer = torch.nn.Conv2d(3, 2, 3)
    with torch.no_grad():
        layer.weight[0] *= 1e-3 / layer.weight[0].pow(2).mean().sqrt()
        layer.weight[1] *= 10 / layer.weight[1].pow(2).mean().sqrt()
    before = layer.weight.detach().clone()
    optimizer = RelativeAdam([{"params": [layer.weight], "lr": 0.01}], [channel_sizes(layer.weight)])
    layer(torch.ones(1, 3, 5, 5)).pow(2).sum().backward()
    optimizer.step()
    moved = (layer.weight.detach() - before).flatten(1).pow(2).mean(1).sqrt()
    assert moved[0] / 1e-3 == pytest.approx(0.01, rel=0.1)
    assert moved[1] / 10 == pytest.approx(0.01, rel=0.1)


@pytest.fixture(scope="module")
def weights():
    return WeightStore().load("people")


@pytest.fixture
def samples(tmp_path):
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[5:7] = (60, 40, 2), (80, 40, 2)
    outline = ((np.array([[50, 20], [90, 20], [90, 110], [50, 110]], np.float32),),)
    person = Person(np.array([50, 20, 90, 110], np.float32), keypoints, outline)
    return [Sample(tmp_path / f"{n}.png", (120, 160), (person,), NONE) for n in range(4)]


def read(path):
    rng = np.random.default_rng(int(path.stem))
    return rng.integers(0, 255, (120, 160, 3), np.uint8)


def trainer(weights, samples, **changed) -> Trainer:
    network = People()
    network.load_state_dict(weights)
    recipe = Recipe(**({"steps": 4, "batch": 2, "sizes": (64,), "warm_up": 1, "rate": 1e-3} | changed))
    return Trainer(network, Examples(samples, read, recipe.seed), recipe)


def test_a_training_that_is_resumed_ends_bit_for_bit_like_one_that_was_not(weights, samples, tmp_path):
    with trainer(weights, samples, accumulate=2, learn="trunk") as whole:
        for _ in range(2):
            whole.advance()
        torch.save(whole.state(), tmp_path / "state.pt")
        for _ in range(2):
            whole.advance()
        expected = whole.weights()
    with trainer(weights, samples, accumulate=2, learn="trunk") as resumed:
        resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))
        assert resumed.step == 2
        for _ in range(2):
            resumed.advance()
        found = resumed.weights()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    moved = {name for name in expected if not torch.equal(expected[name], weights[name])}
    assert any("heads" in name for name in moved) and any(name.startswith("mask") for name in moved)
    assert any("blocks.16" in name for name in moved)
    assert not any("stem.conv" in name and name.startswith("people") for name in moved)
    assert not any("blocks.9." in name for name in moved)


def test_steps_of_size_zero_change_nothing(weights, samples):
    with trainer(weights, samples, rate=0.0) as one:
        parts = one.advance()
        assert parts["loss"] > 0 and parts["hold"] == pytest.approx(0, abs=1e-6)
        found = one.weights()
    assert all(torch.equal(found[name], weights[name]) for name in weights)
