"""Glass to glass: from a camera's frame to the same frame on the screen, of the window and of the page.

A camera of this process stamps each frame with the time, as black and white blocks, which are read back from
the pixels of a virtual screen. Everything in between counts: the network, decoding, analysis, drawing,
and in the page JPEG, the browser and its canvas.
"""

import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
import numpy as np
from sepcam.models.types import U8
from sepcam.pipelines.sources.synthetic import stamp_index

from tests.streams import NetworkCamera

from .rounds import Contender, Result, interleave
from .worker import WorkerError

WINDOW: Final = "window of sepcam live"
PAGE: Final = "page of sepcam serve, in chromium"

RATE: Final = 30.0
BITS: Final = 24
_SCREEN: Final = 1280, 900
_SETTLE_S: Final = 6.0
_PATIENCE_S: Final = 90.0
_LOOK_S: Final = 0.003
_OLDEST_MS: Final = 10_000
_FRAMES: Final = 60  # of the clip, again and again
_NEEDED: Final = ("Xvfb", "xdotool", "chromium")

Place = tuple[float, float, float]
"""Where the image is on the screen: left, top, and pixels of the screen for one of the image."""


def missing() -> list[str]:
    """The programs that are needed and not installed."""
    return [program for program in _NEEDED if shutil.which(program) is None]


def measure(
    clip: Path,
    words: Sequence[str],
    log: Path,
    seconds: float,
    rounds: int,
    seed: int,
    note: Callable[[str], None],
) -> dict[str, Result]:
    """Measures the window and the page in turn.

    Args:
        clip: what the camera shows.
        words: options of ``sepcam live`` and ``sepcam serve``.
        log: where what they print goes.
        seconds: of each measurement.
        rounds: of both.
        seed: of their order.
        note: told about progress.
    """
    with av.open(str(clip)) as container:
        images = [frame.to_ndarray(format="bgr24") for frame in islice(container.decode(video=0), _FRAMES)]
    size = images[0].shape[1]

    def timed(show: Callable[[str], Any]) -> dict[str, Any]:
        with (
            clock_camera(images) as (url, now),
            log.open("ab") as output,
            show(url, output) as (screen, place),
        ):
            time.sleep(_SETTLE_S)
            return watch(lambda: read_clock(screen, place, size), now, seconds)

    def window(url: str, output: Any) -> Any:
        return _window(url, words, output)

    def page(url: str, output: Any) -> Any:
        return _page(url, words, output)

    shown = {WINDOW: window, PAGE: page}
    contenders = [Contender(name, lambda show=show: timed(show)) for name, show in shown.items()]
    return interleave(contenders, rounds, seed, note)


@contextmanager
def clock_camera(images: Sequence[U8]) -> Iterator[tuple[str, Callable[[], int]]]:
    """The address of a camera whose frames bear the time, and the clock in milliseconds."""
    begun = time.monotonic()
    stock = cycle(images)

    def now() -> int:
        return int((time.monotonic() - begun) * 1e3) + 1

    def picture(number: int) -> U8:
        image = next(stock).copy()
        stamp_index(image, now())
        return image

    with NetworkCamera("mjpeg", picture, rate=RATE) as camera:
        yield camera.url, now


def watch(look: Callable[[], int], now: Callable[[], int], seconds: float) -> dict[str, Any]:
    """Looks at the screen for so long: the age of each frame when it is seen first, and their rate."""
    ages: list[int] = []
    last = look()
    end = now() + seconds * 1e3
    while (at := now()) < end:
        stamp = look()
        # Anything else is a screen that is being drawn.
        if last < stamp <= at and at - stamp < _OLDEST_MS:
            ages.append(at - stamp)
            last = stamp
        time.sleep(_LOOK_S)
    if len(ages) < 2:
        raise WorkerError("no clock is seen on the screen")
    percentiles = np.percentile(ages, [50, 95, 99, 100]).tolist()
    return {
        "seconds": seconds,
        "frames": len(ages),
        "fps": len(ages) / seconds,
        **dict(zip(("p50", "p95", "p99", "max"), percentiles, strict=True)),
    }


def read_clock(screen: U8, place: Place, width: int) -> int:
    """The time in ms that a frame on the screen bears.

    Args:
        screen: (H, W, 3 or 4) uint8, any order of colors.
        place: of the frame on it.
        width: of the frame, in its own pixels.
    """
    left, top, scale = place
    side = max(2, min(16, width // BITS)) * scale  # as in stamp_index
    columns = np.round(left + (np.arange(BITS) + 0.5) * side).astype(int)
    row = screen[round(top + side / 2), columns, :3]
    return int(((row.mean(axis=1) > 127).astype(np.int64) << np.arange(BITS)).sum())


@contextmanager
def _display(folder: Path) -> Iterator[tuple[str, U8]]:
    """A virtual display, and its pixels (H, W, 4) uint8 BGRX, which change as they are drawn."""
    read, write = os.pipe()
    width, height = _SCREEN
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"),
            *("-fbdir", str(folder)),
        ],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        path = folder / "Xvfb_screen0"  # in the format of xwd
        header = struct.unpack(">25I", path.read_bytes()[:100])
        head, bits, line, colors = header[0], header[11], header[12], header[19]
        assert bits == 32
        pixels = np.memmap(path, np.uint8, "r", head + 12 * colors, (height, line // 4, 4))
        yield f":{number}", pixels
    finally:
        server.terminate()
        server.wait()


@contextmanager
def _command(words: Sequence[str], env: Mapping[str, str], output: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from sepcam.app.cli import main; main()", *words],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=output,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def _window(url: str, words: Sequence[str], output: Any) -> Iterator[tuple[U8, Place]]:
    with TemporaryDirectory() as folder, _display(Path(folder)) as (display, screen):
        env = {"DISPLAY": display}
        with _command(["live", url, "--hud", "off", *words], env, output) as process:
            find = ["xdotool", "search", "--name", "Sepcam", "getwindowgeometry", "--shell"]

            def there() -> dict[str, str] | None:
                done = subprocess.run(
                    find, env={**os.environ, **env}, capture_output=True, text=True, check=False
                )
                found = dict(line.split("=", 1) for line in done.stdout.split() if "=" in line)
                return found if found.get("WIDTH", "1") != "1" else None

            _until(there, process)
            time.sleep(1.0)  # it gets its size after it has come up
            found = there() or {}
            yield screen, (float(found["X"]), float(found["Y"]), 1.0)


@contextmanager
def _page(url: str, words: Sequence[str], output: Any) -> Iterator[tuple[U8, Place]]:
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as folder, _display(Path(folder)) as (display, screen):
        serve = ["serve", url, "--port", "0", "--hud", "off", *words]
        with _command(serve, {}, output) as process, sync_playwright() as playwright:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                raise WorkerError("sepcam serve did not start")
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                headless=False,
                args=["--no-sandbox", "--window-position=0,0", f"--window-size={_SCREEN[0]},{_SCREEN[1]}"],
                env={**os.environ, "DISPLAY": display},
            )
            page = browser.new_context(no_viewport=True).new_page()
            page.goto(address)
            # The page's Content-Security-Policy forbids what wait_for_function does.
            _until(
                lambda: page.evaluate("Number(document.getElementById('live-canvas').dataset.number) > 9"),
                process,
            )
            found = page.evaluate(_WHERE)
            yield screen, (found["left"], found["top"], found["scale"])
            browser.close()


_WHERE = """() => {
    const canvas = document.getElementById("live-canvas");
    const box = canvas.getBoundingClientRect();
    return {
        left: screenX + (outerWidth - innerWidth) / 2 + box.left,
        top: screenY + outerHeight - innerHeight - (outerWidth - innerWidth) / 2 + box.top,
        scale: box.width / canvas.width,
    };
}"""


def _until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not condition():
        if process.poll() is not None:
            raise WorkerError("sepcam ended")
        if time.monotonic() > give_up:
            raise WorkerError("nothing came up")
        time.sleep(0.1)
