"""Labels correct the network where they speak, and nothing changes where they do not."""

import numpy as np
import pytest
import torch
from sepcam.models.errors import SepcamError
from sepcam.models.networks.movenet import BOX_HEADS, HEADS
from sepcam.models.networks.people import People
from sepcam.models.training.examples import Example, Examples
from sepcam.models.training.losses import Labels, center_target, losses, mask_loss
from sepcam.models.training.optimizer import RelativeAdam, channel_sizes
from sepcam.models.training.recipe import Recipe, batches_of, relative_rate
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


def labels_of(*examples: Example) -> Labels:
    return Labels.of(targets_of(examples, np.random.default_rng(0), 8), torch.device("cpu"))


def gradients(one: Example) -> dict[str, torch.Tensor]:
    """Of the loss with respect to outputs that are the teacher's."""
    generator = torch.Generator().manual_seed(0)
    maps = {name: torch.randn(1, n, CELLS, CELLS, generator=generator) for name, n in CHANNELS.items()}
    maps["center"] -= 5  # it has found nobody
    maps["kpt_heatmap"] -= 5
    maps["box_scale"] = maps["box_scale"].abs() + 4
    outputs = {name: value.clone().requires_grad_() for name, value in maps.items()}
    labels = labels_of(one)
    torch.stack(list(losses(outputs, maps, labels, labels.people).values())).sum().backward()
    return {name: torch.zeros(()) if one.grad is None else one.grad for name, one in outputs.items()}


def test_an_image_of_which_nothing_is_known_teaches_nothing():
    found = gradients(example(NONE, np.zeros((0, 17, 3), np.float32), complete=False))
    assert all(not value.any() for value in found.values())


def test_nobody_is_where_a_complete_image_labels_nobody_but_in_what_is_ignored_and_keypoints_are_open():
    ignored = np.array([[0, 0, 32, 64]], np.float32)
    empty = np.zeros((0, 17, 3), np.float32)
    found = gradients(example(NONE, empty, ignored=ignored))
    assert (found["center"][..., 8:] > 0).all()
    assert not found["center"][..., :8].any()
    assert not found["kpt_heatmap"].any()


def test_a_labeled_keypoint_is_there_and_nowhere_else_in_its_person_and_others_are_open():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 0] = 28, 12, 2
    found = gradients(example(keypoints=keypoints))
    heat = found["kpt_heatmap"][0]
    assert heat[0, 3, 7] < 0 < heat[0, 10, 7]
    assert not heat[0, :, 14:].any() and not heat[1:].any()
    offset = found["kpt_offset"][0]
    assert offset[:2, 2:5, 6:9].abs().sum(0).all()  # the cells around it tell where it is, too
    assert not offset[2:].any() and not offset[:2, 6:].any()


def test_in_a_partly_labeled_image_only_what_is_near_a_label_counts():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 0] = 28, 12, 2
    found = gradients(example(keypoints=keypoints, complete=False))
    assert found["center"][0, 0, 8, 7] < 0 and found["kpt_heatmap"][0, 0, 3, 7] < 0
    assert not found["center"][..., 12:].any() and not found["kpt_heatmap"][..., 14:].any()


def test_the_box_learns_from_labels_and_the_rough_keypoints_only_where_labeled():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 3] = 20, 20, 1
    found = gradients(example(keypoints=keypoints))
    regress = found["kpt_regress"][0].reshape(17, 2, CELLS, CELLS)
    assert found["box_scale"].any() and regress[3].any()
    assert not np.delete(regress.numpy(), 3, 0).any()


def test_where_the_teacher_has_found_a_labeled_person_its_own_cell_may_be_the_center():
    labels = labels_of(example())
    teacher = torch.zeros(1, 1, CELLS, CELLS)
    teacher[0, 0, 8, 8] = 0.9  # a cell beside the center
    teacher[0, 0, 2, 2] = 0.9  # nobody's
    target, found = center_target(teacher, labels)
    assert found.all() and target[0, 0, 8, 7] == 1
    assert target[0, 0, 8, 8] == 0.9 > labels.center[0, 0, 8, 8]
    assert target[0, 0, 2, 2] < 0.01
    teacher[0, 0, 8, 8] = 0.2
    target, found = center_target(teacher, labels)
    assert not found.any() and torch.equal(target, labels.center)


def test_the_highest_cell_of_a_keypoint_is_the_one_that_it_is_in():
    keypoints = np.zeros((1, 17, 3), np.float32)
    keypoints[0, 0] = 29, 12.5, 2  # in cells 7.25, 3.125
    heat = labels_of(example(keypoints=keypoints)).heatmap[0, 0]
    assert divmod(int(heat.argmax()), CELLS) == (3, 7)
    assert heat[3, 6] > heat[3, 8] and heat[2, 7] > heat[4, 7]  # it lies above and left of the middle


def test_masks_that_are_not_labeled_are_the_teachers():
    drawn = torch.randn(2, 80, 80)
    logits = drawn.clone().requires_grad_()
    keypoints = np.full((2, 17, 3), 20, np.float32)
    mask = np.full((SIZE, SIZE), 255, np.uint8)
    labels = labels_of(example(np.repeat(BOX, 2, 0), keypoints, masks=(mask, None)))
    mask_loss(logits, drawn, labels).backward()
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
    recipe = Recipe(
        **({"steps": 2, "batch": 1, "sizes": (192,), "warm_up": 1, "rate": 1e-3, "learn": "all"} | changed)
    )
    return Trainer(network, Examples(samples, read, recipe.seed), recipe)


def test_a_training_that_is_resumed_ends_bit_for_bit_like_one_that_was_not(weights, samples, tmp_path):
    with trainer(weights, samples) as whole:
        whole.advance()
        torch.save(whole.state(), tmp_path / "state.pt")
        whole.advance()
        expected = whole.weights()
    with trainer(weights, samples) as resumed:
        resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))
        assert resumed.step == 1
        resumed.advance()
        found = resumed.weights()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    moved = {name for name in expected if not torch.equal(expected[name], weights[name])}
    trunk = ("people.trunk.stem", "people.trunk.blocks.0.", "people.trunk.blocks.16.", "people.trunk.last")
    for part in (*trunk, "people.pyramid", "people.heads.center", "people.heads.kpt_offset", "mask"):
        assert any(name.startswith(part) for name in moved), part


def test_heads_learn_alone_and_steps_of_size_zero_change_nothing(weights, samples):
    with trainer(weights, samples, learn="heads", accumulate=2) as one:
        one.advance()
        moved = {name for name, value in one.weights().items() if not torch.equal(value, weights[name])}
    assert moved and all(name.startswith(("people.heads.", "mask.")) for name in moved)
    with trainer(weights, samples, rate=0.0) as one:
        parts = one.advance()
        assert parts["loss"] > 0 and parts["hold"] == pytest.approx(0, abs=1e-5)
        found = one.weights()
    assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_a_network_that_is_lost_is_an_error(weights, samples):
    lost = {name: value * torch.nan if "heads.center" in name else value for name, value in weights.items()}
    with trainer(lost, samples) as one, pytest.raises(SepcamError, match=r"lost after step 1.*smaller rate"):
        one.advance()


def test_batches_hold_as_many_pixels_and_every_example_once():
    batches = batches_of(Recipe(steps=30, batch=8, accumulate=2, sizes=(256, 320, 576)))
    assert len(batches) == 60
    assert {(one.size, len(one.numbers)) for one in batches} == {(256, 12), (320, 8), (576, 2)}
    numbers = [number for one in batches for number in one.numbers]
    assert numbers == list(range(len(numbers)))


def test_what_all_outputs_depend_on_learns_in_smaller_steps():
    names = ("people.trunk.stem.conv.bias", "people.trunk.blocks.9.x", "people.trunk.blocks.10.x")
    more = ("people.trunk.last.x", "people.pyramid.x", "people.heads.center.x", "mask.stem.x")
    assert [relative_rate(name, "all") for name in (*names, *more)] == [0.3, 0.3, 0.6, 0.6, 1, 1, 3]
    assert [relative_rate(name, "heads") for name in (*names, *more)] == [0, 0, 0, 0, 0, 1, 3]
