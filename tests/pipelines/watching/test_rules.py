"""Rules: how they are written, and for which sequences of results they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sepcam.models.errors import SepcamError
from sepcam.pipelines.analytics.watch import Watch
from sepcam.pipelines.analytics.zones import parse_zone
from sepcam.pipelines.watching.keeping import parse_age, parse_size
from sepcam.pipelines.watching.rules import ANYTHING, Rule, parse_rule, resolved
from sepcam.pipelines.watching.triggers import RuleWatch

from tests.pipelines.analytics.people import SIZE, people, results

YARD = parse_zone("Yard: 0,0,160,0,160,240,0,240", "zone")
DOOR = parse_zone("Door: 160,0,160,240", "line")
INSIDE, OUTSIDE = (80, 150), (250, 150)
FPS = 10.0
WORDS = ["person", "in", "Yard", "for", "3", "s", "more", "than", "at", "least", "line", "crossed", "by"]


def held(text: str, frames, fps: float = FPS) -> list[tuple[int, ...] | None]:
    """For each frame the identities for which a rule holds."""
    (rule,) = resolved([parse_rule(text)], [YARD, DOOR], ("person", "dog"))
    watch, rule = Watch([YARD, DOOR], SIZE), RuleWatch(rule)
    return [rule.update(watch.update(result)) for result in results(frames, fps)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("person in Yard for 3 s", ("presence", "person", "Yard", 3.0, "", 0)),
        ("  a person  in zone 1 ", ("presence", "person", "zone 1", 0.0, "", 0)),
        ("anything in the back yard for 2 min", ("presence", ANYTHING, "the back yard", 120.0, "", 0)),
        ("line Door crossed in", ("line", "person", "line Door", 0.0, "in", 0)),
        ("Door crossed by cars", ("line", "cars", "Door", 0.0, "", 0)),
        ("line 1 crossed out", ("line", "person", "line 1", 0.0, "out", 0)),
        ("more than 5 people", ("count", "person", "", 0.0, "", 5)),
        ("more than 5 in Yard", ("count", "person", "Yard", 0.0, "", 5)),
        ("More than 2 dogs in Yard for 1.5 s", ("count", "dogs", "Yard", 1.5, "", 2)),
        ("at least 1 person for 10 seconds", ("count", "person", "", 10.0, "", 0)),
        ("more than 5 for 3 secs", ("count", "person", "", 3.0, "", 5)),
        ("more than 5 in Yard for 2 mins", ("count", "person", "Yard", 120.0, "", 5)),
        ("at least 2 buses", ("count", "buses", "", 0.0, "", 1)),
    ],
)
def test_a_rule_means_what_it_says(text, rule):
    found = parse_rule(text)
    assert (
        found.kind,
        found.label,
        found.place,
        found.seconds,
        found.direction,
        found.more_than,
    ) == rule
    assert str(found) == " ".join(text.split())


@pytest.mark.parametrize(
    "text",
    ["", "person", "more than five people", "Door", "line Door crossed sideways", "a\x07 in b", "x" * 300],
)
def test_what_is_no_rule_is_said_in_one_line(text):
    with pytest.raises(SepcamError, match=r"is not a valid rule: write 'person in ZONE for 3 s'") as error:
        parse_rule(text)
    assert "\n" not in str(error.value)


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_any_words_are_a_rule_or_refused(words):
    text = " ".join(words)
    try:
        assert parse_rule(text).text == " ".join(text.split())
    except SepcamError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("person in Yrd", r"names no zone that is watched \(there is Yard\): add --zone Yrd:\.\.\."),
        ("person in Door", "names no zone"),
        ("line Gate crossed", r"names no line that is watched \(there is Door\): add --line Gate"),
        ("car in Yard", r"is about 'car', which is not reported \(dog, person\): add it to --classes"),
        ("at least 0 people", "is always so"),
    ],
)
def test_a_rule_needs_what_it_names(text, words):
    with pytest.raises(SepcamError, match=words):
        resolved([parse_rule(text)], [YARD, DOOR], ("person", "dog"))


def test_names_are_found_however_they_are_written():
    zones = [YARD, DOOR, parse_zone("0,0.5,1,0.5", "line")]
    texts = ["Person in yard", "line door crossed", "line 1 crossed", "line line 1 crossed in"]
    found = resolved([parse_rule(text) for text in texts], zones, ("person",))
    assert [rule.place for rule in found] == ["Yard", "Door", "line 1", "line 1"]
    with pytest.raises(SepcamError, match="given twice"):
        resolved([parse_rule("person in Yard")] * 2, zones, ("person",))
    with pytest.raises(SepcamError, match="needs tracking"):
        resolved([parse_rule("person in Yard")], zones, ("person",), tracked=False)
    plural = resolved([parse_rule("more than 1 buses")], [], ("bus", "person"))
    assert plural[0].label == "bus"
    assert resolved([Rule("more than 1 person", "count", more_than=1)], [], ("person",), tracked=False)


@given(st.lists(st.sampled_from([INSIDE, OUTSIDE, None]), max_size=60), st.sampled_from([0, 1, 2]))
def test_presence_holds_from_its_time_on_and_never_for_who_is_out(places, seconds):
    holds = held(f"person in Yard for {seconds} s", [people(place) for place in places])
    for frame, ids in enumerate(holds):
        window = places[max(0, frame - round(seconds * FPS)) : frame + 1]
        if len(window) == round(seconds * FPS) + 1 and all(place == INSIDE for place in window):
            assert ids == (1,)
        if places[frame] == OUTSIDE:
            assert ids is None


def test_presence_survives_a_second_without_a_detection():
    places = [INSIDE] * 10 + [None] * 8 + [INSIDE] * 20
    holds = held("person in Yard for 2 s", [people(place) for place in places])
    assert holds.index((1,)) == 20


@given(st.lists(st.integers(0, 4), max_size=50))
def test_a_count_holds_exactly_where_there_are_more(counts):
    frames = [people(*[(20 + 30 * i, 100) for i in range(count)]) for count in counts]
    holds = held("more than 2 people", frames)
    assert [ids is not None for ids in holds] == [count > 2 for count in counts]
    assert all(ids is None or len(ids) == count for ids, count in zip(holds, counts, strict=True))


def test_a_count_that_has_to_last_forgives_a_flicker():
    two = [(20, 100), (60, 100)]
    frames = [people(*two)] * 8 + [people(two[0])] * 4 + [people(*two)] * 12
    holds = held("at least 2 people for 2 s", frames)
    assert [ids is not None for ids in holds].index(True) == 20
    frames = [people(*two)] * 15 + [people(two[0])] * 15 + [people(*two)] * 15
    assert not any(held("at least 2 people for 2 s", frames))


def test_a_line_holds_once_for_each_crossing_in_its_direction():
    across = [OUTSIDE] * 5 + [INSIDE] * 10 + [OUTSIDE] * 10
    frames = [people(place) for place in across]
    both = [frame for frame, ids in enumerate(held("line Door crossed", frames)) if ids]
    one = [frame for frame, ids in enumerate(held("Door crossed in", frames)) if ids]
    other = [frame for frame, ids in enumerate(held("Door crossed out", frames)) if ids]
    assert len(both) == 2 and sorted(one + other) == both and len(one) == 1


def test_other_classes_do_not_count():
    dog = people(INSIDE, labels=[1])
    assert not any(held("person in Yard", [dog] * 5))
    assert held("dogs in Yard", [dog] * 5)[-1] == (1,)
    assert held("anything in Yard", [dog] * 5)[-1] == (1,)


def test_ages_and_sizes_are_read_or_refused():
    assert [parse_age(text) for text in ("7d", "12 h", "30min", "2w")] == [604800, 43200, 1800, 1209600]
    assert [parse_size(text) for text in ("500MB", "5gb", "2GiB")] == [5e8, 5e9, 2**31]
    for wrong in ("7", "d", "-1d", "0d", "7y", "6m"):
        with pytest.raises(SepcamError, match="is not a valid age: write 7d"):
            parse_age(wrong)
    for wrong in ("5", "5XB", "0GB"):
        with pytest.raises(SepcamError, match="is not a valid size: write 500MB"):
            parse_size(wrong)


def test_a_count_lasts_on_a_slow_machine_and_over_no_outage():
    two, one = people(INSIDE, OUTSIDE), people(INSIDE)
    slow = held("at least 2 people for 3 s", [two] * 5, fps=0.7)  # a frame every 1.4 s
    assert [ids is not None for ids in slow] == [False, False, False, True, True]
    short = held("at least 2 people for 3 s", [two, two, one, two, two, two], fps=0.7)
    assert not any(short)
    assert not any(held("at least 2 people for 3 s", [two] * 5, fps=0.1))
