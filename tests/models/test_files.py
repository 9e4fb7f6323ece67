"""A file is there whole or not at all, whatever happens while it is written."""

import pytest
from sepcam.models.errors import SepcamError
from sepcam.models.files import (
    DiskFullError,
    PartialFile,
    atomic_write,
    clear_leftovers,
    fit_name,
    free_path,
    hidden_path,
)


def test_a_file_appears_when_its_block_ends(tmp_path):
    target = tmp_path / "new" / "a.txt"
    with atomic_write(target) as hidden:
        hidden.write_text("half")
        assert not target.exists()
        hidden.write_text("whole")
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), DiskFullError),
        (OSError(5, "Input/output error"), SepcamError),
        (ValueError("no"), ValueError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_block_that_fails_leaves_the_old_file(error, raised, tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(raised), atomic_write(target, overwrite=True) as hidden:
        hidden.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_exists_is_replaced_only_on_request(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(SepcamError, match="--overwrite"), atomic_write(target):
        pytest.fail("nothing may be written")
    with atomic_write(target, overwrite=True) as hidden:
        hidden.write_text("new")
    assert target.read_text() == "new"


def test_a_file_that_appears_in_the_meantime_is_not_replaced(tmp_path):
    target = tmp_path / "a.txt"
    with pytest.raises(SepcamError, match="exists already"), atomic_write(target) as hidden:
        hidden.write_text("ours")
        target.write_text("theirs")
    assert target.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_two_writers_in_one_process_do_not_share_a_hidden_name(tmp_path):
    target = tmp_path / "out.mp4"
    first, second = PartialFile(target), PartialFile(target)
    first.path.write_text("first")
    second.path.write_text("second")
    first.commit()
    assert target.read_text() == "first"
    with pytest.raises(SepcamError, match="exists already"):
        second.commit()
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SepcamError, match="cannot write to the folder"),
        atomic_write(tmp_path / "file" / "a"),
    ):
        pytest.fail("nothing may be written")


def test_leftovers_of_a_killed_process_are_deleted(tmp_path):
    left = tmp_path / ".a.partial-7.mp4"
    left.write_text("of a process that died")
    (tmp_path / ".a.partial-7.jsonl").write_text("of another file")
    mine = PartialFile(tmp_path / "a.mp4")
    clear_leftovers(tmp_path / "a.mp4")
    assert not left.exists()
    assert mine.path.exists()  # of a process that lives
    mine.discard()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_free_name_is_one_that_nobody_has_or_is_writing(tmp_path):
    unfinished = PartialFile(free_path(tmp_path, "take", ".mp4"))
    second = PartialFile(free_path(tmp_path, "take", ".mp4"))
    assert second.target.name == "take-2.mp4"
    for file in (unfinished, second):
        file.commit()
    assert free_path(tmp_path, "take", ".mp4").name == "take-3.mp4"
    assert free_path(tmp_path, "take[1]", ".mp4").name == "take[1].mp4"


@pytest.mark.parametrize("stem", ["a" * 251, "監" * 83, "я" * 125 + "y"])
def test_names_at_the_limit_of_the_file_system_are_written(stem, tmp_path):
    with atomic_write(tmp_path / f"{stem}.mp4") as hidden:
        hidden.write_text("whole")
    assert (tmp_path / f"{stem}.mp4").read_text() == "whole"
    left = hidden_path(tmp_path / f"{stem}.mp4")
    left.write_text("of a process that died")
    clear_leftovers(tmp_path / f"{stem}.mp4")
    assert not left.exists()


def test_longer_names_are_shortened_and_stay_apart(tmp_path):
    one, other = (fit_name(tmp_path, "監" * 90 + end, ".coco.json") for end in "ab")
    assert one != other
    assert max(len(name.encode()) for name in (one, other)) <= 255
    assert one.startswith("監" * 70)
    assert one.endswith(".coco.json")
    assert fit_name(tmp_path, "short", ".mp4") == "short.mp4"
