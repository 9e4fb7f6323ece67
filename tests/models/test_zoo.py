"""Every registered network, tested alike: it builds, runs, and is the same in both kinds and runtimes."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sepcam.models import zoo
from sepcam.models.cache import sha256_of
from sepcam.models.errors import SepcamError
from sepcam.models.layers.conversion import as_kind
from sepcam.models.profiling.cost import Profile, profile
from sepcam.models.registry import REGISTRY, different, find, networks_of
from sepcam.models.runtime.compile import compile_network
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.sources import UrlSource
from sepcam.models.spec import ModelSpec
from sepcam.models.types import ConvKind, Detector, PoseEstimator
from sepcam.models.weights.openmmlab import CHECKPOINT_NAMES
from sepcam.models.weights.store import WeightStore
from torch import nn

TORCH = RuntimeOptions("torch", "cpu", "f32")
OPENVINO = RuntimeOptions("openvino", "cpu", "f32")
NETWORKS = different()
"""One name of each: some are used in several ways."""
DETECTORS = [info.name for info in REGISTRY.values() if info.task == "detect"]
IMAGE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for this module: converting a network takes seconds, and any test may find it done."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def registry(cache: Path, onnx_of: Callable[[nn.Module], bytes]) -> dict[str, ModelSpec]:
    """Every network as one whose file is ONNX or OpenMMLab's, with random weights that are in ``cache``."""
    registry = {name: replace(info, sources=()) for name, info in REGISTRY.items()}
    for name in registry:
        torch.manual_seed(0)
        file = cache / f"{name}.onnx"
        network = REGISTRY[name].build().eval()
        if registry[name].format == "openmmlab":
            torch.save({"state_dict": checkpoint_of(network)}, file)
        else:
            file.write_bytes(onnx_of(network))
            registry[name] = replace(registry[name], format="onnx")
        registry[name] = replace(registry[name], sha256=sha256_of(file))
        WeightStore(cache, registry=registry).fetch(name, file)
    return registry


def checkpoint_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """The network's weights by the names of OpenMMLab, but for the convolutions, which go by their order."""
    return {CHECKPOINT_NAMES.get(name, name): value for name, value in network.state_dict().items()}


@pytest.fixture
def store(cache: Path, registry: dict[str, ModelSpec]) -> WeightStore:
    """A store of random weights, all of them cached."""
    return WeightStore(cache, registry=registry)


def cost(name: str, kind: ConvKind = "separable") -> Profile:
    """Of one pass at the input size that the registry names."""
    with torch.device("meta"):
        network = as_kind(REGISTRY[name].build(), kind)
    return profile(network, (1, *REGISTRY[name].input_size, 3))


# --- networks ---------------------------------------------------------------------------------------------


def lively(name: str) -> nn.Module:
    """A network with random weights through which a signal passes without fading: He et al. 2015."""
    torch.manual_seed(0)
    network = REGISTRY[name].build().eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
    return network


@pytest.mark.parametrize("name", NETWORKS)
def test_both_kinds_agree_in_both_runtimes(name: str, cache: Path):
    network, size = lively(name), REGISTRY[name].input_size
    images = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    wanted = [output.copy() for output in compile_network(network, size, TORCH)(images)]
    assert all(np.isfinite(output).all() and output.std() > 0 for output in wanted if output.size > 1)
    others = [("standard", TORCH), ("separable", OPENVINO), ("standard", OPENVINO)]
    if cost(name, "standard").params > 20e6:
        others.pop()  # hundreds of megabytes of weights, which OpenVINO takes half a minute to convert
    for kind, options in others:
        key = f"lively-{name}" if kind == "separable" else None
        outputs = compile_network(as_kind(network, kind), size, options, key=key, cache_dir=cache)(images)
        assert [o.shape for o in outputs] == [o.shape for o in wanted]
        for output, expected in zip(outputs, wanted, strict=True):
            scale = np.abs(expected).max()
            np.testing.assert_allclose(output, expected, atol=1e-3 * scale, err_msg=f"{kind} {options}")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_gives_what_its_images_give_alone(name: str, cache: Path):
    size = REGISTRY[name].input_size
    images = np.random.default_rng(0).integers(0, 256, (3, *size, 3), np.uint8)
    runner = compile_network(lively(name), size, OPENVINO, key=f"lively-{name}", max_batch=4, cache_dir=cache)
    together = [output.copy() for output in runner(images)]
    for index in range(3):
        for output, expected in zip(runner(images[index : index + 1]), together, strict=True):
            scale = np.abs(expected).max()
            np.testing.assert_allclose(output[0], expected[index], atol=1e-4 * scale)


@pytest.mark.parametrize("name", REGISTRY)
def test_the_registry_states_the_cost_that_is_counted(name):
    info = REGISTRY[name]
    separable, standard = cost(name), cost(name, "standard")
    assert info.macs == (round(separable.macs / 1e6), round(standard.macs / 1e6))
    assert info.params == (round(separable.params / 1e6, 2), round(standard.params / 1e6, 2))


@pytest.mark.parametrize("name", REGISTRY)
def test_the_registry_names_every_output(name):
    info = REGISTRY[name]
    images = torch.empty((1, *info.input_size, 3), dtype=torch.uint8, device="meta")
    with torch.device("meta"):
        assert len(REGISTRY[name].build().eval()(images)) == len(info.outputs)


def test_a_network_that_finds_everything_needs_no_pose_network():
    assert networks_of("people", "blazepose-full") == ("people",)
    assert networks_of("yolox-nano", "movenet-thunder") == ("yolox-nano", "movenet-thunder")
    assert networks_of("my_detector:Spots", "people") == ("my_detector:Spots", "people")
    assert len(different()) == len({REGISTRY[name].build for name in different()})
    assert {info.build for info in REGISTRY.values()} == {REGISTRY[name].build for name in different()}


def test_every_network_says_where_it_comes_from_and_under_which_license():
    notice = (Path(__file__).parents[2] / "NOTICE").read_text()
    for info in REGISTRY.values():
        assert info.license in ("MIT", "Apache-2.0", "BSD-3-Clause")
        assert info.source and info.trained_on and info.figures
        assert info.name in notice


# --- loading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_loads_and_detects(name: str, store: WeightStore):
    detector = zoo.load_detector(name, store=store, options=OPENVINO)
    assert isinstance(detector, Detector)
    assert detector.name == name
    assert "person" in detector.labels
    found = detector.detect(IMAGE)
    assert ((found.boxes >= 0) & (found.boxes <= (160, 120, 160, 120))).all()


@pytest.mark.parametrize("name", [info.name for info in REGISTRY.values() if info.task == "pose"])
def test_every_pose_network_loads_and_estimates(name: str, store: WeightStore):
    pose = zoo.load_pose(name, store=store, options=OPENVINO)
    assert isinstance(pose, PoseEstimator)
    assert pose.name == name
    rois = np.array([[80, 60, 100, 0]] * 3, np.float32)
    found = pose.estimate(IMAGE, rois, masks="segment" in pose.parts)
    assert found.keypoints.shape == (3, len(pose.keypoint_names), 3)
    assert (found.mask_logits is not None) == ("segment" in pose.parts)
    assert found.mask_logits is None or found.mask_logits.shape == (3, 256, 256)


def test_the_pose_network_does_without_its_mask(store: WeightStore):
    rois = np.array([[80, 60, 100, 0]], np.float32)
    found = zoo.load_pose(store=store, options=OPENVINO).estimate(IMAGE, rois, masks=False)
    assert found.mask_logits is None


def test_a_warm_start_imports_no_torch(store: WeightStore):
    rois = np.array([[80, 60, 100, 0]], np.float32)
    zoo.load_pose(store=store, options=OPENVINO).estimate(IMAGE, rois, masks=True)
    ships = WeightStore(store.root)
    zoo.load_pose(store=ships, options=OPENVINO).estimate(IMAGE, rois, masks=True)
    for name in DETECTORS:
        own = ships if ships.is_cached(name) and name.startswith("people") else store
        zoo.load_detector(name, store=own, options=OPENVINO).detect(IMAGE)
    script = f"""
        import sys
        import numpy as np
        from sepcam.models import zoo
        from sepcam.models.runtime.compile import RuntimeOptions
        options = RuntimeOptions("openvino", "cpu", "f32")
        image = np.zeros((120, 160, 3), np.uint8)
        rois = np.array([[80, 60, 100, 0]], np.float32)
        zoo.load_pose(options=options).estimate(image, rois, masks=True)
        for name in {DETECTORS}:
            zoo.load_detector(name, options=options).detect(image)
        assert "torch" not in sys.modules
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    subprocess.run(command, check=True, timeout=120, env=os.environ | {"SEPCAM_CACHE": str(store.root)})


def test_weights_from_a_file_are_another_compiled_copy_than_the_cached_ones(
    store: WeightStore, tmp_path: Path, onnx_of: Callable[[nn.Module], bytes]
):
    file = tmp_path / "mine.onnx"
    torch.manual_seed(1)
    file.write_bytes(onnx_of(REGISTRY["yolox-nano"].build().eval()))
    cached = store.digest("yolox-nano")
    zoo.load_detector("yolox-nano", store=store, options=OPENVINO, weights_file=file)
    assert store.digest("yolox-nano") == cached
    assert list((store.root / "compiled").glob(f"yolox-nano-separable-{sha256_of(file)[:16]}-*"))


@pytest.mark.parametrize(("name", "size"), [("yolox-nano", (320, 448)), ("ssdlite-person", (332, 364))])
def test_a_detector_takes_another_input_size(name: str, size: tuple[int, int], store: WeightStore):
    zoo.load_detector(name, store=store, options=OPENVINO, input_size=size).detect(IMAGE)
    assert list((store.root / "compiled").glob(f"{name}-*-{size[0]}x{size[1]}-*"))


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("yolox-nano", (300, 300), "multiples of 32"),
        ("ssdlite-person", (320, 320), "300 plus multiples of 32"),
        ("ssd-mobilenet-v1-coco", (332, 332), "300x300"),
        ("ssdlite320-mobilenet-v3-large", (352, 352), "320x320"),
    ],
)
def test_a_size_that_does_not_fit_is_refused(name, size, message: str, store: WeightStore):
    with pytest.raises(SepcamError, match=message):
        zoo.load_detector(name, store=store, options=OPENVINO, input_size=size)


def test_an_unknown_or_unfit_name_lists_the_right_ones(store: WeightStore):
    with pytest.raises(SepcamError, match="unknown model 'yolo9000': choose from people, people-photo"):
        zoo.load_detector("yolo9000", store=store)
    with pytest.raises(SepcamError, match="blazepose-full does not detect: choose from people, people-photo"):
        zoo.load_detector("blazepose-full", store=store)
    with pytest.raises(SepcamError, match="yolox-nano does not pose: choose from people, movenet-lightning"):
        zoo.load_pose("yolox-nano", store=store)
    with pytest.raises(SepcamError, match="unknown model"):
        find("nothing")


def test_a_weights_file_needs_its_detectors_name_and_to_be_there(store: WeightStore, tmp_path: Path):
    with pytest.raises(SepcamError, match="name the detector"):
        zoo.load_detector("auto", store=store, weights_file=tmp_path)
    with pytest.raises(SepcamError, match="is not a file"):
        zoo.load_detector("yolox-nano", store=store, weights_file=tmp_path / "nowhere")


# --- auto -------------------------------------------------------------------------------------------------


def test_auto_is_the_network_that_ships_with_sepcam_and_needs_no_download(store: WeightStore):
    assert zoo.choose_detector() == "people"
    assert zoo.choose_detector(["person"], photographs=True) == "people-photo"
    assert WeightStore(store.root).is_cached("people")


def test_auto_takes_a_detector_of_80_classes_where_others_than_people_are_wanted():
    assert zoo.choose_detector(["person", "dog"]) == "yolox-nano"
    assert zoo.choose_detector(["car"], photographs=True) == "yolox-nano"


@pytest.fixture
def own_store(
    tmp_path: Path, cache: Path, registry: dict[str, ModelSpec], file_server, said: list[str]
) -> WeightStore:
    """A store with ``people`` alone; ``yolox-nano`` comes from a server on this machine."""
    file_server.files["/yolox.onnx"] = (cache / "yolox-nano.onnx").read_bytes()
    best = replace(registry["yolox-nano"], sources=(UrlSource(f"{file_server.url}/yolox.onnx"),))
    known = {**REGISTRY, "yolox-nano": best}
    return WeightStore(tmp_path, registry=known, notice=said.append)


@pytest.fixture
def said() -> list[str]:
    return []


def test_the_accurate_detector_fetches_its_assistant_once(own_store: WeightStore, file_server, said):
    for _ in range(2):
        assert (
            zoo.load_detector("people-accurate", store=own_store, options=OPENVINO).detect(IMAGE) is not None
        )
    assert file_server.requests == ["/yolox.onnx"]
    assert said == []


def test_the_accurate_detector_says_what_it_does_without_and_asks_once_a_day(
    own_store: WeightStore, file_server, said
):
    del file_server.files["/yolox.onnx"]
    for _ in range(2):
        assert (
            zoo.load_detector("people-accurate", store=own_store, options=OPENVINO).name == "people-accurate"
        )
    assert file_server.requests == ["/yolox.onnx"]
    assert len(said) == 2
    assert all("without the boxes of yolox-nano, which is unavailable" in line for line in said)


def test_auto_loads_what_it_chose(store: WeightStore):
    assert zoo.load_detector(store=store, options=OPENVINO).name == "people"
