"""``python -m tests.soak.live``: several sources that come and go, watched by rules, for minutes.

One camera stays: a person is in its zone for a while, again and again, so that the number of its events is
known. The others die and return at random moments, while viewers come and go on the page. At the end every
event has to be there, whole, and both of its messages received; and memory may not have grown.
"""

import argparse
import http.server
import json
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import psutil

from tests.streams import NetworkCamera
from tests.walkers import square_picture
from tests.web_server import WebServer

SIZE = 320, 240
PERIOD_S, THERE_S = 15.0, 2.0
"""A person comes every so often and stays for so long; a clip lasts 5 s more, so that each is an event."""

RULE = "person in Yard"
GROWTH = 0.02
_WARM_SHARE = 0.3  # of the time, before memory is compared
_EMPTY = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)


@dataclass
class Found:
    """What a soak has shown.

    Attributes:
        seconds: how long it took.
        died: how often a source was killed.
        viewers: how many have come and gone.
        memory_mb: in use, over the time.
        expected: events of the camera that stays.
        events: stored ones, by source.
        faults: what is not as it should be, a line each.
    """

    seconds: float = 0.0
    died: int = 0
    viewers: int = 0
    memory_mb: list[float] = field(default_factory=list)
    expected: int = 0
    events: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """By what share memory has grown: the median of the last tenth against that after the warm-up."""
        used = self.memory_mb
        tenth = max(1, len(used) // 10)
        warm = used[int(len(used) * _WARM_SHARE) :][:tenth]
        return statistics.median(used[-tenth:]) / statistics.median(warm) - 1


class _Visits:
    """A camera's pictures: somebody is there at the beginning of each period, but not of the first one."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self.count = 0
        self._there = False

    def __call__(self, number: int) -> np.ndarray:
        now = time.monotonic()
        self._begun = self._begun or now
        periods, into_s = divmod(now - self._begun, PERIOD_S)
        there = periods >= 1 and into_s < THERE_S
        self.count += there and not self._there
        self._there = there
        return square_picture(40, SIZE) if there else _EMPTY


class _Coming:
    """A camera that is killed and started again at random moments, at the same address."""

    def __init__(self, seed: int, found: Found) -> None:
        self._dice, self._found = random.Random(seed), found
        self._camera = NetworkCamera("mjpeg", lambda number: square_picture(number, SIZE), rate=10)
        self.url = self._camera.url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._come_and_go)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _come_and_go(self) -> None:
        port = self._camera.port
        while not self._over.wait(self._dice.uniform(3, 20)):
            self._camera.kill()
            self._found.died += 1
            if self._over.wait(self._dice.uniform(0.5, 8)):
                return
            self._camera = NetworkCamera(
                "mjpeg", lambda number: square_picture(number, SIZE), rate=10, port=port
            )
        self._camera.kill()


@contextmanager
def _hook() -> Iterator[tuple[str, list[dict]]]:
    """The address of a web hook, and the messages that it has got."""
    messages: list[dict] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", messages
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run_soak(place: Path, seconds: float, seed: int) -> Found:
    """Runs the server for so long, and looks at what is left.

    Args:
        place: an empty folder.
        seconds: how long.
        seed: of the moments.
    """
    found = Found()
    visits = _Visits()
    with NetworkCamera("mjpeg", visits, rate=10) as steady, _hook() as (hook, messages):
        coming = [_Coming(seed + i, found) for i in range(2)]
        sources = (steady.url, *(one.url for one in coming))
        words = (
            "--detector",
            "tests.walkers:SquareDetector",
            "--tasks",
            "track",
            "--zone",
            "Yard: 0,0,1,0,1,1,0,1",
        )
        watched = ("--rule", RULE, "--on-event", hook, "-o", str(place))
        server = WebServer(*sources, *words, *watched)
        begun = time.monotonic()
        try:
            _watch(server, found, begun + seconds, random.Random(seed))
        finally:
            found.seconds = time.monotonic() - begun
            found.expected = visits.count
            code = server.stop()
            for one in coming:
                one.close()
        if code != 0:
            found.faults.append(f"the server ended with {code}: {''.join(server.errors)[-300:]}")
        name = f"127.0.0.1:{steady.port}"
        _judge(place / "events", found, messages, name)
    return found


def _watch(server: WebServer, found: Found, until: float, dice: random.Random) -> None:
    """Measures memory, and looks at the page now and then."""
    process = psutil.Process(server.process.pid)
    while time.monotonic() < until and server.process.poll() is None:
        found.memory_mb.append(process.memory_info().rss / 1e6)
        if dice.random() < 0.1:
            found.viewers += 1
            with suppress(OSError), server.socket("/api/live/frames") as viewer:
                for _ in range(10):
                    viewer.recv(5)
        time.sleep(1.0)


def _judge(folder: Path, found: Found, messages: list[dict], steady: str) -> None:
    stored = {}
    for facts in folder.glob("*/event.json"):
        event = json.loads(facts.read_text())
        stored[event["id"]] = event
        found.events[event["source"]] += 1
        try:
            with av.open(str(facts.with_name("clip.mp4"))) as clip:
                frames = sum(1 for _ in clip.decode(video=0))
            if not frames or not facts.with_name("thumbnail.jpg").is_file():
                found.faults.append(f"{event['id']} is not whole")
        except av.error.FFmpegError as error:
            found.faults.append(f"{event['id']}: {error}")
    for state in ("begin", "end"):
        told = Counter(message["id"] for message in messages if message["state"] == state)
        found.faults += [f"{state} of {key} was sent {told[key]} times" for key in stored if told[key] != 1]
        found.faults += [f"{state} of {key}, which is not there" for key in told if key not in stored]
    own = next((count for source, count in found.events.items() if steady in source), 0)
    # The last one may have come too late.
    if not found.expected - 1 <= own <= found.expected:
        found.faults.append(f"{own} events of the camera that stays, {found.expected} expected")
    if found.growth > GROWTH:
        found.faults.append(f"memory grew by {found.growth:.1%}")


def main() -> int:
    """Runs it, prints a summary, and gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.live", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="how long (30)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    words = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="sepcam-soak-"))
    try:
        found = run_soak(place, words.minutes * 60, words.seed)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(
        f"{found.seconds / 60:.1f} minutes: sources died {found.died} times, {found.viewers} viewers, "
        f"{found.events.total()} events ({found.expected} expected of the camera that stays)"
    )
    used = found.memory_mb
    print(f"memory {used[-1]:.0f} MB at the end, {max(used):.0f} at most; growth {found.growth:+.1%}")
    for fault in found.faults:
        print(f"fault: {fault}")
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main())
