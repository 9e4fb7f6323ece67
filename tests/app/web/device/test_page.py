"""The page on the visitor's own device, in headless Chromium, from a host that knows nothing of it."""

import base64
import functools
import http.server
import re
import threading
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sepcam.app.cli import main
from sepcam.assets import demo_clip
from sepcam.models.people.specs import PEOPLE
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.models.types import Crop
from sepcam.models.zoo import load_detector

from tests.app.web.test_serve_page import CHROMIUM, PATIENCE_MS, pytestmark  # noqa: F401 - it skips
from tests.clips import write_clip

MOST_BYTES = 12_000_000


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """The sample clip, (360, 540, 3) uint8 BGR."""
    with av.open(str(demo_clip())) as container:
        return [frame.to_ndarray(format="bgr24") for frame in islice(container.decode(video=0), 120, 200)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "site"
    with pytest.raises(SystemExit) as ended:
        main(["export", "--format", "web", "-o", str(folder)])
    assert ended.value.code == 0
    return folder


class Host:
    """A web host for static files that sets no headers of its own; under a folder, as many hosts have it."""

    def __init__(self, folder: Path) -> None:
        root = folder.parent
        self.sent: dict[str, int] = {}
        sent = self.sent

        class Handler(http.server.SimpleHTTPRequestHandler):
            def send_head(self):
                path = Path(self.translate_path(self.path))
                sent[self.path] = path.stat().st_size if path.is_file() else 0
                return super().send_head()

            def log_message(self, format: str, *args: object) -> None:
                pass

        handler = functools.partial(Handler, directory=str(root))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.origin}/{folder.name}/"

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


@pytest.fixture
def host(site) -> Iterator[Host]:
    host = Host(site)
    yield host
    host.close()


@pytest.fixture(scope="module")
def browser(frames, tmp_path_factory) -> Iterator[Browser]:
    path = tmp_path_factory.mktemp("camera") / "people.mjpeg"
    options = {"codec": "mjpeg", "pix_fmt": "yuv420p", "options": {"strict": "unofficial"}}
    camera = write_clip(path, images=frames, size=(540, 360), fps=Fraction(30), **options)
    args = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    args += [f"--use-file-for-fake-video-capture={camera}", "--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield browser
        browser.close()


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield context
    context.close()


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    expect(page.locator("#status")).to_have_text(re.compile("separable form ready"))
    return page


def test_people_are_found_switched_and_carded_and_nothing_leaves_the_device(context, host, tmp_path):
    asked: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page = opened(context, host.url)
    assert page.evaluate("crossOriginIsolated")
    expect(page.locator("#runs-on")).to_have_text(re.compile("WebAssembly with SIMD, [2-8] threads"))
    assert sum(host.sent.values()) < MOST_BYTES and not any("standard" in path for path in host.sent)

    page.locator("#size").select_option("192")
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("#canvas")).to_have_attribute("data-people", re.compile("[1-9]"))
    expect(page.locator("#fps")).to_have_text(re.compile(r"\d"))
    expect(page.locator("#stages")).to_contain_text("network")
    colors = page.evaluate("""() => {
        const canvas = document.getElementById("canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }""")
    assert colors > 200
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page.locator("[data-layer=masks]").click()
    page.get_by_role("button", name="standard").click()
    expect(page.locator("#canvas")).to_have_attribute("data-kind", "standard")
    page.get_by_role("button", name="Duel").click()
    expect(page.locator("#ratio")).to_have_text(
        re.compile(r"takes [\d.]+ times .* interval [\d.]+ to [\d.]+")
    )

    page.get_by_role("button", name="Make a card").click()
    for link, suffix in (("Save the image", ".png"), ("Save the figures", ".json")):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        download.value.save_as(tmp_path / f"card{suffix}")
    assert cv2.imread(str(tmp_path / "card.png")).shape == (630, 1200, 3)
    card = (tmp_path / "card.json").read_text()
    assert '"backend": "wasm"' in card and '"input_size": 192' in card and '"times_slower": {' in card

    answer = page.evaluate("fetch('https://example.com/').then(() => 'sent', () => 'refused')")
    assert answer == "refused"
    assert {url for url in asked if not url.startswith(("blob:", host.url))} <= {"https://example.com/"}
    assert all("example.com" in complaint for complaint in complaints), complaints


def test_the_page_works_without_a_network_after_the_first_visit(context, host):
    opened(context, host.url).close()
    host.close()
    page = opened(context, host.url)
    page.get_by_role("button", name="Sample clip").click()
    expect(page.locator("#canvas")).to_have_attribute("data-frames", re.compile("[1-9]"))
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#invite")).to_be_visible()


ANALYZE = """async (images) => {
    const settings = await (await fetch("network/settings.json")).json();
    const worker = new Worker("worker.js", { type: "module" });
    const next = (type) => new Promise((done, fail) => {
        worker.onmessage = ({ data }) => {
            if (data.type === type) done(data);
            if (data.type === "failed") fail(new Error(data.message));
        };
    });
    worker.postMessage({ type: "open", backend: "wasm", settings });
    await next("opened");
    const found = [];
    for (const [i, image] of images.entries()) {
        const bitmap = await createImageBitmap(await (await fetch(image)).blob());
        const how = { kind: "separable", duel: false, masks: true, tracking: false };
        const wanted = { ...how, longest: settings.default_size };
        worker.postMessage({ type: "frame", bitmap, timeS: i / 30, wanted }, [bitmap]);
        const { people } = await next("result");
        found.push(people.map(({ id, score, box, keypoints, mask }) => ({
            id, score, box, keypoints: [...keypoints], mask: { ...mask, pixels: [...mask.pixels] },
        })));
    }
    worker.terminate();
    return found;
}"""


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Of two boxes x1 y1 x2 y2."""
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)


def test_the_worker_finds_the_people_that_python_finds(context, host, frames):
    frames = frames[::10]
    page = context.new_page()
    page.goto(f"{host.url}licenses.txt")  # of the same origin, without a policy against data: addresses
    encoded = [base64.b64encode(cv2.imencode(".png", frame)[1]).decode() for frame in frames]
    got = page.evaluate(ANALYZE, [f"data:image/png;base64,{one}" for one in encoded])
    options = RuntimeOptions(runtime="openvino", device="cpu")
    detector = load_detector("people", input_size=256, options=options)
    assert PEOPLE.detector is not None
    least = PEOPLE.detector.tracker.new
    boxes, far, masks = [], [], []
    for frame, people in zip(frames, got, strict=True):
        wanted = detector.detect(frame)
        assert wanted.keypoints is not None and wanted.masks is not None
        assert abs(len(people) - np.count_nonzero(wanted.scores >= least)) <= 1  # one may be at the limit
        for one in people:
            box = np.array(one["box"])
            overlaps = [iou(box, other) for other in wanted.boxes]
            match = int(np.argmax(overlaps))
            boxes.append(overlaps[match])
            assert wanted.scores[match] == pytest.approx(one["score"], abs=0.1)
            points = np.reshape(one["keypoints"], (17, 3))
            far.append(np.abs(points - wanted.keypoints[match])[wanted.keypoints[match, :, 2] > 0.3])
            masks.append(mask_iou(one["mask"], wanted.masks[match], frame.shape[:2]))
    assert len(boxes) > 10
    # The browser scales images otherwise: now and then a center is in the cell beside.
    assert min(boxes) > 0.8 and np.quantile(boxes, 0.1) > 0.9
    assert np.median(boxes) > 0.98 and np.median(masks) > 0.97
    # So may a keypoint be.
    assert np.mean(np.concatenate(far) < 0.5) > 0.9


def mask_iou(mask: dict[str, Any], crop: Crop, shape: tuple[int, int]) -> float:
    """Of the page's mask and Python's, in an image of ``shape``."""
    planes = np.zeros((2, *shape), bool)
    height, width = mask["height"], mask["width"]
    pixels, x, y = crop
    planes[0, mask["y"] :, mask["x"] :][:height, :width] = np.reshape(mask["pixels"], (height, width))
    planes[1, y:, x:][: pixels.shape[0], : pixels.shape[1]] = pixels
    return np.count_nonzero(planes.all(0)) / max(np.count_nonzero(planes.any(0)), 1)


def test_a_folder_with_files_is_left_alone_unless_told_otherwise(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(SystemExit) as ended:
        main(["export", "-o", str(tmp_path)])
    assert ended.value.code == 2
    assert "--overwrite" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(SystemExit) as ended:
        main(["export", "-o", str(tmp_path), "--overwrite"])
    assert ended.value.code == 0
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert (tmp_path / "index.html").is_file() and (tmp_path / "network" / "weights.bin").is_file()


def test_serve_offers_the_same_page(web_server, site):
    assert web_server.ask("GET", "/device").headers["location"] == "/device/"
    for path in sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()):
        answer = web_server.ask("GET", f"/device/{path}")
        assert answer.status == 200, path
        assert answer.body == (site / path).read_bytes(), path
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert web_server.ask("GET", "/device/").body == (site / "index.html").read_bytes()
    for path in ("/device/../server.py", "/device/network/x", "/device/page/main.js", "/device/site.py"):
        assert web_server.ask("GET", path).status == 404
