"""MediaPipe's own PoseLandmarker, really run, finds what our BlazePose finds.

The .task file that users download is an archive of two networks with a description of their input. Here it is
made of the same networks, which MediaPipe's older wheel carries.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import flatbuffers
import numpy as np
import pytest
from mediapipe.tasks.metadata import metadata_schema_py_generated as description
from mediapipe.tasks.metadata import schema_py_generated as tflite
from sepcam.models.errors import SepcamError
from sepcam.models.pose.blazepose import KEYPOINTS
from sepcam.models.registry import REGISTRY
from sepcam.models.sources import WheelSource
from sepcam.models.types import PoseEstimator
from sepcam.models.weights.download import download
from sepcam.models.zoo import load_pose

GOLDEN = Path(__file__).parents[2] / "golden" / "blazepose_a.npz"
WHOLE = np.array([[128, 128, 256, 0]], np.float32)


def described(network: bytes, mean: float, std: float) -> bytes:
    """A network with the description that MediaPipe wants: how pixels become its input."""
    unit = description.ProcessUnitT()
    unit.optionsType = description.ProcessUnitOptions.NormalizationOptions
    unit.options = description.NormalizationOptionsT()
    unit.options.mean, unit.options.std = [mean], [std]
    tensor = description.TensorMetadataT()
    tensor.processUnits = [unit]
    tensor.content = description.ContentT()
    tensor.content.contentPropertiesType = description.ContentProperties.ImageProperties
    tensor.content.contentProperties = description.ImagePropertiesT()
    tensor.content.contentProperties.colorSpace = description.ColorSpaceType.RGB
    graph = description.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    root = description.ModelMetadataT()
    root.subgraphMetadata = [graph]
    builder = flatbuffers.Builder(0)
    builder.Finish(root.Pack(builder), b"M001")

    model = tflite.ModelT.InitFromObj(tflite.Model.GetRootAs(network))
    buffer = tflite.BufferT()
    buffer.data = np.frombuffer(bytes(builder.Output()), np.uint8)
    entry = tflite.MetadataT()
    entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="session")
def task(tmp_path_factory):
    (source,) = REGISTRY["blazepose-full"].sources
    assert isinstance(source, WheelSource)
    folder = tmp_path_factory.mktemp("mediapipe")
    download(source, folder, lambda done, total: None)
    (wheel,) = folder.glob("*.whl")
    path = folder / "pose_landmarker_full.task"
    with zipfile.ZipFile(wheel) as networks, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as bundle:
        detector = networks.read("mediapipe/modules/pose_detection/pose_detection.tflite")
        bundle.writestr("pose_detector.tflite", described(detector, 127.5, 127.5))
        bundle.writestr("pose_landmarks_detector.tflite", described(networks.read(source.member), 0, 255))
    return path


@pytest.fixture(scope="module")
def pose(task):
    return load_pose(f"mediapipe:{task}")


@pytest.fixture(scope="module")
def person():
    return cv2.imdecode(np.load(GOLDEN)["image_png"], cv2.IMREAD_COLOR)


def test_it_is_a_pose_estimator(pose):
    assert isinstance(pose, PoseEstimator)
    assert pose.name == "mediapipe:pose_landmarker_full.task"
    assert tuple(pose.keypoint_names) == KEYPOINTS


def test_it_finds_what_our_own_network_finds(pose, person):
    theirs = pose.estimate(person, WHOLE, masks=True)
    ours = load_pose("blazepose-full").estimate(person, WHOLE, masks=True)
    sure = ours.keypoints[0, :, 2] > 0.9
    assert sure.sum() > 15
    # It looks in a region of its own choice, so the two do not see the very same pixels.
    off = np.abs((theirs.keypoints - ours.keypoints)[0, sure, :2])
    assert off.max() < 6 and np.median(off) < 2
    assert theirs.presence[0] > 0.9
    assert ((theirs.mask_logits > 0) == (ours.mask_logits > 0)).mean() > 0.98


def test_regions_lie_where_they_are_in_the_picture(pose, person):
    scene = cv2.copyMakeBorder(cv2.resize(person, (128, 128)), 40, 60, 300, 20, cv2.BORDER_REPLICATE)
    rois = np.array([[364, 104, 128, 0], [80, 100, 120, 0]], np.float32)
    found = pose.estimate(scene, rois, masks=False)
    alone = pose.estimate(person, WHOLE, masks=False)
    assert found.mask_logits is None
    wanted = alone.keypoints[0, :, :2] / 2 + [300, 40]
    sure = alone.keypoints[0, :, 2] > 0.9
    assert np.abs(found.keypoints[0, sure, :2] - wanted[sure]).max() < 5
    assert found.presence[1] == 0 and (found.keypoints[1, :, 2] == 0).all()  # nobody is there


def test_nobody_to_look_at_gives_nobody(pose, person):
    found = pose.estimate(person, np.zeros((0, 4), np.float32), masks=True)
    assert len(found) == 0 and found.mask_logits is not None and len(found.mask_logits) == 0


def test_other_files_are_refused_in_one_line(tmp_path):
    junk = tmp_path / "junk.task"
    junk.write_bytes(b"no model")
    for path, message in [(tmp_path / "none.task", "is not a file"), (junk, "is not a model of MediaPipe")]:
        with pytest.raises(SepcamError, match=message) as error:
            load_pose(f"mediapipe:{path}")
        assert "\n" not in str(error.value)


def test_python_ends_in_peace_and_imports_mediapipe_only_when_asked(task):
    code = (
        "import sys, sepcam.app.cli; from sepcam.models.zoo import load_pose;"
        "print('mediapipe' in sys.modules);"
        f"kept = load_pose('mediapipe:{task}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert "Traceback" not in done.stderr
