"""``sepcam serve`` with several sources: a card and an address for each, and one that is not there."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright
from sepcam.assets import demo_clip

from tests.streams import NetworkCamera
from tests.web_server import PATIENCE_S, WebServer, serving

CHROMIUM = shutil.which("chromium")
NETWORK = "--detector", "ssdlite-person", "--tasks", "track"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[WebServer]:
    """A film, a camera that is all green, a stream that is not there, and the film again."""
    green = np.full((240, 320, 3), (0, 160, 0), np.uint8)
    with NetworkCamera("mjpeg", lambda number: green) as gone:
        away = gone.url
    folder = str(tmp_path_factory.mktemp("recordings"))
    with NetworkCamera("mjpeg", lambda number: green) as camera:
        sources = str(demo_clip()), camera.url, away, str(demo_clip())
        with serving(*sources, *NETWORK, "--loop", "-o", folder) as server:
            yield server


def test_each_source_has_an_address_and_the_first_one_the_old_addresses(server):
    cards = server.until(
        "frames", lambda: [c for c in server.ask("GET", "/api/sources").json() if c["age_ms"] is not None][2:]
    )
    cards = server.ask("GET", "/api/sources").json()
    assert [card["number"] for card in cards] == [1, 2, 3, 4]
    assert [cards[0]["name"], cards[3]["name"]] == ["market-street.mp4", "market-street.mp4 (2)"]
    assert [card["there"] for card in cards] == [True, True, False, True]
    assert "cannot be reached" in cards[2]["notice"] and "trying again" in cards[2]["notice"]
    assert server.ask("GET", "/api/sources/2/live").json()["source"]["width"] == 320
    assert server.ask("GET", "/api/live").json()["source"]["name"] == "market-street.mp4"
    answer = server.ask("GET", "/api/sources/3/live")
    assert answer.status == 503 and "cannot be reached" in answer.json()["detail"]
    assert server.ask("GET", "/api/sources/5/live").status == 404
    # One source alone, or all.
    assert server.ask("PATCH", "/api/sources/2/live", {"hud": "full"}).json()["hud"] == "full"
    assert server.ask("GET", "/api/live").json()["hud"] == "off"
    assert server.ask("PATCH", "/api/sources", {"conf": 0.6}).status == 200
    assert {server.ask("GET", f"/api/sources/{n}/live").json()["conf"] for n in (1, 2, 4)} == {0.6}
    assert server.ask("PATCH", "/api/sources", {"detector": "x"}).status == 422
    with server.socket("/api/sources/3/live/frames") as socket:
        assert "cannot be reached" in str(socket.recv(PATIENCE_S))
    assert server.ask("GET", "/healthz").status == 200
    metrics = server.ask("GET", "/metrics").body.decode()
    assert 'sepcam_live_up{source="market-street.mp4 (2)"} 1.0' in metrics
    assert re.search(r'sepcam_live_up\{source="http://127.0.0.1:\d+/"\} 0.0', metrics)


def test_each_source_has_its_own_zones_and_their_file(server):
    yard = {"name": "Yard", "points": [[0, 0.5], [1, 0.5], [1, 1]]}
    answer = server.ask("PUT", "/api/sources/4/live/zones", {"lines": [], "zones": [yard]})
    assert answer.status == 200 and answer.json()["file"] == "market-street-2.zones.json"
    assert server.ask("GET", "/api/sources/4/live/zones").json()["zones"] == [yard]
    assert server.ask("GET", "/api/live/zones").json()["zones"] == []
    assert server.ask("GET", "/api/sources/3/live/zones").status == 503


def test_recordings_of_sources_of_one_name_are_two_files(server):
    for number in (1, 4):
        assert server.ask("POST", f"/api/sources/{number}/live/recording").status == 200
    time.sleep(1.5)  # for frames of both
    names = [server.ask("DELETE", f"/api/sources/{n}/live/recording").json()["name"] for n in (1, 4)]
    assert re.match(r"market-street-\d{8}-", names[0]) and re.match(r"market-street-2-\d{8}-", names[1])


@pytest.mark.skipif(CHROMIUM is None, reason="the page's tests need a browser (apt-get install chromium)")
def test_the_page_is_a_wall_of_cards_and_shows_each_alone(server):
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.set_default_timeout(1000 * PATIENCE_S)
        expect.set_options(timeout=1000 * PATIENCE_S)
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.url)
        cards = page.locator("#wall button")
        expect(cards).to_have_count(4)
        for place in (0, 1, 3):
            expect(cards.nth(place).locator("canvas")).to_have_attribute("data-number", re.compile(r"\d+"))
            expect(cards.nth(place)).to_contain_text(re.compile(r"FPS  ·  \d+ ms"))
        expect(cards.nth(2)).to_contain_text("trying again")
        expect(page.locator("#live-canvas")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

        cards.nth(1).click()
        expect(page.locator("#source")).to_contain_text(re.compile("320.240"))
        expect(page.locator("#live-canvas")).to_have_attribute("data-number", re.compile(r"\d+"))
        canvas = "document.getElementById('live-canvas')"
        green = page.evaluate(f"[...{canvas}.getContext('2d').getImageData(160, 200, 1, 1).data]")
        assert green[1] > 120 > green[0] and green[2] < 60
        expect(page.locator("#wall")).to_be_hidden()
        # A switch is for all.
        page.keyboard.press("m")
        server.until("masks", lambda: "segment" in server.status()["tasks"])
        page.keyboard.press("4")
        expect(page.locator("#source")).to_contain_text("market-street.mp4 (2)")
        page.keyboard.press("Escape")
        expect(cards.nth(3)).to_be_focused()
        page.set_viewport_size({"width": 360, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        browser.close()
    assert complaints == []


def test_where_no_source_can_be_opened_each_says_why():
    command = [sys.executable, "-c", "from sepcam.app.cli import main; main()", "serve", "a.mp4", "b.mp4"]
    done = subprocess.run([*command, "--port", "0"], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == ["error: a.mp4 does not exist", "error: b.mp4 does not exist"]
