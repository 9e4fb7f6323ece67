"""Events and zones of ``sepcam serve``: over HTTP, and on the page in a real browser."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sepcam.assets import demo_clip
from sepcam.pipelines.analytics.zone_file import read_zones

from tests.web_server import WebServer, serving

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 60_000
RULE = "at least 1 person"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def server(folder) -> Iterator[WebServer]:
    people = ("--loop", "--detector", "ssdlite-person", "--tasks", "track", "--conf", "0.5")
    rules = ("--rule", RULE, "--rule", "line Door crossed", "--line", "Door:0.5,0,0.5,1")
    with serving(str(demo_clip()), *people, *rules, "-o", str(folder)) as server:
        yield server


@pytest.fixture
def page(server) -> Iterator[Page]:
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("the page's tests need a browser (apt-get install chromium)")
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.url)
        yield page
        browser.close()
    assert complaints == []


@pytest.fixture
def stored(server, folder) -> dict:
    """The first event, which stopping the source's people cannot be waited for: the rule holds for long."""
    source = folder / "events"
    server.until("recording", lambda: server.ask("GET", "/api/events").json()["recording"])
    event = source / "20260301-120000-copied"
    if not event.exists():
        _make_event(event)
    return server.ask("GET", "/api/events").json()


def _make_event(target: Path) -> None:
    """A whole event as an earlier run left it, with the film as its clip."""
    waiting = target.with_name(".copy")
    waiting.mkdir(parents=True)
    shutil.copy(demo_clip(), waiting / "clip.mp4")
    import cv2
    import numpy as np

    cv2.imwrite(str(waiting / "thumbnail.jpg"), np.full((90, 160, 3), 120, np.uint8))
    facts = {
        "format": "sepcam-event",
        "version": 1,
        "source": "yard",
        "rule": "person in Yard for 3 s",
        "kind": "presence",
        "zone": "Yard",
        "time": "2026-03-01T12:00:00.000+01:00",
        "time_unix": 1772362800.0,
        "before_s": 5.0,
        "seconds": 12.0,
        "ids": [1],
    }
    (waiting / "event.json").write_text(json.dumps(facts))
    waiting.rename(target)


def test_events_are_listed_filtered_and_served(server, stored):
    assert stored["watched"] == [RULE, "line Door crossed"] and RULE in stored["recording"]
    assert {"day": "2026-03-01", "events": 1} in stored["days"] and "Yard" in stored["zones"]
    ask = lambda query: server.ask("GET", f"/api/events?{query}").json()  # noqa: E731
    assert [event["id"] for event in ask("zone=Yard")["events"]] == ["20260301-120000-copied"]
    assert ask("day=2026-03-02")["events"] == [] and ask("zone=Yard&rule=x")["total"] == 0
    path = "/api/events/20260301-120000-copied"
    clip = server.ask("GET", f"{path}/clip.mp4", range="bytes=0-99")
    assert clip.status == 206 and len(clip.body) == 100 and clip.headers["content-type"] == "video/mp4"
    assert server.ask("GET", f"{path}/thumbnail.jpg").headers["content-type"] == "image/jpeg"
    for wrong in ("event.json", "..%2f..%2fevents", "x"):
        assert server.ask("GET", f"{path}/{wrong}").status == 404
    for wrong in ("/api/events/nothing/clip.mp4", "/api/events/..%2f..%2fetc/clip.mp4"):
        assert server.ask("GET", wrong).status == 404
    assert server.ask("DELETE", "/api/events/nothing").status == 404
    assert server.ask("GET", "/api/events?limit=0").status == 422


def test_a_list_that_is_left_out_deletes_nothing(server, folder):
    before = server.ask("GET", "/api/live/zones").json()
    answer = server.ask("PUT", "/api/live/zones", {"lines": []})
    assert answer.status == 422 and "zones" in json.dumps(answer.json())
    assert server.ask("GET", "/api/live/zones").json() == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"zones": [{"name": "a", "points": [[0, 0], [1, 1], [2, 0]]}]}, "lies outside the frame"),
        ({"zones": [{"name": "a", "points": [[0, 0], [1, 1]]}]}, "a zone three or more"),
        ({"lines": [{"name": "a", "points": [[0, 0], [0, 0]]}]}, "has no length"),
        (
            {"lines": [{"name": "Gate", "points": [[0, 0], [1, 1]]}]},
            "the rule 'line Door crossed' needs 'Door'",
        ),
        ({"zones": [{"name": "Door", "points": [[0, 0], [1, 1], [1, 0]]}]}, "needs 'Door'"),
        ({"zones": "x"}, "valid list"),
    ],
)
def test_zones_that_cannot_be_are_refused(server, folder, body, words):
    before = server.ask("GET", "/api/live/zones").json()
    answer = server.ask("PUT", "/api/live/zones", {"lines": [], "zones": [], **body})
    assert answer.status == 422 and words in json.dumps(answer.json())
    assert server.ask("GET", "/api/live/zones").json() == before


def test_an_event_is_found_played_and_deleted_on_the_page(page, server, stored):
    expect(page.locator("#recorded-count")).to_contain_text("recording: at least 1 person")
    expect(page.locator("#events-source")).to_have_count(1)
    page.locator("#events-zone").select_option("Yard")
    expect(page.locator("#clips li")).to_have_count(1)
    expect(page.locator("#timeline rect")).to_have_count(1)
    expect(page.locator("#timeline")).to_have_attribute("aria-label", re.compile("1 events? on 2026-03-01"))
    page.locator("#clips button").click()
    expect(page.locator("#player-title")).to_have_text("person in Yard for 3 s")
    video = page.locator("#player-video")
    server.until("a video", lambda: video.evaluate("(one) => one.readyState") >= 1)
    changes: list[str] = []
    page.on("request", lambda request: changes.append(request.url) if request.method != "GET" else None)
    video.focus()
    for key in (" ", "m", "r", "?"):
        page.keyboard.press(key)  # for the player, not for the live video behind it
    expect(page.locator("#keys")).to_be_hidden()
    assert changes == [] and not server.status()["paused"]
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("#player-delete").click()
    expect(page.locator("#player")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#player-delete").click()
    expect(page.locator("#player")).to_be_hidden()
    expect(page.locator("#no-clips")).not_to_be_empty()
    assert all(event["zone"] != "Yard" for event in server.ask("GET", "/api/events").json()["events"])


def test_zones_are_drawn_named_moved_and_deleted_by_mouse(page, server, folder):
    def saved():
        path = folder / "market-street.zones.json"
        return {zone.name: zone.points for zone in read_zones(path)} if path.exists() else {}

    expect(page.locator("#live-canvas")).to_have_attribute("data-number", re.compile(r"\d+"))
    page.locator("#edit-zones").click()
    expect(page.locator("#zone-layer path.line")).to_have_count(1)
    box = page.locator("#zone-layer").bounding_box()
    assert box is not None
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731

    page.locator("#zone-add-zone").click()
    for point in ((0.2, 0.4), (0.4, 0.4), (0.4, 0.8), (0.2, 0.8), (0.2, 0.4)):
        page.mouse.click(*at(*point))
    expect(page.locator("#zone-hint")).to_have_text("saved to market-street.zones.json")
    server.until("a zone", lambda: "zone 1" in saved())
    page.locator("#zone-name").fill("Yard")
    page.locator("#zone-name").press("Enter")
    page.locator("#zone-name").blur()
    server.until("its name", lambda: "Yard" in saved())
    assert [list(point) for point in saved()["Yard"]] == pytest.approx(
        [pytest.approx(point, abs=0.01) for point in ([0.2, 0.4], [0.4, 0.4], [0.4, 0.8], [0.2, 0.8])]
    )
    server.until("its count", lambda: any(line.startswith("Yard:") for line in server.status()["counts"]))

    page.mouse.move(*at(0.4, 0.8))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.9), steps=4)
    page.mouse.up()
    server.until("the corner", lambda: saved()["Yard"][2] == pytest.approx((0.5, 0.9), abs=0.02))
    page.locator("#zone-layer circle").nth(2).focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    server.until("ten steps", lambda: saved()["Yard"][2][0] == pytest.approx(0.4, abs=0.02))

    page.locator("#zone-color").fill("#00ff00")
    server.until("a color", lambda: "#00ff00" in (folder / "market-street.zones.json").read_text())

    page.locator("#zone-add-line").click()
    page.mouse.click(*at(0.7, 0.5))
    page.mouse.click(*at(0.9, 0.5))
    server.until("a line", lambda: len(saved().get("line 1", ())) == 2)
    page.locator("#zone-delete").dblclick()  # the second click must not delete another one
    expect(page.locator("#zone-delete")).to_be_disabled()
    server.until("no line", lambda: "line 1" not in saved())
    page.wait_for_timeout(300)
    assert set(saved()) == {"Door", "Yard"}
    page.locator("#zone-done").click()
    expect(page.locator("#zone-layer")).to_be_hidden()


def test_zones_of_the_page_are_there_after_a_new_start(tmp_path):
    (tmp_path / "synthetic.zones.json").write_text(
        json.dumps(
            {
                "format": "sepcam-zones",
                "version": 1,
                "lines": [],
                "zones": [{"name": "Yard", "points": [[0, 0], [1, 0], [1, 1]]}],
            }
        )
    )
    words = ("synthetic:160x96@10x100000", "--detector", "ssdlite-person", "--tasks", "track")
    with serving(*words, "--rule", "person in yard", "-o", str(tmp_path)) as server:
        assert [zone["name"] for zone in server.ask("GET", "/api/live/zones").json()["zones"]] == ["Yard"]
        none = server.ask("PUT", "/api/live/zones", {"lines": [], "zones": []})
        assert none.status == 422 and "needs 'Yard'" in none.json()["detail"]
