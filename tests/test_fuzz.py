"""Damaged files through the whole path: a short run of `make fuzz`."""

from tests.fuzz.inputs import damaged, make_valid
from tests.fuzz.run import fuzz


def test_damaged_files_are_processed_or_refused_in_one_line(tmp_path):
    found = fuzz(tmp_path, 60)
    assert found.faults == {}
    assert set(found.ends) == {"done", "refused"}
    assert found.ends.total() == 60


def test_the_damage_is_the_same_for_the_same_seed(tmp_path):
    valid = make_valid(tmp_path)
    assert len(valid) == 12
    assert damaged(valid, 7, 1) == damaged(valid, 7, 1)
    assert damaged(valid, 7, 1) != damaged(valid, 7, 2)
