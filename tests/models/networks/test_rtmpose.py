"""RTMPose-t computes what OpenMMLab's own does, and is a pose estimator that gives skeletons alone.

Its trained weights have no package. The reference in golden/rtmpose-t.npz is what MMPose 1.3.2 makes of
random weights (``weights``) by its own configuration, `rtmpose-t_8xb256-420e_aic-coco-256x192`.
"""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sepcam.models import zoo
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conversion import to_standard
from sepcam.models.networks.rtmpose import RTMPose
from sepcam.models.ops import coco
from sepcam.models.pose.simcc import SimCCPose, read_simcc
from sepcam.models.registry import REGISTRY
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import PoseEstimator
from sepcam.models.weights.checkpoints import read_state
from sepcam.models.weights.openmmlab import load_checkpoint
from sepcam.models.weights.store import WeightStore

NAME = "rtmpose-t"
OPTIONS = RuntimeOptions("openvino", "cpu", "f32", threads=2)
REFERENCE = np.load(Path(__file__).parents[2] / "golden" / "rtmpose-t.npz")


def weights(names, shapes):
    """Random weights through which a signal passes, the same on every machine."""
    random, state = np.random.RandomState(0), {}
    for name, shape in zip(names, shapes, strict=True):
        noise = random.standard_normal(shape)
        if name.endswith(("running_var", "bn.weight", ".g", ".scale", "gamma", "beta")):
            value = 0.5 + np.abs(noise) / 2
        elif len(shape) > 1:
            value = noise * math.sqrt(2 / np.prod(shape[1:]))
        else:
            value = noise / 5
        state[name] = torch.from_numpy(value.astype(np.float32))
    return state


def pictures():
    return np.random.RandomState(1).randint(0, 256, (2, 256, 192, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """As OpenMMLab publishes them: with names of batch norms' counters, and numbers beside the weights."""
    shapes = [tuple(map(int, shape.split(","))) for shape in REFERENCE["shapes"].tolist()]
    state = weights(REFERENCE["names"].tolist(), shapes)
    state["backbone.stem.0.bn.num_batches_tracked"] = torch.tensor(1)
    meta = {"epoch": 420, "dataset_meta": {"sigmas": np.ones(17, np.float32), "scale": np.float64(2)}}
    path = tmp_path_factory.mktemp("weights") / "rtmpose-t.pth"
    torch.save({"meta": meta, "state_dict": state}, path)
    return path


@pytest.fixture(scope="module")
def network(checkpoint):
    network = RTMPose().eval()
    load_checkpoint(network, read_state(checkpoint))
    return network


@pytest.mark.parametrize("kind", ["separable", "standard"])
def test_outputs_are_mmposes(network, kind):
    if kind == "standard":
        network = to_standard(network)
    with torch.inference_mode():
        columns, rows = (out.numpy() for out in network(torch.from_numpy(pictures())))
    for found, wanted in ((columns, REFERENCE["columns"]), (rows, REFERENCE["rows"])):
        assert found.shape[:2] == (2, 17)
        np.testing.assert_allclose(found[..., ::8], wanted, atol=1e-4 * np.abs(wanted).max())


def test_the_registry_names_openmmlabs_own_file():
    info = REGISTRY[NAME]
    assert str(info.sources[0]).startswith("https://download.openmmlab.com/")
    assert f"-{info.sha256}_" in str(info.sources[0])


def test_loads_from_its_authors_file(checkpoint, cache_dir):
    notices: list[str] = []
    store = WeightStore(notice=notices.append)
    pose = zoo.load_pose(NAME, options=OPTIONS, store=store, weights_file=checkpoint)
    assert isinstance(pose, PoseEstimator) and pose.parts == {"pose"}
    assert tuple(pose.keypoint_names) == coco.KEYPOINTS
    assert "not the official file" in notices[0]
    store.fetch(NAME, checkpoint)
    assert store.verify(NAME) == "ok"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("head.cls_x.weight"), "head.cls_x.weight should be .384, 256., is nothing"),
        (lambda state: state.pop("head.final_layer.weight"), "convolutions"),
        (lambda state: state.update({"head.gau.ln.g": torch.ones(2)}), r"should be \(1,\), is \(2,\)"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused(checkpoint, cache_dir, tmp_path, change, message):
    state = read_state(checkpoint)
    change(state)
    file = tmp_path / "other.pth"
    torch.save(state, file)
    with pytest.raises(SepcamError, match=message):
        WeightStore().read(NAME, file)


def test_a_checkpoint_that_holds_code_is_refused_and_none_of_it_is_run(cache_dir, tmp_path):
    file, touched = tmp_path / "code.pth", tmp_path / "touched"
    torch.save({"state_dict": {}, "meta": Touch(touched)}, file)
    with pytest.raises(SepcamError, match="holds code, which is not run"):
        WeightStore().read(NAME, file)
    assert not touched.exists()


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


# --- the estimator ----------------------------------------------------------------------------------------


def test_the_best_column_and_row_are_the_place_and_the_lower_is_the_score():
    columns, rows = np.zeros((1, 2, 384), np.float32), np.zeros((1, 2, 512), np.float32)
    columns[0, 0, 101], rows[0, 0, 40], columns[0, 1, 7], rows[0, 1, 9] = 0.9, 0.8, 1.3, 1.2
    points, scores = read_simcc(columns, rows, (256, 192))
    assert points.tolist() == [[[50.5, 20], [3.5, 4.5]]]
    np.testing.assert_allclose(scores, [[0.8, 1]])


class Marks:
    """Finds the brightest pixel in place of the first five keypoints, and none of the others."""

    def __call__(self, crops):
        self.crops = crops
        columns = np.zeros((len(crops), 17, 384), np.float32)
        rows = np.zeros((len(crops), 17, 512), np.float32)
        for crop, column, row in zip(crops, columns, rows, strict=True):
            y, x = np.unravel_index(crop[..., 0].argmax(), crop.shape[:2])
            column[:5, 2 * x], row[:5, 2 * y] = 0.9, 0.9
        return columns, rows


@pytest.mark.parametrize("angle", [0, 0.4])
def test_keypoints_are_given_where_they_are_in_the_picture(angle):
    image = np.zeros((400, 600, 3), np.uint8)
    image[205:208, 308:311] = 255
    marks = Marks()
    rois = np.array([[300, 200, 128, angle], [500, 60, 60, 0]], np.float32)
    found = SimCCPose(marks, (256, 192), name=NAME).estimate(image, rois, masks=False)
    assert marks.crops.shape == (2, 256, 192, 3)
    np.testing.assert_allclose(found.keypoints[0, 0], [309, 206, 0.9], atol=1.5)
    assert found.keypoints[0, 5:, 2].max() == 0
    assert found.presence.tolist() == [1, 1] and found.mask_logits is None
    np.testing.assert_allclose(found.next_rois[0], [309, 206, 1, 0], atol=1.5)


def test_a_crop_is_the_middle_of_its_region_and_black_beyond_the_picture():
    marks = Marks()
    image = np.full((256, 256, 3), 200, np.uint8)
    image[:, 128:] = 100
    SimCCPose(marks, (256, 192), name=NAME).estimate(
        image, np.array([[128, 128, 256, 0], [0, 128, 256, 0]], np.float32), masks=False
    )
    whole, half = marks.crops[:, 128, :, 0]
    assert whole[:96].tolist() == [200] * 96 and whole[96:].tolist() == [100] * 96
    assert half[:96].tolist() == [0] * 96 and half[97:].tolist() == [200] * 95


def test_where_nobody_is_looked_for_nobody_is_found_and_masks_are_refused():
    pose = SimCCPose(Marks(), (256, 192), name=NAME)
    nobody = np.zeros((0, 4), np.float32)
    assert len(pose.estimate(np.zeros((9, 9, 3), np.uint8), nobody, masks=False)) == 0
    with pytest.raises(ValueError, match="no masks"):
        pose.estimate(np.zeros((9, 9, 3), np.uint8), nobody, masks=True)
