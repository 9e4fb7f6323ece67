"""The real window on a real display (Xvfb), driven by real keys and clicks (xdotool), with real networks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from sepcam.assets import demo_clip
from sepcam.pipelines.analytics.zone_file import read_zones

from tests.streams import NetworkCamera

NEEDED = ("Xvfb", "openbox", "xdotool", "import")
PACKAGES = "xvfb openbox xdotool imagemagick"
MISSING = [program for program in NEEDED if shutil.which(program) is None]
PATIENCE_S = 120

pytestmark = pytest.mark.skipif(
    bool(MISSING) and not os.environ.get("CI"),
    reason=f"the window's tests need {', '.join(MISSING)} (apt-get install {PACKAGES})",
)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    assert not MISSING, f"the window's tests need {', '.join(MISSING)}: apt-get install {PACKAGES}"
    read, write = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(write),
        "-screen",
        "0",
        "1000x700x24",
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    # Without a window manager no window fills the screen.
    manager = subprocess.Popen(
        ["openbox", "--sm-disable"], env={**os.environ, "DISPLAY": f":{number}"}, stderr=subprocess.DEVNULL
    )
    yield f":{number}"
    for process in (manager, server):
        process.terminate()
        process.wait()


class Desktop:
    """A process with a window on a display: presses its keys, clicks in it, looks at it."""

    def __init__(self, display: str, command: list[str]) -> None:
        self._env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(Path(__file__).parents[3])}
        self.process = subprocess.Popen(
            command, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=into.extend, args=(stream,))
            for stream, into in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def until(self, what: str, condition: Callable[[], object]) -> object:
        give_up = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            assert self.process.poll() is None, f"ended while waiting for {what}: {''.join(self.errors)}"
            assert time.monotonic() < give_up, f"no {what}: {self.lines[-1:]} {''.join(self.errors)}"
            time.sleep(0.05)
        return found

    def until_painted(self, what: str, condition: Callable[[], object]) -> None:
        """As ``until``, of a new window.

        On a busy machine Qt, inside OpenCV, sometimes takes a window for hidden that the window manager has
        just put up, and paints nothing in it until it is minimized and restored.
        """
        window = self.window()
        first = time.monotonic() + 30
        while not condition() and time.monotonic() < first:
            time.sleep(0.05)
        if not condition():
            self._xdotool("windowunmap", window)
            time.sleep(0.5)
            self._xdotool("windowmap", window)
        self.until(what, condition)

    def _xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self._env, capture_output=True, text=True)
        return done.stdout.strip()

    def window(self) -> str:
        return str(self.until("window", lambda: self._xdotool("search", "--name", "Sepcam").split("\n")[0]))

    def press(self, key: str) -> None:
        self._xdotool("key", "--window", self.window(), key)
        # A window that closes at the press misses the release, and the display would repeat the key for
        # the next window.
        self._xdotool("keyup", key)

    def move(self, x: float, y: float, *then: str) -> None:
        self._xdotool("mousemove", "--window", self.window(), str(round(x)), str(round(y)), *then)

    def click(self, x: float, y: float) -> None:
        self.move(x, y, "click", "1")

    def picture(self) -> np.ndarray:
        done = subprocess.run(
            ["import", "-window", self.window(), "png:-"], env=self._env, capture_output=True, check=True
        )
        image = cv2.imdecode(np.frombuffer(done.stdout, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        return image

    def status(self) -> dict:
        return json.loads(self.lines[-1]) if self.lines else {}

    def until_status(self, what: str, condition: Callable[[dict], object]) -> dict:
        self.until(what, lambda: self.lines and condition(self.status()))
        return self.status()

    def ended(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.ended()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def desktop(display) -> Iterator[Callable[..., Desktop]]:
    opened: list[Desktop] = []

    def start(*command: str) -> Desktop:
        opened.append(Desktop(display, [sys.executable, *command]))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def still(desk: Desktop) -> np.ndarray:
    """A picture of the window once it has stopped changing."""
    pictures = [desk.picture()]

    def same() -> bool:
        time.sleep(1.0)  # frames that were on their way at a pause still arrive
        pictures.append(desk.picture())
        return np.array_equal(pictures[-1], pictures[-2])

    desk.until("picture that stands still", same)
    return pictures[-1]


def has_bar(desk: Desktop) -> bool:
    """Whether the zone editor's bar is there: white words from left to right on a darkened strip."""
    strip = desk.picture()[2:20]
    words = (strip.min(axis=2) > 150).any(axis=0).mean()
    return np.median(strip.max(axis=2)) < 64 and words > 0.2


def choose_kind(desk: Desktop, key: str) -> None:
    """Presses z or l in the zone editor, and waits until its bar says so.

    OpenCV delivers a click at once, but a key that came before it only at the end of its event pass. The
    bar has to be there before, lest its coming is taken for the answer to the key.
    """

    def words() -> np.ndarray:
        return desk.picture()[:20].min(axis=2) > 150

    desk.until("the editor's bar", lambda: has_bar(desk))
    before = words()
    desk.press(key)
    desk.until("what to click", lambda: (words() != before).mean() > 0.03)


def draw(desk: Desktop, key: str, places: Sequence[tuple[float, float]], file: Path) -> None:
    """Draws a zone or a line by clicks in the editor; begins again if it does not come, as people do."""
    for _ in range(3):
        choose_kind(desk, key)
        for place in places:
            desk.click(*place)
            time.sleep(0.1)
        give_up = time.monotonic() + 15
        while time.monotonic() < give_up:
            if file.exists():
                return
            time.sleep(0.1)
        desk.press("Escape")
        time.sleep(1.0)
        if not has_bar(desk):  # nothing was begun, and so the editor was left
            desk.press("z")
    raise AssertionError(f"{file.name} was not drawn: {''.join(desk.errors)}")


def test_every_key_does_what_the_help_says(desktop, tmp_path):
    desk = desktop(str(Path(__file__).parents[2] / "live_driver.py"), str(demo_clip()), str(tmp_path))
    desk.window()
    desk.until_status("people", lambda s: s.get("shown_fps") and s["boxes"])

    # Keys without a character do nothing: by the lowest byte of their codes these are Q, R and V.
    for key in ("Left", "Up", "Next"):
        desk.press(key)

    # Figures: three levels of detail.
    for wanted in ("full", "off", "fps"):
        desk.press("i")
        desk.until_status(f"hud {wanted}", lambda s, wanted=wanted: s["hud"] == wanted)

    assert desk.status()["recording"] is None and desk.status()["duel"]["state"] == "off"

    # Tasks, both ways of naming them.
    for key, task, there in (
        ("m", "segment", True),
        ("3", "segment", False),
        ("t", "track", False),
        ("1", "track", True),
    ):
        desk.press(key)
        desk.until_status(task, lambda s, task=task, there=there: (task in s["tasks"]) is there)

    # Confidence.
    desk.press("plus")
    surer = desk.until_status("a higher confidence", lambda s: s["conf"])["conf"]
    desk.press("minus")
    desk.until_status("a lower confidence", lambda s: s["conf"] < surer)

    # A pause holds the picture; the help lies over it.
    desk.press("space")
    desk.until_status("pause", lambda s: s["paused"] and s["notice"] == "paused")
    paused = still(desk)
    assert paused.std() > 20  # a picture, not an empty window
    desk.press("h")
    desk.until("help", lambda: np.abs(desk.picture().astype(int) - paused).mean() > 3)
    desk.press("h")
    desk.until("no help", lambda: np.array_equal(desk.picture(), paused))
    desk.press("space")
    desk.until_status("going on", lambda s: not s["paused"])

    # A click on somebody follows them, one elsewhere nobody.
    desk.press("space")
    desk.until_status("pause", lambda s: s["paused"])
    height, width = desk.picture().shape[:2]

    def follows_whom_it_is_clicked_on():
        # The frame that was under way when the picture was stopped may still come, and have nobody in it.
        if not desk.status()["boxes"]:
            desk.press("space")
            desk.until_status("people", lambda s: not s["paused"] and s["boxes"])
            desk.press("space")
            return None
        x1, y1, x2, y2 = desk.status()["boxes"][0]
        desk.click((x1 + x2) / 2 * width / 540, (y1 + y2) / 2 * height / 360)
        time.sleep(0.3)
        return desk.status()["follow"]

    desk.until("somebody followed", follows_whom_it_is_clicked_on)
    desk.click(2, height - 2)
    desk.until_status("nobody followed", lambda s: s["follow"] is None)
    desk.press("space")
    desk.until_status("going on", lambda s: not s["paused"])

    # A recording and a snapshot.
    desk.press("r")
    desk.until_status("recording", lambda s: s["recording"])
    frames = desk.status()["frames"]
    desk.until_status("recorded frames", lambda s: s["frames"] > frames + 10)
    desk.press("r")
    desk.until_status("no recording", lambda s: s["recording"] is None)
    desk.until("recorded file", lambda: list(tmp_path.glob("clip-*.mp4")))
    (video,) = tmp_path.glob("clip-*.mp4")
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 8
    desk.press("s")
    desk.until("snapshot", lambda: list(tmp_path.glob("clip-*.png")))
    (snapshot,) = tmp_path.glob("clip-*.png")
    desk.until("a whole snapshot", lambda: cv2.imread(str(snapshot)) is not None)

    # The other backbone: the picture goes on meanwhile, then the FPS changes and the boxes stay.
    desk.press("b")
    desk.until_status("the standard backbone asked for", lambda s: s["backbone"] == "standard")
    since = len(desk.lines)
    desk.until_status("the standard backbone", lambda s: s["active"]["backbone"] == "standard")
    meanwhile = [s["frames"] for s in map(json.loads, desk.lines[since:]) if s["preparing"]]
    assert len(meanwhile) < 20 or meanwhile[-1] > meanwhile[0]  # a second or more of preparing, with pictures
    status = desk.until_status("a comparison, and people", lambda s: s["comparison"] and s["boxes"])
    assert {"separable", "standard"} <= set(status["model_fps"])
    desk.press("b")
    desk.until_status("separable again", lambda s: s["active"]["backbone"] == "separable")

    # A duel of both, its race, and its card.
    desk.press("v")
    running = desk.until_status("a duel", lambda s: s["duel"]["state"] == "running")
    assert running["duel"]["result"] is None or running["duel"]["result"]["frames"] > 0
    desk.until_status("a result", lambda s: s["duel"]["state"] == "done")
    first = desk.picture()
    desk.until("a race", lambda: np.abs(desk.picture().astype(int) - first).mean() > 1)
    desk.press("c")
    desk.until("card", lambda: list(tmp_path.glob("clip-duel-*.json")))
    (card,) = tmp_path.glob("clip-duel-*.json")
    assert json.loads(card.read_text())["headline"] == desk.status()["duel"]["result"]["headline"]
    assert card.with_suffix(".png").is_file()
    desk.press("v")
    desk.until_status("the video again", lambda s: s["duel"]["state"] == "off" and s["boxes"])

    # Another detector is asked for; if it is unavailable, the current one stays.
    desk.press("d")
    desk.until_status("another detector", lambda s: s["message"])

    # Full screen, and back.
    before = desk.picture().shape
    desk.press("f")
    desk.until("full screen", lambda: desk.picture().shape[1] > before[1])
    desk.press("f")
    desk.until("a window", lambda: desk.picture().shape[1] < 1000)

    desk.press("q")
    assert desk.ended() == 0


def test_sepcam_live_from_beginning_to_end(desktop, tmp_path):
    """The command itself: window, events, recording and results from the start, Esc at the end."""
    out = tmp_path / "out"
    desk = desktop(
        "-c",
        "from sepcam.app.cli import main; main()",
        *("live", str(demo_clip()), "--loop", "--detector", "ssdlite-person", "--backbone", "separable"),
        *("--tasks", "track,pose,segment", "--events", "--blur", "faces", "-o", str(out)),
        *("--record", str(out / "all.mp4"), "--save", "jsonl,mot", "--line", "270,0,270,360"),
    )
    desk.window()
    desk.until("event", lambda: any('"enter"' in line for line in desk.lines))
    assert desk.picture().std() > 20

    # A zone is drawn by mouse, and saved.
    height, width = desk.picture().shape[:2]
    assert not has_bar(desk)
    # Only the last of several keys that come at once is seen.
    desk.press("z")
    drawn = out / "market-street.zones.json"
    corners = ((0.2, 0.3), (0.8, 0.3), (0.8, 0.9), (0.2, 0.9), (0.2, 0.3))
    draw(desk, "z", [(x * width, y * height) for x, y in corners], drawn)
    (line, zone) = read_zones(drawn)
    assert line.points[0] == (0.5, 0) and zone.points[2] == pytest.approx((0.8, 0.9), abs=0.03)
    desk.press("Escape")
    desk.until("no bar", lambda: not has_bar(desk))
    desk.until("somebody in it", lambda: any('"zone 1"' in line for line in desk.lines))
    desk.press("Escape")
    assert desk.ended() == 0
    said = "".join(desk.errors)
    assert "market-street.mp4: 540x360 at 29.97 FPS" in said
    assert f"-> {out / 'all.mp4'}" in said
    assert "Traceback" not in said and "QFont" not in said
    events = [json.loads(line) for line in desk.lines]
    assert {event["kind"] for event in events} <= {"enter", "leave", "line", "zone"}
    assert events[-1]["kind"] == "leave"
    with av.open(str(out / "all.mp4")) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    lines = [json.loads(line) for line in (out / "all.jsonl").read_text().splitlines()]
    frames = [line for line in lines if line["type"] == "frame"]
    assert frames[0]["time_s"] == times[0] == 0
    assert len(frames) == len(times)
    assert [frame["time_s"] for frame in frames] == pytest.approx(times, abs=0.002)
    assert (out / "all.mot.txt").is_file()


@pytest.fixture(scope="module")
def people() -> np.ndarray:
    """A picture with two people whom the detector is sure of."""
    with av.open(str(demo_clip())) as container:
        return next(islice(container.decode(video=0), 150, None)).to_ndarray(format="bgr24")


def test_a_stream_that_dies_leaves_its_last_picture_and_goes_on_when_it_returns(desktop, people):
    """The command with a stream that is killed; its next sender has another size."""
    words = "--events", "--detector", "ssdlite-person", "--tasks", "track"
    with NetworkCamera("mpegts", lambda number: people) as first:
        desk = desktop("-c", "from sepcam.app.cli import main; main()", "live", first.url, *words)
        desk.until("two people", lambda: sum('"enter"' in line for line in desk.lines) == 2)
        desk.window()
    above, below = slice(60, 150), slice(240, 350)
    desk.until("banner", lambda: middle(desk.picture()) < 0.6 * middle(people))
    last = desk.picture()
    for rows in (above, below):
        assert np.abs(last[rows].astype(int) - people[rows]).mean() < 15
    larger = cv2.resize(people, (720, 480))
    with NetworkCamera("mpegts", lambda number: larger, port=first.port):
        desk.until("picture without a banner", lambda: middle(desk.picture()) > 0.8 * middle(people))
        time.sleep(3.0)  # for somebody new, if there is
        desk.press("Escape")
        assert desk.ended() == 0
    events = [json.loads(line) for line in desk.lines]
    # On a slow machine the stream is away for longer than GAP_S: then both are new people.
    numbers = {event["id"] for event in events}
    assert numbers in ({1, 2}, {1, 2, 3, 4})
    kinds = [event["kind"] for event in events]
    assert kinds.count("enter") == kinds.count("leave") == len(numbers)


def middle(picture: np.ndarray) -> float:
    """How bright a picture of a stream is where a banner would be."""
    return float(picture[165:195, 20:150].mean())


def test_four_sources_are_a_grid_and_each_is_shown_alone(desktop, tmp_path):
    """Two films, a camera that is all green, and a file that is not there."""
    green = np.full((240, 320, 3), (0, 160, 0), np.uint8)
    out = tmp_path / "out"
    with NetworkCamera("mjpeg", lambda number: green) as camera:
        desk = desktop(
            *("-c", "from sepcam.app.cli import main; main()", "live", str(demo_clip()), str(demo_clip())),
            *(camera.url, "nowhere.mp4", "--loop", "--tasks", "track", "--detector", "ssdlite-person"),
            *("-o", str(out), "--hud", "off"),
        )

        def is_green(part: np.ndarray) -> bool:
            return abs(part[..., 1].mean() - 160) < 20 and part[..., ::2].mean() < 40

        def cell(row: int, column: int) -> np.ndarray:
            picture = desk.picture()
            high, wide = picture.shape[0] // 2, picture.shape[1] // 2
            part = picture[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
            return part[high // 3 : -high // 10, wide // 3 : -wide // 3]

        def is_grid() -> bool:
            films = cell(0, 0).std() > 20 and cell(0, 1).std() > 20
            return films and is_green(cell(1, 0)) and 0 < cell(1, 1).mean() < 100

        desk.until_painted("grid", is_grid)
        # A number shows one source alone: recordings and snapshots are of that one.
        desk.press("s")  # of none yet
        desk.press("3")
        desk.until("camera alone", lambda: is_green(desk.picture()[30:-30, 40:-40]))
        desk.press("r")
        desk.until("red dot", lambda: (desk.picture()[:40, -40:, 2] > 200).any())
        time.sleep(1.0)  # for frames
        desk.press("s")
        desk.until("snapshot", lambda: any("saved" in line for line in desk.errors))
        desk.press("r")
        desk.until("recording", lambda: any("recorded" in line for line in desk.errors))
        # Another key returns; z draws in the source under the mouse.
        desk.press("0")
        desk.until("grid", is_grid)
        height, width = desk.picture().shape[:2]
        desk.move(0.7 * width, 0.3 * height)
        desk.press("z")
        height, width = 360, 540  # of the film
        desk.until("film alone", lambda: desk.picture().shape[:2] == (height, width))
        drawn = out / "market-street-2.zones.json"
        draw(desk, "l", [(x * width, 0.6 * height) for x in (0.2, 0.8)], drawn)
        (line,) = read_zones(drawn)
        assert np.array(line.points) == pytest.approx(np.array([(0.2, 0.6), (0.8, 0.6)]), abs=0.03)
        desk.press("Escape")
        desk.until("no bar", lambda: not has_bar(desk))
        # A click shows one alone, too.
        desk.press("0")
        desk.until("grid", is_grid)
        desk.click(100, 100)
        desk.until("film alone", lambda: not is_grid() and desk.picture()[:, -40:].std() > 20)
        desk.press("Escape")
        desk.until("grid", is_grid)
        desk.press("h")
        desk.until("help, dark over the second film", lambda: cell(0, 1).mean() < 40)
        desk.press("q")
        assert desk.ended() == 1  # one of them was never there
    said = "".join(desk.errors)
    assert "nowhere.mp4 does not exist" in said and "Traceback" not in said
    assert "market-street.mp4 (2): 540x360 at 29.97 FPS" in said
    stems = {path.stem.rsplit("-", 2)[0] for path in out.iterdir() if path != drawn}
    assert len(list(out.glob("*.png"))) == len(list(out.glob("*.mp4"))) == 1
    assert stems == {f"127.0.0.1-{camera.port}"}


def headless(tmp_path, *words, env=None):
    command = [sys.executable, "-c", "from sepcam.app.cli import main; main()", "live", *words]
    return subprocess.Popen(
        command, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [("", "there is no display here (DISPLAY is not set)"), (":987", "the display :987 does not answer")],
)
def test_without_a_display_one_line_says_what_else_there_is(value, message, tmp_path):
    process = headless(tmp_path, "synthetic", env={"DISPLAY": value})
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (2, "")
    assert errors.splitlines() == [
        f"error: {message}: watch in a browser with 'sepcam serve', "
        "or go without: --headless --record out.mp4"
    ]


def test_a_duel_without_a_window_prints_its_figures_and_writes_its_card(tmp_path):
    words = (
        "--duel",
        "1",
        "--headless",
        "--detector",
        "ssdlite-person",
        "--tasks",
        "track",
        "-o",
        str(tmp_path),
    )
    process = headless(tmp_path, str(demo_clip()), *words)
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    lines = out.splitlines()
    entry = json.loads((tmp_path / "market-street-duel.json").read_text())
    assert lines[0].startswith("ssdlite-person, ") and lines[0].endswith(entry["headline"])
    assert [line.split()[0] for line in lines[1:4]] == ["ms", "separable", "standard"]
    assert entry["sides"]["standard"]["macs"] > entry["sides"]["separable"]["macs"]
    assert "preparing both backbones ..." in errors and "card -> " in errors
    image = cv2.imread(str(tmp_path / "market-street-duel.png"))
    assert image is not None and image.shape[1] > 1000
    again = headless(tmp_path, str(demo_clip()), *words)
    _, errors = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 2
    assert errors.startswith("error: ") and "market-street-duel.png exists: use --overwrite" in errors


def test_a_recording_of_a_kind_that_there_is_not_is_refused_at_once(tmp_path):
    process = headless(tmp_path, "synthetic", "--headless", "--record", "out.txt")
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert errors == "error: out.txt is not a name for a recording: it must end in .mp4 or .mov\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_headless_ends_by_a_signal_and_completes_its_files(number, tmp_path):
    video = tmp_path / "out.mp4"
    words = "--headless", "--record", str(video), "--detector", "ssdlite-person", "--tasks", "track"
    process = headless(tmp_path, "synthetic:320x240@30x100000", *words)
    give_up = time.monotonic() + PATIENCE_S
    # The hidden file grows once frames are written.
    while not any(path.stat().st_size > 100 for path in tmp_path.glob(".out.partial*")):
        assert process.poll() is None and time.monotonic() < give_up
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert f"-> {video}" in errors
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
