"""torchvision's SSDLite finds what torchvision finds, through the same detector as the other networks.

Its trained weights have no package, so both sides get the same random ones, strong enough to find something.
"""

import numpy as np
import pytest
import torch
from sepcam.models.detectors.anchors import torchvision_anchors
from sepcam.models.detectors.ssd import COCO_LOGITS, SSDDetector, SSDPass
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conversion import to_standard
from sepcam.models.networks.ssdlite_torchvision import CLASSES, SSDLiteMobileNetV3
from sepcam.models.ops import coco
from sepcam.models.registry import REGISTRY
from sepcam.models.runtime.compile import compile_network
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.spec import Thresholds
from sepcam.models.types import Detector
from sepcam.models.weights.checkpoints import read_torch
from sepcam.models.weights.importers import load_convs
from sepcam.models.weights.store import WeightStore
from sepcam.models.zoo import load_detector
from torchvision.models.detection import SSDLite320_MobileNet_V3_Large_Weights, ssdlite320_mobilenet_v3_large

NAME = "ssdlite320-mobilenet-v3-large"
PICTURE = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
OPTIONS = RuntimeOptions("openvino", "cpu", "f32")


def raw(model, pictures):
    """What torchvision's network itself says of (B, 320, 320, 3) uint8 BGR pictures."""
    x = torch.from_numpy(pictures[..., ::-1].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        outputs = model.head(list(model.backbone(x).values()))
    return outputs["bbox_regression"].numpy(), outputs["cls_logits"].softmax(2).numpy()


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    raw(model.train(), np.random.default_rng(1).integers(0, 256, (4, 320, 320, 3), np.uint8))
    for name, value in model.state_dict().items():
        if name.startswith("head.classification") and name.endswith("1.weight"):
            value *= 3
    return model.eval()


@pytest.fixture(scope="module")
def weights_file(theirs, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save(theirs.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def ours(weights_file):
    network = SSDLiteMobileNetV3().eval()
    load_convs(network, read_torch(weights_file))
    return network


@pytest.mark.parametrize("kind", ["separable", "standard"])
def test_raw_outputs_are_torchvisions_with_batch_norms_folded(ours, theirs, kind):
    (boxes,), (scores,) = raw(theirs, PICTURE[None])
    network = ours if kind == "separable" else to_standard(ours)
    with torch.inference_mode():
        encodings, log_odds = (out[0].numpy() for out in network(torch.from_numpy(PICTURE[None])))
    assert encodings.shape == (3234, 4) and log_odds.shape == (3234, CLASSES)
    np.testing.assert_allclose(encodings[:, [1, 0, 3, 2]], boxes, atol=1e-3)
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), scores, atol=1e-4)


def test_boxes_scores_and_classes_are_torchvisions(ours, theirs):
    theirs.score_thresh, theirs.nms_thresh, theirs.detections_per_img = 0.05, 0.55, 50
    with torch.inference_mode():
        (wanted,) = theirs([torch.from_numpy(PICTURE[..., ::-1].copy()).permute(2, 0, 1) / 255])
    assert len(wanted["boxes"]) >= 10
    runner = compile_network(ours, (320, 320), OPTIONS)
    one = SSDPass(runner, (320, 320), torchvision_anchors())
    names = [str(i) for i in range(CLASSES)]
    every = SSDDetector(NAME, [one], names, np.arange(CLASSES), Thresholds(0.05, 0.55, 50)).detect(PICTURE)
    assert every.labels.tolist() == wanted["labels"].tolist()
    np.testing.assert_allclose(every.scores, wanted["scores"], atol=1e-4)
    np.testing.assert_allclose(every.boxes, wanted["boxes"], atol=0.05)


def test_loads_from_its_authors_file_and_speaks_cocos_names(weights_file, cache_dir):
    notices: list[str] = []
    store = WeightStore(notice=notices.append)
    detector = load_detector(NAME, options=OPTIONS, store=store, weights_file=weights_file)
    assert isinstance(detector, Detector)
    assert list(detector.labels) == list(coco.NAMES)
    found = detector.detect(PICTURE)
    assert set(COCO_LOGITS[1:]) >= set(found.labels.tolist())
    assert "not the official file" in notices[0]
    store.fetch(NAME, weights_file)
    assert store.verify(NAME) == "ok"


def test_the_registry_names_torchvisions_own_file():
    weights = SSDLite320_MobileNet_V3_Large_Weights.COCO_V1
    info = REGISTRY[NAME]
    assert str(info.sources[0]) == weights.url
    assert weights.url.endswith(f"-{info.sha256}.pth")
    assert f"AP {weights.meta['_metrics']['COCO-val2017']['box_map']}" in info.figures


def test_only_its_own_input_size_is_taken(weights_file, cache_dir):
    with pytest.raises(SepcamError, match="takes 320x320 images only, not 416x640"):
        load_detector(NAME, options=OPTIONS, weights_file=weights_file, input_size=(640, 416))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"something else"])
def test_a_file_that_is_no_state_dict_is_refused(tmp_path, content, cache_dir):
    file = tmp_path / "model.pth"
    file.write_bytes(content)
    with pytest.raises(SepcamError, match="does not hold the weights"):
        WeightStore().read(NAME, file)
