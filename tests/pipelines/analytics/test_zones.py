"""Lines and zones are read from text and from files, in fractions and in pixels."""

import json

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.analytics.options import WatchOptions
from sepcam.pipelines.analytics.zone_file import as_json, read_zones, write_zones
from sepcam.pipelines.analytics.zones import Zone, parse_zone, zone_of

SQUARE = ((0.25, 0.5), (0.75, 0.5), (0.75, 1), (0.25, 1))


def test_points_may_be_fractions_or_pixels_with_or_without_a_name():
    plain = parse_zone("1,2 3,4", "line", 2)
    assert plain == Zone("line 2", ((1, 2), (3, 4))) and plain.pixels((10, 10)) == ((1, 2), (3, 4))
    named = parse_zone("Front door: 0,0.5, 1,0.5", "line")
    assert (named.name, named.is_line, named.pixels((640, 480))) == (
        "Front door",
        True,
        ((0, 240), (640, 240)),
    )
    assert parse_zone("a:b:0,0,9,0,9,9", "zone").name == "a:b"
    for zone in (plain, named, Zone("yard", SQUARE)):
        assert zone_of(str(zone)) == zone
    colored = Zone("a #ff0000: b", SQUARE, "#00fF00")
    assert (zone_of(str(colored)), zone_of(str(colored)).color) == (colored, "#00fF00")


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        *(
            (text, "line", "is not a valid line: write")
            for text in ("1,2,3", "1,2,3,4,5,6", "a,b,c,d", "", "1,2,1,2")
        ),
        *((text, "zone", "is not a valid zone: write") for text in ("1,2,3,4", "1,2,3,4,5", "0,0,1,1,0,0")),
        *((f"{bad},0,5,5", "line", "coordinates are numbers from 0") for bad in ("-5", "nan", "inf")),
        ("0.5,0,200,100", "line", "mixes fractions"),
        ("0,0,1,1,0.5,0.5", "zone", "has no area"),
        (" :1,2,3,4", "line", "is not a name"),
        (f"{'x' * 41}:1,2,3,4", "line", "is not a name"),
    ],
)
def test_an_invalid_line_or_zone_is_refused(text, kind, why):
    with pytest.raises(SepcamError, match=why):
        parse_zone(text, kind)


def test_pixels_have_to_lie_in_the_frame():
    with pytest.raises(
        SepcamError, match=r"line 'line 1' \(0,0,640,480\) lies outside the frame, which has 320x240"
    ):
        parse_zone("0,0,640,480", "line").pixels((320, 240))


def test_every_name_says_which_one_is_meant():
    with pytest.raises(SepcamError, match="two lines or zones have the name 'door'"):
        WatchOptions((Zone("door", ((0, 0), (1, 1))), Zone("door", SQUARE)))


def test_a_file_holds_lines_and_zones(tmp_path):
    path = tmp_path / "zones.json"
    zones = (Zone("door", ((0, 0.5), (1, 0.5))), Zone("院子", SQUARE))
    path.write_text(json.dumps(as_json(zones)), encoding="utf-8")
    assert read_zones(path) == zones
    content = as_json(zones) | {"version": 1, "made by": "an editor"}
    content["lines"][0] |= {"color": "#ff0000"}
    path.write_text(json.dumps(content), encoding="utf-16")
    assert read_zones(path) == zones


def test_what_an_editor_writes_is_read_back_in_fractions_with_colors(tmp_path):
    path = tmp_path / "new" / "zones.json"
    zones = [Zone("door", ((0, 50), (100, 50)), "#00ff00"), Zone("yard", ((0, 0), (0.5, 0), (0.5, 0.5)))]
    for _ in range(2):  # the second time it is replaced
        write_zones(path, zones, (200, 100))
    assert read_zones(path) == (Zone("door", ((0, 0.5), (0.5, 0.5))), zones[1])
    assert [zone.color for zone in read_zones(path)] == ["#00ff00", ""]
    write_zones(path, [], (200, 100))
    assert read_zones(path) == ()


def test_pixels_of_a_file_that_says_of_which_size_fit_every_frame(tmp_path):
    path = tmp_path / "zones.json"
    content = {
        "format": "sepcam-zones",
        "version": 1,
        "units": "pixels",
        "zones": [{"points": [[0, 0], [50, 0], [50, 50]]}],
    }
    path.write_text(json.dumps(content))
    assert read_zones(path) == (Zone("zone 1", ((0, 0), (50, 0), (50, 50))),)
    path.write_text(json.dumps(content | {"size": [100, 50]}))
    assert read_zones(path)[0].pixels((200, 100)) == ((0, 0), (100, 0), (100, 100))


GOOD = {"format": "sepcam-zones", "version": 1, "lines": [{"points": [[0, 0], [1, 1]]}]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not a JSON file"),
        ("[" * 100_000, "is not a JSON file"),
        (GOOD | {"lines": [{"points": [[0, 0], [10**400, 1]]}]}, r"line 1: points are a list of \[x, y\]"),
        ([], 'it says "format": "sepcam-zones"'),
        ({"format": "sepcam-zones", "version": 2}, "version 2 is not known"),
        (GOOD | {"units": "feet"}, "units are fractions or pixels, not 'feet'"),
        (GOOD | {"lines": 3}, "lines is a list"),
        (GOOD | {"lines": []}, "no line and no zone"),
        (GOOD | {"lines": [{"points": [[0, 0]]}]}, "line 1 has 1 points"),
        (GOOD | {"lines": [{"points": [[0, 0], [1, True]]}]}, r"line 1: points are a list of \[x, y\]"),
        (GOOD | {"lines": [{"points": [[0, 0], [640, 480]]}]}, "fractions lie between 0 and 1"),
        (GOOD | {"units": "pixels", "size": [0, 4]}, "size is"),
        (
            GOOD | {"lines": [{"points": [[0, 0], [1, 1]], "color": "red"}]},
            "'red' is not a color such as #ffc83c",
        ),
        (GOOD | {"lines": [{"points": [[0, 0], [1, 1]], "color": 7}]}, "7 is not a color"),
        (
            GOOD | {"units": "pixels", "size": [4, 4], "lines": [{"points": [[0, 0], [9, 9]]}]},
            "outside the size",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where(content, why, tmp_path):
    path = tmp_path / "zones.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SepcamError, match=f"^{path}.*{why}"):
        read_zones(path)
