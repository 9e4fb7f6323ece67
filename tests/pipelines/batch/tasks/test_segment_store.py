"""What is kept of the segments of a long video comes back as it was, and is never executed."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.types import Detections
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.batch.state.job_folder import JobFolder, JobInfo
from sepcam.pipelines.batch.state.settings import JobSettings
from sepcam.pipelines.batch.tasks.segment_store import keep, kept
from sepcam.pipelines.types import Instances, MaskCrop


def detections(count: int) -> Detections:
    rng = np.random.default_rng(count)
    boxes, scores = rng.random((count, 4), np.float32), rng.random(count, np.float32)
    crop = np.ones((3, 2), np.uint8), 4, 5
    return Detections(boxes, scores, np.arange(count), rng.random((count, 17, 3), np.float32), [crop] * count)


def same(one, other) -> None:
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            same(left, right)
    elif hasattr(one, "__dataclass_fields__"):
        for name in one.__dataclass_fields__:
            same(getattr(one, name), getattr(other, name))
    else:
        assert one == other


def test_everything_comes_back_as_it_was(tmp_path):
    found = detections(3)
    instances = Instances(
        (48, 64),
        found.boxes,
        found.scores,
        found.labels,
        ("person", "car", "dog"),
        track_ids=np.array([7, 8, 9]),
        masks=[MaskCrop(np.ones((2, 2), np.uint8), 1, 2), None, MaskCrop(np.zeros((5, 1), np.uint8), 0, 0)],
        coasted=np.array([True, False, False]),
    )
    tracks = ((found.boxes, found.labels, found.labels + 1), (detections(0), np.zeros(0, np.int64)))
    for number, thing in enumerate(
        ([(0.04, found), (0.08, detections(0))], [(0.04, instances)], [tracks], [])
    ):
        keep(tmp_path / f"{number}.npz", thing)
        same(thing, kept(tmp_path / f"{number}.npz"))


class Planted:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_a_planted_pickle_is_never_loaded(tmp_path):
    mark, target = tmp_path / "mark", tmp_path / "detections-00000.npz"
    target.write_bytes(pickle.dumps(Planted(mark)))
    with pytest.raises(SepcamError, match="cannot be read"):
        kept(target)
    np.savez(target, tree=np.array([Planted(mark)], dtype=object))
    with pytest.raises(SepcamError, match="cannot be read"):
        kept(target)
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"PK\\x03\\x04 cut", b"text"])
def test_a_damaged_file_is_one_clear_line(content, tmp_path):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(SepcamError, match="cannot be read"):
        kept(tmp_path / "a.npz")


def test_a_class_that_is_not_known_is_not_made(tmp_path):
    tree = json.dumps({"class": "Popen", "args": "true"}).encode()
    np.savez(tmp_path / "a.npz", tree=np.frombuffer(tree, np.uint8))
    with pytest.raises(SepcamError, match="cannot be read"):
        kept(tmp_path / "a.npz")


def test_a_job_of_an_older_version_is_refused(tmp_path):
    folder = JobFolder(tmp_path)
    folder.write(JobInfo(JobSettings(AnalysisOptions("some-detector")), (), False, {}, {}))
    assert folder.info().settings.analysis.detector == "some-detector"
    path = folder.path / "job.json"
    values = json.loads(path.read_text())
    del values["format"]
    path.write_text(json.dumps(values))
    with pytest.raises(SepcamError, match=r"another version of Sepcam.*--fresh"):
        folder.info()
