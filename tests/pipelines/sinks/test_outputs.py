"""What will be written is decided and checked before any work is done."""

from pathlib import Path

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sinks.base import ResultName
from sepcam.pipelines.sinks.outputs import Target, check, target


def test_results_are_named_after_their_source(tmp_path):
    files = target("a/clip.avi", ResultName(tmp_path, "clip"), ("video", "jsonl", "mot")).files
    assert {save: path.name for save, path in files.items()} == {
        "video": "clip.mp4",
        "jsonl": "clip.jsonl",
        "mot": "clip.mot.txt",
    }


def test_results_of_images_are_a_folder_of_pictures_and_coco_results(tmp_path):
    files = target("trip", ResultName(tmp_path, "trip", source_type="images"), ("video", "coco")).files
    assert {save: path.name for save, path in files.items()} == {
        "video": "trip-annotated",
        "coco": "coco_results.json",
    }


def clip(folder: Path, source: str = "elsewhere/clip.avi", stem: str = "clip"):
    return target(source, ResultName(folder, stem), ("video", "jsonl"))


def test_the_folder_is_made_and_left_empty(tmp_path):
    check([clip(tmp_path / "new" / "out")], tmp_path / "new" / "out", overwrite=False)
    assert list((tmp_path / "new" / "out").iterdir()) == []


def test_an_existing_result_is_refused_unless_it_may_be_overwritten(tmp_path):
    (tmp_path / "clip.jsonl").write_text("precious")
    with pytest.raises(SepcamError, match=r"clip\.jsonl exists: use --overwrite"):
        check([clip(tmp_path)], tmp_path, overwrite=False)
    check([clip(tmp_path)], tmp_path, overwrite=True)
    assert (tmp_path / "clip.jsonl").read_text() == "precious"


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_input_is_never_overwritten(tmp_path, overwrite):
    path = tmp_path / "clip.mp4"
    path.write_text("precious")
    with pytest.raises(SepcamError, match="is an input"):
        check([clip(tmp_path, source=str(path))], tmp_path, overwrite=overwrite)


@pytest.mark.parametrize("stem", ["clip", "Clip"])
def test_two_inputs_that_would_write_the_same_file_are_refused(tmp_path, stem):
    with pytest.raises(SepcamError, match=r"a/clip\.avi and b/clip\.avi would both write"):
        check([clip(tmp_path, "a/clip.avi"), clip(tmp_path, "b/clip.avi", stem)], tmp_path, overwrite=True)


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SepcamError, match="cannot write to"):
        check([clip(tmp_path / "file" / "out")], tmp_path / "file" / "out", overwrite=False)


def test_a_folder_that_cannot_even_be_looked_for_is_told(tmp_path):
    folder = tmp_path / ("a" * 300)
    with pytest.raises(SepcamError, match=r"^cannot write to .*: File name too long; choose another folder"):
        target("clip.avi", ResultName(folder, "clip"), ("jsonl",))
    with pytest.raises(SepcamError, match=r"^cannot write to .*: File name too long; choose another folder"):
        check([Target("clip.avi", {"jsonl": folder / "clip.jsonl"})], folder, overwrite=False)
