"""What was counted is told in tables of 80 columns."""

from dataclasses import replace

from sepcam.app.process.counts import people_text, show_counts
from sepcam.pipelines.statistics import LineStatistics, Statistics, ZoneStatistics

LONG = "a name that is as long as a name may be "


def found(people=5, name="door", tracked=True):
    line = LineStatistics(name, {"person": (12, 34), "dog": (1, 0)}, (1.0,), (2.0,))
    zone = ZoneStatistics("yard", {"person": (7, 9), "dog": (1, 1)}, 8, 10, 12.34, 3785.0, 123.4, (1.0,))
    return Statistics(60.0, people, tracked, 3, {"person": people}, lines=(line,), zones=(zone,))


def test_people_are_identities_or_the_most_at_once_and_the_line_says_which():
    assert people_text(1, found()) == "1 person"
    assert people_text(5, None) == "5 people"
    assert people_text(5, found(tracked=False)) == "at most 5 people at once"


def test_counts_of_one_file(capsys):
    show_counts([("in.mp4", found())])
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines()] == [
        ["line", "class", "in", "out"],
        ["door", "person", "12", "34"],
        ["door", "dog", "1", "0"],
        ["zone", "class", "different", "visits", "mean", "longest"],
        ["yard", "person,", "dog", "8", "10", "12.3", "s", "1:03:05"],
        ["5", "people", "in", "1:00:", "5.0", "a", "minute"],
    ]


def test_a_line_that_nobody_crossed_in_one_file_is_one_sum(capsys):
    quiet = replace(found(), lines=(LineStatistics("door", {}, (), ()), LineStatistics("gate", {}, (), ())))
    show_counts([("a.mp4", found()), ("b.mp4", quiet)])
    sums = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("all")]
    assert sums == [
        ["all", "door", "person", "12", "34"],
        ["all", "door", "dog", "1", "0"],
        ["all", "gate", "0", "0"],
    ]


def test_counts_of_several_files_are_added_up_and_fit_the_terminal(capsys):
    show_counts([(f"folder/{LONG * 3}.mp4", found(name=LONG)), ("b.mp4", found(name=LONG))])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("all") and line.split()[-3:] == ["person", "24", "68"] for line in lines)
    assert lines[-1] == "10 people in 2:00: 5.0 a minute"
