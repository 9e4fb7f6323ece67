"""The page finds, masks and follows the same people as Python does, on the same tensors and detections."""

import json
import re
import subprocess

import cv2
import numpy as np
import pytest
from sepcam.app.assets import demo_clip
from sepcam.models.detectors.fitted import fitted_size
from sepcam.models.networks.people import MaskHead, PeopleMaps
from sepcam.models.ops.letterbox import Letterbox
from sepcam.models.ops.masks import place_masks
from sepcam.models.people.decoding import decode
from sepcam.models.people.maps import Cells, Maps
from sepcam.models.people.masks import mask_affines, mask_inputs
from sepcam.models.people.merging import unique
from sepcam.models.people.specs import PEOPLE
from sepcam.models.people.types import People, View
from sepcam.models.types import Detections
from sepcam.models.weights.bundled import read_bundled
from sepcam.models.weights.store import WeightStore
from sepcam.pipelines.tracking.bytetrack import ByteTrack

from tests.app.web.device.core import CORE, NODE, Core, needs_node

torch = pytest.importorskip("torch")
pytestmark = needs_node

LONGEST = 256
FLOOR = 0.1


@pytest.fixture
def core(tmp_path):
    return Core(tmp_path)


@pytest.fixture(scope="module")
def frames():
    """Every 40th frame of the sample clip, (360, 540, 3) uint8 BGR."""
    video, found = cv2.VideoCapture(str(demo_clip())), []
    while len(found) < 8 and (read := video.read())[0]:
        found.append(read[1])
        for _ in range(39):
            video.grab()
    return found


@pytest.fixture(scope="module")
def networks():
    weights, parts = WeightStore().path("people"), []
    for name, make in (("people", PeopleMaps), ("mask", MaskHead)):
        network = make().eval()
        network.load_state_dict(read_bundled(weights, name))
        parts.append(network)
    return parts


def look(network, image):
    letterbox = Letterbox(fitted_size(image.shape, LONGEST), 0, average=True)
    batch, (fx, fy) = letterbox(image)
    with torch.inference_mode():
        outputs = [output.numpy() for output in network(torch.from_numpy(batch))]
    return batch[0], outputs, View((0, 0), (float(fx), float(fy)))


def maps(outputs):
    """What Python makes people of; the page has the same values for all cells."""
    center, heatmap, regress, offset, size, middle, features = (output[0] for output in outputs)

    def read(rows, columns):
        pairs = (one.reshape(17, 2, *center.shape[1:])[..., rows, columns] for one in (regress, offset))
        return Cells(
            *(np.moveaxis(one, 2, 0) for one in pairs), size[:, rows, columns].T, middle[:, rows, columns].T
        )

    return Maps(center[0], heatmap, features, read)


NAMES = ("center", "heatmap", "regress", "offset", "boxScale", "boxOffset", "features")

DECODE = """
const { center, heatmap, regress, offset, boxScale, boxOffset } = given;
const maps = { ...values, center, heatmap, regress, offset, boxScale, boxOffset };
const people = core.decode(maps, values.floor);
console.log(JSON.stringify(people.map((one) => ({ ...one, keypoints: [...one.keypoints] }))));
"""


def as_people(found):
    n = len(found)
    boxes = np.array([one["box"] for one in found], np.float32).reshape(n, 4)
    keypoints = np.array([one["keypoints"] for one in found], np.float32).reshape(n, 17, 3)
    scores = np.array([one["score"] for one in found], np.float32)
    return People(boxes, scores, keypoints, scores, scores, np.zeros(n, np.int64))


def arrays(outputs):
    return {name: output[0] for name, output in zip(NAMES, outputs, strict=True)}


def test_boxes_and_keypoints_are_read_as_in_python(core, frames, networks):
    people = 0
    for image in frames:
        _, outputs, _ = look(networks[0], image)
        wanted = decode(maps(outputs), FLOOR)
        rows, columns = outputs[0].shape[2:]
        values = {"rows": rows, "columns": columns, "floor": FLOOR}
        found = as_people(core.run(DECODE, values=values, **arrays(outputs)))
        assert len(found) == len(wanted)
        np.testing.assert_allclose(found.boxes, wanted.boxes, atol=0.01)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-5)
        np.testing.assert_allclose(found.keypoints, wanted.keypoints, atol=0.01)
        people += len(found)
    assert people > 15


MASKS = """
const { rows, columns, people, shape } = values;
const shown = people.map((one) => ({ ...one, keypoints: Float32Array.from(one.keypoints) }));
if (values.stage === "inputs") write("inputs", core.maskInputs(given.features, rows, columns, shown));
else {
  const masks = core.placeMasks(given.logits, shown, values.view, values.boxes, ...shape);
  write("pixels", Uint8Array.from(masks.flatMap((mask) => [...mask.pixels])));
  console.log(JSON.stringify(masks.map(({ x, y, width, height }) => [x, y, width, height])));
}
"""


def as_json(people):
    rows = zip(
        people.boxes.tolist(), people.scores.tolist(), people.keypoints.reshape(-1, 51).tolist(), strict=True
    )
    return [
        {"box": box, "score": score, "center": score, "keypoints": keypoints}
        for box, score, keypoints in rows
    ]


def test_masks_are_those_of_python(core, frames, networks):
    ious = []
    for image in frames:
        _, outputs, view = look(networks[0], image)
        shown, features = decode(maps(outputs), FLOOR), outputs[6][0]
        wanted_inputs = mask_inputs(features, shown)
        with torch.inference_mode():
            (logits,) = networks[1](torch.from_numpy(wanted_inputs))
        logits, boxes = logits.numpy(), view.to_image(shown).boxes
        wanted = place_masks(logits, mask_affines(shown, view), boxes, image.shape[:2])
        values = {
            "rows": features.shape[0],
            "columns": features.shape[1],
            "people": as_json(shown),
            "view": {"scaleX": view.scale[0], "scaleY": view.scale[1]},
            "boxes": boxes.tolist(),
            "shape": image.shape[:2],
        }
        core.run(MASKS, values=values | {"stage": "inputs"}, features=features)
        inputs = core.written("inputs", np.float32).reshape(wanted_inputs.shape)
        # OpenCV rounds positions to 1/32 of a cell.
        np.testing.assert_allclose(inputs, wanted_inputs, atol=0.35)
        assert np.abs(inputs - wanted_inputs).mean() < 0.003
        places = core.run(MASKS, values=values | {"stage": "place"}, logits=logits)
        pixels, start = core.written("pixels", np.uint8), 0
        for (crop, x, y), (left, top, width, height) in zip(wanted, places, strict=True):
            assert (x, y, *crop.shape) == (left, top, height, width)
            mine = pixels[start : start + width * height].reshape(height, width)
            start += width * height
            if (size := np.count_nonzero(crop | mine)) > 50:
                ious.append(np.count_nonzero(crop & mine) / size)
    assert len(ious) > 10
    assert min(ious) > 0.99


UNIQUE = """
const people = values.people.map((one) => ({ ...one, keypoints: Float32Array.from(one.keypoints) }));
console.log(JSON.stringify(core.unique(people).map((one) => people.indexOf(one))));
"""


def test_two_finds_of_one_person_are_one(core):
    rng = np.random.default_rng(0)
    base = rng.uniform(20, 200, (6, 2))
    boxes = np.concatenate([base, base + rng.uniform(30, 90, (6, 2))], 1).repeat(3, 0)
    boxes += rng.normal(0, 6, boxes.shape)
    keypoints = np.zeros((18, 17, 3))
    keypoints[..., :2] = rng.uniform(boxes[::3, None, :2], boxes[::3, None, 2:], (6, 17, 2)).repeat(3, 0)
    keypoints[..., :2] += rng.normal(0, 3, (18, 1, 2))
    keypoints[..., 2] = 0.5
    scores = rng.uniform(0.1, 1, 18).astype(np.float32)
    people = People(
        boxes.astype(np.float32), scores, keypoints.astype(np.float32), scores, scores, np.arange(18)
    )
    wanted = unique(people).views.tolist()
    assert 6 <= len(wanted) < 18
    assert core.run(UNIQUE, values={"people": as_json(people)}) == wanted


LETTERBOX = """
const box = new core.Letterbox(core.fittedSize(values.height, values.width, values.longest));
const view = box.fill({ width: values.width, height: values.height, data: given.image });
write("input", box.input);
console.log(JSON.stringify([box.size, view]));
"""


@pytest.mark.parametrize("shape", [(360, 540), (720, 1280), (480, 270), (100, 90), (257, 256)])
def test_images_are_fitted_into_the_input_as_in_python(core, frames, shape):
    image = cv2.resize(frames[0], shape[::-1], interpolation=cv2.INTER_AREA)
    size = fitted_size(shape, LONGEST)
    wanted, scale = Letterbox(size, 0, average=True)(image)
    values = {"height": shape[0], "width": shape[1], "longest": LONGEST}
    got, view = core.run(LETTERBOX, values=values, image=cv2.cvtColor(image, cv2.COLOR_BGR2RGBA))
    assert tuple(got) == size
    np.testing.assert_allclose([view["scaleX"], view["scaleY"]], scale, rtol=1e-6)
    mine = core.written("input", np.uint8).reshape(wanted.shape[1:])
    assert np.abs(mine.astype(int) - wanted[0]).max() <= 3  # OpenCV rounds after each halving


TRACK = """
const tracker = new core.Tracker(values.settings);
const out = values.frames.map(({ time, boxes, scores, reset }) => {
  if (reset) tracker.reset();
  const found = boxes.map((box, i) => ({ box, score: scores[i] }));
  return [tracker.follow(found, time), tracker.coasted(...values.size)];
});
console.log(JSON.stringify(out));
"""

SIZE = (360, 540)


def crowd(seed):
    """People who walk, cross, are missed, weakly seen or seen twice, at uneven times; nobody at first."""
    rng = np.random.default_rng(seed)
    place, speed = rng.uniform((0, 60), (500, 250), (9, 2)), rng.normal(0, 60, (9, 2)) * (1, 0.2)
    half = rng.uniform(14, 40, (9, 1)) * (0.5, 1.2)
    frames, time = [], 0.0
    for number in range(120):
        time += float(rng.choice([1 / 30, 1 / 30, 0.1, 0.4, 1.3], p=[0.5, 0.2, 0.15, 0.1, 0.05]))
        at = place + speed * time
        at[:, 0] %= 560
        seen = rng.random(9) < (0 if number < 3 else 0.85)
        boxes = np.concatenate([at - half, at + half], 1)[seen]
        boxes = boxes + rng.normal(0, 1.5, boxes.shape)
        scores = rng.choice([0.9, 0.6, 0.34, 0.2, 0.11, 0.05], len(boxes)) + rng.uniform(0, 0.01, len(boxes))
        order = np.argsort(-scores)
        frames.append(
            {
                "time": None if number % 50 == 49 else time - (5 if number % 60 == 59 else 0),
                "boxes": boxes[order].astype(np.float32).tolist(),
                "scores": scores[order].astype(np.float32).tolist(),
                "reset": number == 80,
            }
        )
    return frames


@pytest.mark.parametrize("seed", range(4))
def test_people_keep_the_identities_that_python_gives_them(core, seed):
    assert PEOPLE.detector is not None
    settings, frames = PEOPLE.detector.tracker, crowd(seed)
    names = ("high", "new", "low", "first_iou", "second_iou", "confirm_frames", "lost_s")
    values = {"settings": {name: getattr(settings, name) for name in names}, "frames": frames, "size": SIZE}
    got, tracker, people = core.run(TRACK, values=values), ByteTrack(("person",), settings), set()
    for frame, (followed, coasted) in zip(frames, got, strict=True):
        if frame["reset"]:
            tracker.reset()
        n = len(frame["boxes"])
        boxes = np.array(frame["boxes"], np.float32).reshape(n, 4)
        found = Detections(boxes, np.array(frame["scores"], np.float32), np.zeros(n, np.int64))
        boxes, rows, ids = tracker.follow(found, frame["time"])
        assert [one["id"] for one in followed] == ids.tolist()
        assert [one["detection"] for one in followed] == rows.tolist()
        np.testing.assert_allclose(
            [one["box"] for one in followed], boxes.reshape(-1, 4) if len(ids) else [], atol=0.02
        )
        expected, lost = tracker.coasted(SIZE)
        assert sorted(one["id"] for one in coasted) == sorted(lost.tolist())
        by_id = {one["id"]: one for one in coasted}
        for box, score, number in zip(expected.boxes, expected.scores, lost.tolist(), strict=True):
            np.testing.assert_allclose(by_id[number]["box"], box, atol=0.02)
            assert by_id[number]["score"] == pytest.approx(float(score), abs=1e-5)
        people |= set(ids.tolist())
    assert len(people) > 8


def test_weights_travel_in_planes(core):
    from sepcam.app.web.device.networks import _planes

    halves = np.random.default_rng(0).normal(size=1000).astype("<f2")
    planes = np.frombuffer(_planes(halves.tobytes()), np.uint8)
    core.run('write("joined", core.joinPlanes(given.planes));', planes=planes)
    np.testing.assert_array_equal(core.written("joined", np.float16), halves)


def test_the_runtime_is_the_one_that_was_published(core):
    """Its binaries unpack to the files of the npm package, whose hashes are kept beside them."""
    folder = CORE.parents[1] / "runtime"
    about = json.loads((folder / "version.json").read_text())
    assert re.fullmatch(r"sha512-[\w+/=]{80,}", about["integrity"])
    program = """
        import crypto from "node:crypto";
        const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");
        const found = {};
        for (const name of values.names) {
          const bytes = fs.readFileSync(values.folder + "/" + name);
          found[name] = [sha256(bytes), sha256(await core.unpack(new Uint8Array(bytes)))];
        }
        console.log(JSON.stringify(found));
    """
    found = core.run(program, values={"names": list(about["files"]), "folder": str(folder)})
    for name, file in about["files"].items():
        assert found[name] == [file["sha256"], file["original_sha256"]], name
        assert file["bytes"] == (folder / name).stat().st_size < 5_000_000


SOURCE = CORE.parents[1] / "source"


@pytest.mark.skipif(not (SOURCE / "node_modules").is_dir(), reason="needs npm ci in app/web/device/source")
def test_the_committed_page_is_built_of_the_committed_sources(tmp_path):
    assert NODE is not None
    done = subprocess.run([NODE, "build.mjs", str(tmp_path)], cwd=SOURCE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = {path.name: path.read_text() for path in tmp_path.glob("*.js")}
    assert {*built} == {"core.js", "main.js", "sw.js", "worker.js"}
    assert built == {name: (CORE.parent / name).read_text() for name in built}
