"""Lines and zones drawn in the window: what mouse and keys make of them, and what is saved."""

import time

import numpy as np
import pytest
from sepcam.app.live.window import ESCAPE
from sepcam.app.live.zone_drawing import ZoneDrawing
from sepcam.app.live.zones import ZoneEditor, with_drawn, zone_file
from sepcam.models.errors import SepcamError
from sepcam.pipelines.analytics.options import WatchOptions
from sepcam.pipelines.analytics.zone_file import read_zones
from sepcam.pipelines.analytics.zones import parse_zone
from sepcam.pipelines.live.session import LiveSession
from sepcam.pipelines.live.settings import LiveSettings
from sepcam.pipelines.sources.reconnecting import ReconnectingSource
from sepcam.pipelines.watching.rules import parse_rule

from tests.pipelines.live.test_live_session import pool_of
from tests.walkers import SIZE, Clock

WIDTH, HEIGHT = SIZE


@pytest.fixture
def session():
    door = parse_zone("Door: 100,0,100,200", "line")
    settings = LiveSettings("squares", hud="off")
    with LiveSession(
        ReconnectingSource(Clock), pool_of(), settings, zones=[door], prepare_ahead=False
    ) as live:
        yield live


def click(drawing, *points) -> None:
    for x, y in points:
        drawing.mouse("down", x * WIDTH, y * HEIGHT)
        drawing.mouse("up", x * WIDTH, y * HEIGHT)


def drag(drawing, start, end) -> None:
    drawing.mouse("down", start[0] * WIDTH, start[1] * HEIGHT)
    for share in (0.5, 1.0):
        x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
        drawing.mouse("move", x * WIDTH, y * HEIGHT)
    drawing.mouse("up", end[0] * WIDTH, end[1] * HEIGHT)


def test_zones_are_drawn_named_moved_and_deleted(session, tmp_path):
    path = tmp_path / "new" / "clock.zones.json"
    drawing = ZoneDrawing(ZoneEditor(session, [parse_rule("Door crossed")], path), SIZE)
    drawing.key("z")
    click(drawing, (0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.505, 0.505))
    assert [zone.name for zone in read_zones(path)] == ["Door", "zone 1"]
    for key in ("n", *"Yarr", "\x08", "d", "\r"):
        assert drawing.key(key)
    drag(drawing, (0.9, 0.9), (0.7, 0.95))
    (door, yard) = read_zones(path)
    assert yard.name == "Yard" and yard.points[2] == pytest.approx((0.7, 0.95), abs=0.01)
    assert session.watch.zones == (door, yard)

    drawing.key("c")
    assert read_zones(path)[1].color == "#ff5a4f" == session.watch.zones[1].color
    assert session.watch.counts[1].color == "#ff5a4f"
    drag(drawing, (0.7, 0.7), (0.6, 0.7))  # all of it
    assert read_zones(path)[1].points[0] == pytest.approx((0.4, 0.5), abs=0.01)
    drawing.key("l")
    click(drawing, (0.1, 0.9), (0.3, 0.9))
    assert [zone.name for zone in read_zones(path)] == ["Door", "line 1", "Yard"]
    drawing.key("x")
    assert [zone.name for zone in read_zones(path)] == ["Door", "Yard"]

    click(drawing, (100 / WIDTH, 0.4))
    drawing.key("x")
    assert drawing.message == "the rule 'Door crossed' needs 'Door': keep it, and its name"
    assert [zone.name for zone in session.watch.zones] == ["Door", "Yard"]
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    drawing.draw(image)
    assert len(np.unique(image)) > 10
    assert not drawing.key(ESCAPE)


def test_what_is_not_finished_is_forgotten(session, tmp_path):
    drawing = ZoneDrawing(ZoneEditor(session, [], tmp_path / "zones.json"), SIZE)
    drawing.key("z")
    click(drawing, (0.5, 0.5), (0.9, 0.5))
    assert drawing.key(ESCAPE) and not drawing.key(ESCAPE)
    drawing.key("l")
    click(drawing, (0.5, 0.5), (0.5, 0.5))  # no length
    assert "has no length" in drawing.message
    assert not (tmp_path / "zones.json").exists()


def test_counts_of_what_stays_continue_and_who_was_in_what_goes_leaves(session):
    session.start()
    everywhere = parse_zone("all: 0,0,1,0,1,1,0,1", "zone")
    door = session.watch.zones[0]

    def until(condition):
        give_up = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < give_up
            time.sleep(0.02)

    session.watch.change([door, everywhere])
    until(
        lambda: (
            [str(count) for count in session.watch.counts] == ["Door: 0 in, 0 out", "all: 1 now, 1 in all"]
        )
    )
    session.watch.change([everywhere])
    until(lambda: session.wait(0, 1).result.counts[0].name == "all")
    assert [str(count) for count in session.watch.counts] == ["all: 1 now, 1 in all"]
    with pytest.raises(SepcamError, match="outside the frame"):
        session.watch.change([parse_zone("0,0,5000,5000", "line")])
    assert session.watch.zones == (everywhere,)


def test_zones_of_an_earlier_run_are_those_of_the_same_source(tmp_path):
    typed = WatchOptions((parse_zone("Yard: 0,0,1,0,1,1", "zone"),))
    path = zone_file(typed, tmp_path, "camera 0")
    assert path == tmp_path / "camera-0.zones.json" and with_drawn(typed, path) == typed.zones
    path.write_text(
        '{"format": "sepcam-zones", "version": 1, "lines": [{"name": "Door", "points": [[0, 0], [1, 1]]}],'
        ' "zones": [{"name": "Yard", "points": [[0, 0], [1, 1], [0, 1]]}]}'
    )
    found = with_drawn(typed, path)
    assert [zone.name for zone in found] == ["Yard", "Door"] and found[0] == typed.zones[0]
    assert with_drawn(typed, zone_file(typed, tmp_path, "camera 1")) == typed.zones
    named = WatchOptions((), tmp_path / "mine.json")
    assert zone_file(named, tmp_path, "camera 0") == tmp_path / "mine.json"
