"""The page of ``sepcam serve`` in a real browser, headless Chromium, its camera fed with a clip of people."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from sepcam.assets import demo_clip

from tests.clips import write_clip
from tests.walkers import square_picture

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 60_000

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"),
    reason="the page's tests need a browser (apt-get install chromium)",
)


@pytest.fixture(scope="module")
def people_clip(tmp_path_factory) -> Path:
    """What Chromium takes for the pictures of a camera: Motion JPEG, played again and again."""
    with av.open(str(demo_clip())) as container:
        frames = islice(container.decode(video=0), 120, 200)
        images = [frame.to_ndarray(format="bgr24") for frame in frames]
    path = tmp_path_factory.mktemp("camera") / "people.mjpeg"
    options = {"codec": "mjpeg", "pix_fmt": "yuv420p", "options": {"strict": "unofficial"}}
    return write_clip(path, images=images, size=(540, 360), fps=Fraction(30), **options)


@pytest.fixture(scope="module")
def browser(people_clip) -> Iterator[Browser]:
    assert CHROMIUM is not None, "the page's tests need a browser: apt-get install chromium"
    camera = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={people_clip}",
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, web_server) -> Iterator[Page]:
    """The page; nothing in it may complain."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(web_server.url)
    yield page
    page.close()
    assert complaints == []


def colors_of(page: Page, canvas: str) -> int:
    """How many different colors a canvas shows: one, unless there is a picture."""
    return page.evaluate(
        """(id) => {
            const canvas = document.getElementById(id);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }""",
        canvas,
    )


def test_the_backbone_is_switched_and_the_people_stay(page, web_server):
    expect(page.locator("#live-canvas")).to_have_attribute("data-number", re.compile(r"\d+"))
    assert colors_of(page, "live-canvas") > 100
    expect(page.locator("#people li").first).to_be_visible()
    expect(page.locator("[data-backbone=separable]")).to_have_attribute("aria-pressed", "true")
    separable = page.locator("#comparison [data-kind=separable] b")
    expect(separable).to_have_text(re.compile(r"[\d.]+ FPS"))
    expect(page.locator("#shown")).to_have_text(re.compile(r"[\d.]+"))

    page.keyboard.press("b")
    expect(page.locator("[data-backbone=standard]")).to_have_attribute("aria-pressed", "true")
    standard = page.locator("#comparison [data-kind=standard] b")
    expect(standard).to_have_text(re.compile(r"[\d.]+ FPS"))
    expect(page.locator("#ratio")).to_have_text(
        re.compile(r"^separable [\d.]+ FPS · standard [\d.]+ FPS · ([\d.]+x|not comparable: .+)$")
    )
    assert web_server.status()["active"]["backbone"] == "standard"

    def separable_is_faster() -> bool:
        speeds = web_server.status()["model_fps"]
        return speeds["separable"] > speeds["standard"]

    web_server.until("faster", separable_is_faster)  # the first frame may be one without a look
    number = int(page.locator("#live-canvas").get_attribute("data-number"))
    web_server.until(
        "pictures", lambda: int(page.locator("#live-canvas").get_attribute("data-number")) > number + 3
    )
    expect(page.locator("#people li").first).to_be_visible()

    page.locator("[data-backbone=separable]").click()
    web_server.until("separable", lambda: web_server.status()["active"]["backbone"] == "separable")


def test_keys_and_clicks_do_what_they_say(page, web_server):
    expect(page.locator("#people li").first).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert page.locator("#keys dt").count() == 17
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()

    page.keyboard.press(" ")
    expect(page.locator("#banner")).to_have_text("paused")
    page.keyboard.press(" ")
    expect(page.locator("#banner")).to_be_hidden()

    page.keyboard.press("i")
    expect(page.locator("#hud")).to_have_value("fps")
    page.locator("#hud").select_option("off")
    web_server.until("no figures", lambda: web_server.status()["hud"] == "off")

    before = float(page.locator("#conf").input_value())
    page.locator("#live-canvas").click(position={"x": 20, "y": 20})
    page.keyboard.press("+")
    expect(page.locator("#conf-value")).to_have_text(f"{before + 0.05:.2f}")
    page.keyboard.press("-")
    expect(page.locator("#conf-value")).to_have_text(f"{before:.2f}")

    # Keys that follow each other faster than the server answers.
    for key in ("2", "3", "+", "+", "+"):
        page.keyboard.press(key)
    both = lambda: {"pose", "segment"} <= set(web_server.status()["tasks"])  # noqa: E731
    web_server.until("both tasks", both)
    web_server.until("three steps", lambda: web_server.status()["conf"] == pytest.approx(before + 0.15))
    for key in ("2", "3", "-", "-", "-"):
        page.keyboard.press(key)
    web_server.until("all back", lambda: web_server.status()["tasks"] == ["track"])
    web_server.until("three steps back", lambda: web_server.status()["conf"] == pytest.approx(before))

    # What another viewer chooses, or the server refuses, is shown also in a field with the focus.
    page.locator("#hud").focus()
    web_server.ask("PATCH", "/api/live", {"hud": "full", "hide": "faces"})
    expect(page.locator("#hud")).to_have_value("full")
    expect(page.locator("#blur")).to_have_value("faces")
    expect(page.locator("#blur option").first).to_be_disabled()
    web_server.ask("PATCH", "/api/live", {"hud": "off", "hide": "nothing"})
    expect(page.locator("#blur")).to_have_value("nothing")
    page.evaluate(
        """() => {
            const real = window.fetch;
            window.fetch = (path, options) =>
                options?.method === "PATCH" ? Promise.reject() : real(path, options);
            setTimeout(() => (window.fetch = real), 2000);
        }"""
    )
    page.locator("#hud").select_option("fps")
    expect(page.locator("#hud")).to_have_value("off")
    expect(page.locator("#toasts")).to_contain_text("cannot be reached")
    page.locator("#hud").blur()

    page.locator("#people button").first.click()
    web_server.until("somebody followed", lambda: web_server.status()["follow"])
    page.locator("#live-canvas").click(position={"x": 20, "y": 20})
    web_server.until("nobody followed", lambda: web_server.status()["follow"] is None)

    page.keyboard.press("r")
    expect(page.locator("#rec")).to_be_visible()
    page.wait_for_timeout(600)
    page.keyboard.press("r")
    with page.expect_download() as download:
        page.locator("#toasts a").click()
    assert Path(download.value.path()).stat().st_size > 1000
    with page.expect_download() as download:
        page.keyboard.press("s")
    assert download.value.suggested_filename.endswith(".png")


def test_the_visitors_own_camera_is_analyzed(page, browser):
    page.get_by_role("tab", name="Your camera").click()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#own-invite")).to_be_hidden()
    expect(page.locator("#own-canvas")).to_have_attribute("data-objects", re.compile("[1-9]"))
    assert colors_of(page, "own-canvas") > 100
    expect(page.locator("#own-fps")).to_have_text(re.compile(r"[\d.]+"))
    page.locator("[data-own-task=pose]").click()
    page.locator("[data-own-backbone=separable]").click()
    expect(page.locator("#own-comparison [data-kind=separable] b")).to_have_text(re.compile(r"[\d.]+ FPS"))

    page.locator("#own-duel").click()
    expect(page.locator("#own-duel-state")).to_have_text("Measuring ...")
    expect(page.locator("#own-status")).to_have_text("a duel of both backbones")
    assert page.locator("#own-canvas").evaluate("(canvas) => canvas.width / canvas.height") > 1.6
    page.locator("#own-duel").click()
    expect(page.locator("#own-duel-state")).to_have_text(re.compile("^Both backbones"))
    expect(page.locator("#own-canvas")).to_have_attribute("data-objects", re.compile("[1-9]"))

    late = browser.new_page()
    late.set_default_timeout(PATIENCE_MS)
    late.goto(page.url.split("#")[0] + "#camera")
    late.get_by_role("button", name="Start my camera").click()
    expect(late.locator("#own-problem")).to_have_text(re.compile("is being analyzed already: try again"))
    late.close()

    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#own-invite")).to_be_visible()


def test_the_visitors_camera_has_the_settings_that_it_offers(browser, web_server):
    """Chromium's own camera: two of them, any size, an exposure of 1 to 10 ms."""
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=2")
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox", *fake])
    page = other.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(
        """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (asked) => {
            await new Promise((done) => setTimeout(done, window.delay ?? 0));
            return (window.stream = await ask(asked));
        };"""
    )

    def settings() -> dict:
        return page.evaluate("window.stream.getVideoTracks()[0].getSettings()")

    page.goto(f"{web_server.url}#camera")
    expect(page.locator("#own-size")).to_be_disabled()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#own-status")).to_have_text(re.compile("640.360$"))
    assert page.locator("#own-rate option").all_inner_texts() == ["automatic", "10 FPS", "15 FPS"]

    page.get_by_label("Size").select_option("320x240")
    expect(page.locator("#own-status")).to_have_text(re.compile("320.240$"))
    page.get_by_label("Exposure").select_option("2.5 ms")
    web_server.until("exposure", lambda: settings()["exposureTime"] == 25)
    page.get_by_label("Rate").select_option("10 FPS")
    web_server.until("rate", lambda: settings()["frameRate"] == 10)
    web_server.until("both kept", lambda: (settings()["exposureTime"], settings()["width"]) == (25, 320))

    first = settings()["deviceId"]
    page.locator("#own-device").select_option("fake_device_1")
    web_server.until("other camera", lambda: settings()["deviceId"] != first)
    expect(page.locator("#own-status")).to_have_text(re.compile("320.240$"))
    web_server.until("rate kept", lambda: settings()["frameRate"] == 10)

    # Allowed only after the visitor has left.
    page.get_by_role("button", name="Stop", exact=True).click()
    page.evaluate("window.delay = 500; window.stream = null")
    page.get_by_role("button", name="Start my camera").click()
    page.locator("#tab-video").click()
    state = "window.stream?.getVideoTracks()[0].readyState"
    web_server.until("no camera", lambda: page.evaluate(state) == "ended")
    page.locator("#tab-camera").click()
    expect(page.locator("#own-start")).to_be_enabled()
    expect(page.locator("#own-status")).to_be_empty()
    other.close()


def test_a_phone_that_is_turned_and_a_mirror(page):
    """A camera whose left half is red; then the phone is turned."""
    page.evaluate(
        """() => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
            const draw = () => {
                const context = canvas.getContext("2d");
                context.fillStyle = "#080";
                context.fillRect(0, 0, canvas.width, canvas.height);
                context.fillStyle = "#c00";
                context.fillRect(0, 0, canvas.width / 2, canvas.height);
            };
            setInterval(draw, 50);
            draw();
            navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(20);
            window.turn = () => Object.assign(canvas, { width: 240, height: 320 });
        }"""
    )

    def until_red(where: str) -> None:
        page.wait_for_function(
            """(left) => {
                const options = { willReadFrequently: true };
                const probe = new OffscreenCanvas(4, 4).getContext("2d", options);
                probe.drawImage(document.getElementById("own-canvas"), 0, 0, 4, 4);
                const [red, green] = probe.getImageData(left ? 0 : 3, 2, 1, 1).data;
                return red > 150 && green < 80;
            }""",
            arg=where == "left",
        )

    page.get_by_role("tab", name="Your camera").click()
    page.get_by_role("button", name="Start my camera").click()
    until_red("left")
    page.get_by_role("button", name="Mirror").click()
    until_red("right")
    page.evaluate("window.turn()")
    expect(page.locator("#own-canvas")).to_have_attribute("height", "320")
    expect(page.locator("#own-status")).to_have_text(re.compile("240.320$"))
    assert page.evaluate("getComputedStyle(document.getElementById('own-screen')).aspectRatio") == "240 / 320"
    until_red("right")


def test_a_video_is_dropped_and_its_results_are_fetched(page, tmp_path):
    images = [square_picture(i, (160, 120)) for i in range(20)]
    clip = write_clip(tmp_path / "walk.mp4", images=images, size=(160, 120))
    page.get_by_role("tab", name="Your files").click()
    page.locator("#file").set_input_files(clip)
    expect(page.locator("#jobs video")).to_be_visible()
    expect(page.locator("#jobs .head")).to_contain_text("20 frames")
    page.reload()
    expect(page.locator("#jobs video")).to_be_visible()
    expect(page.locator("#jobs video")).to_have_js_property("videoWidth", 160)
    with page.expect_download() as download:
        page.get_by_role("link", name="Results (JSON Lines)").click()
    assert download.value.suggested_filename == "walk-sepcam.jsonl"
    assert len(Path(download.value.path()).read_text().splitlines()) == 22
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#jobs li")).to_have_count(0)

    (tmp_path / "note.mp4").write_text("no video")
    page.locator("#file").set_input_files(tmp_path / "note.mp4")
    expect(page.locator("#jobs .failed")).to_have_text("note.mp4 is not a video file that can be read")


def test_an_address_names_a_tab_also_when_the_page_is_there_already(page, web_server):
    page.goto(f"{web_server.url}#video")
    expect(page.locator("#video")).to_be_visible()
    expect(page.locator("#live")).to_be_hidden()
    page.goto(f"{web_server.url}#nothing")
    expect(page.locator("#video")).to_be_visible()


@pytest.mark.parametrize("tab", ["live", "camera", "video"])
def test_the_page_fits_a_phone(browser, web_server, tab):
    page = browser.new_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page.goto(f"{web_server.url}#{tab}")
    expect(page.locator(f"#{tab}")).to_be_visible()
    page.wait_for_timeout(300)
    wide, high = page.evaluate("[document.documentElement.scrollWidth, innerHeight]")
    assert (wide, high) == (360, 740)
    for button in page.locator(f"#{tab} .switches button:visible").all():
        box = button.bounding_box()
        assert box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= 360
    page.set_viewport_size({"width": 320, "height": 640})
    captions = "[...document.querySelectorAll('.caption')]"
    cut = f"{captions}.filter((one) => one.scrollHeight > one.clientHeight).length"
    assert page.evaluate(f"[document.documentElement.scrollWidth, {cut}]") == [320, 0]
    page.close()


def test_the_api_is_described_on_a_page_of_its_own(page, web_server):
    page.goto(f"{web_server.url}docs")
    expect(page.locator("#operations .card").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("/api/live/recording")
    expect(page.locator("main")).to_contain_text("/api/camera")
    zones = page.locator("#operations .card", has_text="PUT /api/live/zones").locator("pre")
    expect(zones).to_contain_text(
        '"lines":[{"name":"Door","points":[[0.1,0.5],[0.9,0.5]]}],"zones":[{"name":"Yard"'
    )


def test_a_duel_is_begun_on_the_page_and_its_card_fetched(page, web_server):
    expect(page.locator("#people li").first).to_be_visible()
    before = page.locator("#screen").bounding_box()
    web_server.ask("POST", "/api/live/duel", {"seconds": 1})
    expect(page.locator("#duel")).to_have_text("End the duel")
    expect(page.locator("#duel-state")).to_have_text(re.compile(r"^[\d.]+x \([\d.]+–[\d.]+\), \d+ frames$"))  # noqa: RUF001
    assert page.locator("#screen").bounding_box() == before  # nothing moves, whatever is shown
    headline = page.locator("#duel-state").inner_text()
    with page.expect_download() as download:
        page.locator("#duel-figures").click()
    assert f'"headline": "{headline}"' in Path(download.value.path()).read_text().replace("\\u2013", "–")  # noqa: RUF001
    with page.expect_download() as download:
        page.locator("#duel-image").click()
    assert download.value.suggested_filename.endswith(".png")
    page.wait_for_timeout(600)
    assert page.locator("#duel-state").inner_text() == headline  # it stays
    page.keyboard.press("v")
    expect(page.locator("#duel")).to_have_text("Start the duel")
    assert web_server.ask("GET", "/api/live/duel/card.png").status == 404


def test_images_are_chosen_and_pasted(page, tmp_path):
    (tmp_path / "photo.png").write_bytes(png())
    page.get_by_role("tab", name="Your files").click()
    page.locator("#file").set_input_files(tmp_path / "photo.png")
    expect(page.locator("#jobs img")).to_have_js_property("naturalWidth", 160)
    page.evaluate(
        """(bytes) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
            dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        list(png()),
    )
    expect(page.locator("#jobs img")).to_have_count(2)
    expect(page.locator("#jobs img").first).to_have_attribute("alt", re.compile("^image.png with the people"))
    for left in (1, 0):
        page.get_by_role("button", name="Remove").first.click()
        expect(page.locator("#jobs li")).to_have_count(left)


def test_more_images_than_the_server_takes_at_a_time_without_tasks(page, web_server, tmp_path):
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for path in files:
        path.write_bytes(png())
    page.get_by_role("tab", name="Your files").click()
    expect(page.locator("#drop-limit")).not_to_be_empty()  # the page is ready
    for task in ("track", "pose", "segment"):
        button = page.locator(f"[data-video-task={task}]")
        if button.get_attribute("aria-pressed") == "true":
            button.click()
    page.evaluate(
        """() => {
            const real = window.fetch;
            window.fetch = (path, options) => {
                if (!path.startsWith("/api/videos/") || window.lost) return real(path, options);
                window.lost = true;
                return Promise.reject();
            };
        }"""
    )
    page.locator("#file").set_input_files(files)
    expect(page.locator("#jobs img")).to_have_count(6)
    assert page.evaluate("window.lost")
    results = page.get_by_role("link", name="Results (JSON Lines)").first.get_attribute("href")
    assert json.loads(web_server.ask("GET", results).body.splitlines()[0])["tasks"] == []
    for left in range(5, -1, -1):
        page.get_by_role("button", name="Remove").first.click()
        expect(page.locator("#jobs li")).to_have_count(left)


def png() -> bytes:
    return cv2.imencode(".png", square_picture(3, (160, 120)))[1].tobytes()


CONTRAST = """() => {
    const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const light = (rgb) => {
        const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = rgb.map((v) => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const [r, g, b, alpha = 1] = parse(getComputedStyle(at).backgroundColor);
            if (alpha === 1 && r !== undefined) return [r, g, b];
        }
        return [255, 255, 255];
    };
    return (element) => {
        const [one, other] = [parse(getComputedStyle(element).color).slice(0, 3), behind(element)].map(light);
        return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    };
}"""


# One of each look: the other controls differ only in their words.
LOOKS = """() => {
    const looks = new Map();
    for (const one of document.querySelectorAll("button, select, a.button, .tiles span, p, h2")) {
        if (!one.checkVisibility() || one.closest("#people, #nobody")) continue; // people come and go
        const { tagName, className, ariaPressed, disabled, parentElement } = one;
        const look = [tagName, className, ariaPressed, disabled, parentElement.className].join();
        if (!looks.has(look)) looks.set(look, one);
    }
    [...document.querySelectorAll("[data-look]")].forEach((one) => one.removeAttribute("data-look"));
    [...looks.values()].forEach((one, number) => (one.dataset.look = number));
    return looks.size;
}"""


def test_every_control_can_be_read_also_under_the_mouse_and_with_the_focus(browser, web_server):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(web_server.url)
    expect(page.locator("#live-canvas")).to_have_attribute("data-number", re.compile(r"\d+"))
    page.evaluate(f"() => {{ window.contrast = ({CONTRAST})(); }}")
    for tab in ("live", "camera", "video"):
        page.locator(f"#tab-{tab}").click()
        for number in range(page.evaluate(LOOKS)):
            look = page.locator(f'[data-look="{number}"]')
            for state in ("plain", "under the mouse", "with the focus"):
                if state == "under the mouse":
                    look.hover(force=True, position={"x": 2, "y": 2})
                elif state == "with the focus":
                    look.focus()
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    ratio, text = look.evaluate("(one) => [contrast(one), one.textContent]")
                    assert ratio >= 4.5, (scheme, tab, state, text, ratio)
    page.close()


def test_everything_can_be_reached_and_used_by_keyboard(page):
    expect(page.locator("#people li").first).to_be_visible()
    page.locator("#tab-live").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#camera")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#live")).to_be_visible()
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        name, ring = page.evaluate(
            """() => {
                const { id, dataset, matches } = document.activeElement;
                const ring = getComputedStyle(document.activeElement).outlineStyle;
                return [id || Object.values(dataset)[0] || document.activeElement.tagName, ring];
            }"""
        )
        assert ring != "none" or name == "BODY", name  # which has the focus after the last control
        reached.add(name)
    assert {"separable", "standard", "track", "pause", "duel", "detector", "conf", "events"} <= reached
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, canvas, dialog, [role=group]")]
            .filter((one) => !one.ariaLabel && !one.textContent.trim() && !one.labels?.length)
            .map((one) => one.outerHTML)"""
    )
    assert unnamed == []
