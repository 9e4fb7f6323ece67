"""The page of what was counted shows every file, and needs no network."""

import re
import xml.etree.ElementTree as ET

import pytest
from sepcam.pipelines.statistics import LineStatistics, Statistics, ZoneStatistics
from sepcam.pipelines.summary.page import FileSummary, page
from sepcam.pipelines.summary.plots import HEIGHT, WIDTH, clock, histogram, over_time, steps

FOUND = Statistics(
    seconds=90.0,
    people=6,
    tracked=True,
    at_once=3,
    classes={"person": 6, "dog": 1},
    timeline=(0, 1, 3, 2),
    lines=(LineStatistics("<door>", {"person": (4, 1), "dog": (0, 1)}, (1.0, 2.5), (80.0,)),),
    zones=(ZoneStatistics("yard", {"person": (2, 3)}, 2, 3, 5.0, 9.5, 15.0, (2.0, 3.5, 9.5)),),
)


def cells(text: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", text)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_a_page_lists_files_lines_and_zones_and_loads_nothing():
    text = page(
        "all", [FileSummary("a & b.mp4", 2700, FOUND), FileSummary("\udcff.mp4", 10, Statistics(1.0, 2))]
    )
    rows = cells(text)
    assert ["a &amp; b.mp4", "2700", "1:30", "6", "3", "4.0"] in rows
    assert ["?.mp4", "10", "1 s", "at most 2 at once", "0", ""] in rows
    assert ["all", "2710", "1:31", "6", "3", "4.0"] in rows
    assert ["&lt;door&gt;", "person", "4", "1"] in rows and ["&lt;door&gt;", "dog", "0", "1"] in rows
    assert ["yard", "person", "2", "3", "5 s", "9.5 s", "15 s"] in rows
    assert not re.search(r"https?:|src=|url\(|@import|<script|<door>", text)
    assert text.count("<svg") == text.count("</svg>") == 4


@pytest.mark.parametrize(
    "plot",
    [
        *(over_time((0, 3, 1), 1.0, "t"), over_time((), 1.0, "t"), histogram((0.0, 3.0, 1e5), "t")),
        *(histogram((), "t"), steps([("in", (1.0, 2.0)), ("<out>", ())], 3.0, 't"'), steps([], 0.0, "t")),
    ],
)
def test_plots_are_valid_and_stay_inside(plot):
    root = ET.fromstring(plot)
    for shape in root.iter():
        for point in shape.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH and 0 <= y <= HEIGHT


def test_times_are_written_as_people_do():
    assert [clock(s) for s in (0, 4.26, 59, 60, 3785)] == ["0 s", "4.26 s", "59 s", "1:00", "1:03:05"]
