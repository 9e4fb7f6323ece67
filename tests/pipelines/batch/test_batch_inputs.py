"""What the user names becomes a list of sources, and each gets a place for its results."""

import os
from pathlib import Path

import pytest
from sepcam.app.options import jobs as batch_options
from sepcam.models.errors import SepcamError
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.batch.files.inputs import find_inputs
from sepcam.pipelines.batch.files.naming import name_targets
from sepcam.pipelines.batch.planning import plan
from sepcam.pipelines.batch.state.job_folder import JobFolder, JobInfo
from sepcam.pipelines.batch.state.settings import JobSettings, differences

SETTINGS = JobSettings(AnalysisOptions("some-detector"), saves=("jsonl",))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name in ("v/10.mp4", "v/2.mp4", "v/notes.txt", "v/.hidden.mp4", "v/deep/2.mp4", "i/1.jpg", "i/2.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words: str, recursive: bool = False) -> list[str]:
    return [one.name for one in find_inputs(words, recursive=recursive).inputs]


def test_a_folder_of_videos_stands_for_them_in_natural_order(folder):
    assert found("v") == ["v/2.mp4", "v/10.mp4"]
    assert found("v", recursive=True) == ["v/2.mp4", "v/10.mp4", "v/deep/2.mp4"]


def test_a_folder_of_images_is_one_source(folder):
    (one,) = find_inputs(["i"]).inputs
    assert (one.name, one.images, one.stem) == ("i", True, "i")


def test_a_folder_of_both_gives_both_and_says_what_is_left_out(folder):
    (folder / "v/b.png").write_text("b")
    (folder / "v/a.gif").write_text("a")
    result = find_inputs(["v"])
    assert [(one.name, one.images) for one in result.inputs] == [
        ("v/2.mp4", False),
        ("v/10.mp4", False),
        ("v/a.gif", False),
        ("v", True),
    ]
    assert result.left_out == (
        "v: notes.txt is left out: neither videos nor images by their names",
        "v: .hidden.mp4 is left out: hidden by a leading dot",
        "v: deep is left out: --recursive looks into the folders of a folder",
    )
    glob = find_inputs(["v/*"])
    assert [(one.name, one.listed) for one in glob.inputs][-1] == ("v/*", ("v/b.png",))
    assert glob.left_out == ("v: notes.txt is left out: neither videos nor images by their names",)


def test_links_to_folders_are_followed_and_loops_end(folder):
    disk = folder / "disk"
    disk.mkdir()
    (disk / "far.mp4").write_text("far")
    os.symlink(disk, folder / "v" / "day1")
    os.symlink(folder / "v", folder / "v" / "deep" / "up")
    os.symlink(folder / "v" / "deep", folder / "v" / "again")
    os.symlink("nowhere", folder / "v" / "broken")
    os.symlink("self", folder / "v" / "self")
    inputs = find_inputs(["v"], recursive=True).inputs
    assert [(one.name, one.place) for one in inputs] == [
        ("v/2.mp4", ""),
        ("v/10.mp4", ""),
        ("v/day1/far.mp4", "day1"),
        ("v/deep/2.mp4", "deep"),
    ]


def test_names_that_look_like_something_else(folder):
    for name in ("7/1.png", "synthetic/1.png", "a[1].jpg", "10:00:00.mp4", "caf\udce9.mp4", "-x.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name.encode("utf-8", "replace").decode())
    assert [one.images for one in find_inputs(["7", "synthetic", "a[1].jpg"]).inputs] == [True] * 3
    assert [one.path is not None for one in find_inputs(["10:00:00.mp4", "caf\udce9.mp4"]).inputs] == [
        True
    ] * 2
    assert planned(folder / "out", "caf\udce9.mp4", "10:00:00.mp4") == {
        "caf\udce9.mp4": "waiting",
        "10:00:00.mp4": "waiting",
    }
    assert planned(folder / "out", "caf\udce9.mp4")["caf\udce9.mp4"] == "waiting"  # the same one


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_lists_as_windows_programs_save_them(encoding, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    (folder / "list.txt").write_text('v/10.mp4\r\n"v/2.mp4"\r\n~/i/1.jpg\r\n', encoding=encoding, newline="")
    assert found("@list.txt") == ["v/10.mp4", "v/2.mp4", str(folder / "i/1.jpg")]
    assert found("@~/list.txt") == found("@list.txt")


def test_a_glob_stands_for_the_videos_that_match(folder):
    assert found("v/**/2.*") == ["v/2.mp4", "v/deep/2.mp4"]


def test_a_list_stands_for_its_lines(folder):
    (folder / "list.txt").write_text("# mine\nv/10.mp4\n\ni/1.jpg\nno.mp4\n")
    result = find_inputs(["@list.txt"])
    assert [one.name for one in result.inputs] == ["v/10.mp4", "i/1.jpg"]
    assert result.missing == ("no.mp4 does not exist",)
    assert result.searched
    assert find_inputs(["@none.txt"]).missing == (
        "the list none.txt cannot be read: No such file or directory",
    )


def test_an_image_that_is_named_and_not_there_is_missing_as_a_video_is(folder):
    result = find_inputs(["i/1.jpg", "i/none.jpg"])
    assert [one.name for one in result.inputs] == ["i/1.jpg"]
    assert result.missing == ("i/none.jpg does not exist",)


def test_a_file_that_is_named_twice_is_one(folder):
    os.symlink("2.mp4", folder / "v" / "link.mp4")
    assert found("v/2.mp4", "v/link.mp4", str(folder / "v" / "2.mp4"), "v") == ["v/2.mp4", "v/10.mp4"]


@pytest.mark.parametrize(
    ("words", "stems"),
    [
        (("v",), ["2", "10"]),
        (("v/2.mp4", "v/deep/2.mp4"), ["2", "deep/2"]),
        (("v/2.mp4", "v/2.avi"), ["2", "2-avi"]),
    ],
)
def test_names_that_clash_keep_their_folders_or_their_suffix(words, stems, folder):
    (folder / "v/2.avi").write_text("another")
    (folder / "v/2.avi").touch()
    if words == ("v",):
        (folder / "v/2.avi").unlink()
    inputs = find_inputs(words).inputs
    targets = name_targets(inputs, folder / "out", ("jsonl",))
    paths = [targets[one.key].files["jsonl"].relative_to(folder / "out") for one in inputs]
    assert [path.with_suffix("").as_posix() for path in paths] == stems


def test_results_never_take_the_place_of_an_input(folder):
    inputs = find_inputs(["v/2.mp4"]).inputs
    targets = name_targets(inputs, folder / "v", ("video",))
    assert targets[inputs[0].key].files["video"].name == "2-mp4.mp4"


def planned(out: Path, *words: str) -> dict[str, str]:
    job = JobFolder(out)
    with job.locked(), job.journal() as journal:
        info = JobInfo(SETTINGS, words, False, {}, {})
        job.write(info)
        entries = plan(job, journal, find_inputs(words, recursive=True).inputs, info, overwrite=False)
    return {entry.input.name: entry.state for entry in entries}


def test_copies_and_results_of_a_job_are_recognized(folder):
    (folder / "v/copy.mp4").write_text("v/2.mp4")
    assert planned(folder / "out", "v")["v/copy.mp4"] == "skipped"
    assert "v/deep/2.mp4" in planned(folder / "out", "v")
    # A job whose results lie among its inputs takes none of them for an input.
    first = planned(folder / "v", "v")
    (folder / "v" / "10.jsonl").write_text("{}")
    assert planned(folder / "v", "v") == first


def test_a_job_is_the_same_from_any_folder(folder, monkeypatch):
    planned(folder / "out", "v")
    monkeypatch.chdir(folder / "i")
    assert set(planned(folder / "out", "../v")) == {"../v/2.mp4", "../v/10.mp4", "../v/deep/2.mp4"}


def test_a_result_that_is_not_the_jobs_is_not_replaced(folder):
    (folder / "out").mkdir()
    (folder / "out" / "10.jsonl").write_text("precious")
    with pytest.raises(SepcamError, match=r"10\.jsonl exists: use --overwrite"):
        planned(folder / "out", "v")


def test_settings_survive_json_and_tell_their_differences():
    one = JobSettings(AnalysisOptions("a", tasks=("track",), classes=("person",), input_size=(480, 640)))
    assert JobSettings.from_json(one.to_json()) == one
    other = JobSettings(AnalysisOptions("b", tasks=(), classes=("person",), input_size=(480, 640)))
    assert differences(one, other) == ["detector a -> b", "tasks track -> none"]


@pytest.mark.parametrize(("text", "size"), [("500M", 500 * 2**20), ("4G", 2**32), ("1.5 GiB", 3 * 2**29)])
def test_sizes_are_read(text, size):
    assert batch_options.size(text) == size


@pytest.mark.parametrize(
    ("read", "text"), [(batch_options.size, "much"), (batch_options.size, "0G"), (batch_options.workers, "0")]
)
def test_sizes_and_numbers_that_are_none_get_one_line(read, text):
    with pytest.raises(SepcamError, match=f"got '{text}'"):
        read(text)
