"""``sepcam serve``: a real server, asked by programs; test_serve_page.py uses it with a browser."""

import io
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from itertools import islice

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from sepcam.assets import demo_clip
from sepcam.pipelines.analysis.scenes import GAP_S
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.streams import NetworkCamera
from tests.web_noise import FUZZ, messages
from tests.web_server import PATIENCE_S, serving

# --- the page and what is about the server


def test_the_page_comes_whole_and_wants_nothing_from_elsewhere(web_server):
    seen, waiting = set(), ["/", "/docs"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = web_server.ask("GET", path)
        assert answer.status == 200, path
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        text = answer.body.decode()
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)[\w.]+\.\w", text), path
        found = re.findall(r'(?:src|href)="(/page/[\w.]+)"', text)
        found += [f"/page/{name}" for name in re.findall(r'from "\./([\w.]+)"', text)]
        waiting += [one for one in found if one not in seen and one not in waiting]
    assert {"/page/main.js", "/page/live.js", "/page/style.css", "/page/icon.svg"} <= seen


@pytest.mark.parametrize(
    "path", ["/page/../server.py", "/page/%2e%2e%2fserver.py", "/page/x.css", "/api/files/x", "/api/videos/x"]
)
def test_nothing_is_served_by_a_path_of_the_visitors(web_server, path):
    assert web_server.ask("GET", path).status == 404
    assert web_server.ask("GET", "/api/files/..%2f..%2fetc%2fpasswd").status == 404


def test_health_metrics_and_the_api_are_told(web_server):
    web_server.until("a picture", lambda: web_server.status()["model_fps"])
    assert web_server.ask("GET", "/healthz").json() == {"status": "ok"}
    figures = web_server.ask("GET", "/metrics")
    assert figures.headers["content-type"].startswith("text/plain")
    lines = figures.body.decode().splitlines()
    assert "sepcam_live_up 1.0" in lines
    assert any(line.startswith('sepcam_live_model_fps{backbone="separable"} ') for line in lines)
    paths = web_server.ask("GET", "/openapi.json").json()["paths"]
    assert {"/api/live", "/api/videos", "/healthz", "/metrics"} <= set(paths)


# --- who may come in


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "evil.example"}, 403),  # its name was bound to 127.0.0.1: DNS rebinding
        ({"Host": "192.168.1.7"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
def test_foreign_pages_are_refused(web_server, headers, status):
    answer = web_server.ask("GET", "/api/live", **headers)
    assert answer.status == status
    assert status == 200 or len(answer.json()["detail"]) < 200


def test_the_own_page_is_welcome_and_a_foreign_websocket_is_not(web_server):
    own = {"Origin": f"http://{web_server.host}"}
    assert web_server.ask("PATCH", "/api/live", {"hud": "off"}, **own).status == 200
    for path in ("/api/live/frames", "/api/camera"):
        with (
            pytest.raises(InvalidStatus) as refused,
            web_server.socket(path, origin="http://evil.example"),
        ):
            pass
        assert refused.value.response.status_code == 403


def test_another_address_asks_for_the_token(tmp_path):
    with serving("none", "--host", "0.0.0.0", "--detector", "ssdlite-person", "--tasks", "none") as server:
        token = re.search(r"\?token=([\w-]{20,})$", server.url)[1]
        assert server.url.count(token) == 1 and token not in "".join(server.errors)
        assert server.ask("GET", "/healthz").status == 200
        for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": f"sepcam_{server.port}={token}"}):
            for path in ("/", "/api/about", "/metrics", "/openapi.json", "/?token=x", "/?token="):
                assert server.ask("GET", path, **headers).status == 401, path
        with pytest.raises(InvalidStatus), server.socket("/api/camera"):
            pass

        first = server.ask("GET", f"/?token={token}")
        assert first.status == 200
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and token not in cookie
        cookie = cookie.split(";")[0]
        assert server.ask("GET", "/api/about", Cookie=cookie).json()["live"] is False
        assert server.ask("GET", "/api/live", Cookie=cookie).status == 404
        assert server.ask("GET", "/metrics", Authorization=f"Bearer {token}").status == 200
        with server.socket("/api/camera", additional_headers={"Cookie": cookie}) as camera:
            assert json.loads(camera.recv(PATIENCE_S))["type"] == "ready"
        assert server.ask("GET", "/", Host="evil.example", Cookie=cookie).status == 403
        assert server.stop(signal.SIGTERM) == 0


def refused_start(*words, code="from sepcam.app.cli import main; main()"):
    command = [sys.executable, "-c", code, "serve", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def test_a_port_in_use_takes_one_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused_start("synthetic", "--port", str(port))
    assert line == f"error: port {port} is in use by another program: choose another with --port"


def test_mistakes_take_one_line(tmp_path):
    assert "not an address of this machine" in refused_start("none", "--host", "192.0.2.1")
    assert "--rule needs a source to watch" in refused_start("none", "--rule", "at least 1 person")
    file = tmp_path / "cert.pem"
    assert "belong together" in refused_start("none", "--tls-cert", str(file))
    file.write_text("no certificate")
    assert "not a certificate and its key" in refused_start(
        "none", "--tls-cert", str(file), "--tls-key", str(file)
    )


def test_without_the_packages_it_says_what_to_install():
    code = "import sys; sys.modules['uvicorn'] = None\nfrom sepcam.app.cli import main; main()"
    assert refused_start("none", code=code) == "error: sepcam serve needs uvicorn: pip install 'sepcam[web]'"


def test_ctrl_c_ends_it_though_somebody_watches(tmp_path):
    words = (
        "synthetic:160x120@30x100000",
        "--detector",
        "ssdlite-person",
        "--tasks",
        "none",
        "-o",
        str(tmp_path),
    )
    with serving(*words) as server, server.socket("/api/live/frames") as viewer:
        while not isinstance(viewer.recv(PATIENCE_S), bytes):
            pass
        assert server.ask("POST", "/api/live/recording").status == 200
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)  # and once more by an impatient user
        assert server.stop() == 0
        assert server.errors[-1] == "stopped\n"
        assert "Traceback" not in "".join(server.errors)
    (video,) = tmp_path.iterdir()  # a recording under way is completed
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 1


# --- the live picture


def test_switches_do_what_the_keys_do(web_server):
    before = web_server.status()
    assert before["source"]["name"] == "market-street.mp4"
    changed = web_server.ask(
        "PATCH", "/api/live", {"tasks": [], "conf": 0.4, "hud": "full", "paused": True}
    ).json()
    assert (changed["tasks"], changed["conf"], changed["hud"]) == ([], 0.4, "full")
    assert changed["notice"] == "paused"
    back = {"tasks": before["tasks"], "conf": before["conf"], "hud": "off", "paused": False}
    assert web_server.ask("PATCH", "/api/live", back).json()["notice"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"detector": "os:system"},
        {"detector": "yolo:/etc/passwd"},
        {"conf": 7},
        {"backbone": "x"},
        {"x": 1},
        [],
        "x",
    ],
)
def test_switches_that_there_are_not_are_refused(web_server, change):
    before = web_server.status()
    assert web_server.ask("PATCH", "/api/live", change).status == 422
    assert web_server.status()["detector"] == before["detector"]


def test_a_click_follows_a_person_and_a_click_elsewhere_nobody(web_server):
    def clicked():
        return any(
            web_server.ask("POST", "/api/live/click", {"x": x, "y": y}).json()["id"]
            for x in np.arange(0.05, 1, 0.1)
            for y in (0.5, 0.7)
        )

    web_server.until("somebody to follow", clicked)
    assert web_server.status()["follow"]
    assert web_server.ask("POST", "/api/live/click", {"x": 0, "y": 0}).json() == {"id": None}
    assert web_server.status()["follow"] is None
    assert web_server.ask("PUT", "/api/live/follow", {"id": 3}).json() == {"id": 3}
    web_server.ask("PUT", "/api/live/follow", {"id": None})


def test_a_snapshot_and_a_recording_can_be_fetched(web_server):
    snapshot = web_server.ask("GET", "/api/live/snapshot")
    picture = cv2.imdecode(np.frombuffer(snapshot.body, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (360, 540, 3)
    assert web_server.ask("POST", "/api/live/recording").status == 200
    assert web_server.ask("POST", "/api/live/recording").status == 409
    assert web_server.status()["recording"].endswith(".mp4")
    time.sleep(1.0)
    done = web_server.ask("DELETE", "/api/live/recording").json()
    video = web_server.ask("GET", f"/api/files/{done['id']}")
    assert video.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(video.body)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 1


class Viewer:
    """Watches in a thread; ``stalled`` never acknowledges, nor reads after the first picture."""

    def __init__(self, server, *, stalled=False):
        self.numbers = []
        self._server, self._stalled = server, stalled
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        # A stalled one is disconnected sooner or later.
        with suppress(ConnectionClosed), self._server.socket("/api/live/frames") as connection:
            while not self._done.is_set():
                message = connection.recv(PATIENCE_S)
                if isinstance(message, bytes):
                    assert message[4:6] == b"\xff\xd8"
                    self.numbers.append(int.from_bytes(message[:4], "big"))
                    if self._stalled:
                        self._done.wait()
                    connection.send(json.dumps({"ack": self.numbers[-1]}))

    def close(self):
        self._done.set()
        self._thread.join()


def test_three_viewers_keep_their_rate_though_one_is_stalled(web_server):
    viewers = [Viewer(web_server, stalled=True), Viewer(web_server), Viewer(web_server)]
    try:
        stalled, *others = viewers
        web_server.until("first pictures", lambda: all(viewer.numbers for viewer in viewers))
        web_server.until("all to be counted", lambda: web_server.status()["viewers"] >= 3)
        web_server.until("pictures", lambda: all(len(viewer.numbers) > 20 for viewer in others))
        assert len(stalled.numbers) == 1
        for viewer in others:
            assert viewer.numbers == sorted(set(viewer.numbers))
        # Both watch the same pictures: neither waited for the stalled one, nor for the other.
        counts = [len(viewer.numbers) for viewer in others]
        assert min(counts) > 0.6 * max(counts)
        shown = web_server.status()
        assert shown["shown_fps"] and shown["latency_ms_p50"] > 0
    finally:
        for viewer in viewers:
            viewer.close()
    web_server.until("all to leave", lambda: web_server.status()["viewers"] == 0)


def test_more_viewers_than_there_is_room_for_are_told_so(web_server):
    web_server.until("all to leave", lambda: web_server.status()["viewers"] == 0)
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(web_server.socket("/api/live/frames"))
        web_server.until("all to be counted", lambda: web_server.status()["viewers"] == 16)
        with web_server.socket("/api/live/frames") as late:
            message = json.loads(late.recv(PATIENCE_S))
            assert message == {
                "type": "refused",
                "message": "16 viewers are connected already: try again later",
            }


def test_the_session_goes_on_for_those_who_come_later(web_server):
    first = Viewer(web_server)
    web_server.until("pictures", lambda: len(first.numbers) > 3)
    first.close()
    later = Viewer(web_server)
    web_server.until("later pictures", lambda: len(later.numbers) > 3)
    assert later.numbers[0] > first.numbers[-1] - 3
    later.close()


def test_a_stream_that_dies_and_returns_goes_on_for_those_who_watch():
    """H.264 over RTSP; the next sender has another size."""
    with av.open(str(demo_clip())) as container:
        people = next(islice(container.decode(video=0), 150, None)).to_ndarray(format="bgr24")

    def ids():
        return sorted(person["id"] for person in server.status()["people"])

    with ExitStack() as stack:
        first = stack.enter_context(NetworkCamera("rtsp", lambda number: people))
        words = "--detector", "ssdlite-person", "--tasks", "track"
        server = stack.enter_context(serving(first.url, *words))
        viewer = stack.enter_context(closing(Viewer(server)))
        server.until("two people", lambda: ids() == [1, 2] and viewer.numbers)
        first.kill()
        gone = time.monotonic()
        server.until("banner", lambda: (server.status()["notice"] or "").startswith("reconnecting ("))
        assert server.ask("GET", "/api/live/snapshot").status == 200
        assert ids() == [1, 2]
        seen = viewer.numbers[-1]
        larger = cv2.resize(people, (720, 480))
        stack.enter_context(NetworkCamera("rtsp", lambda number: larger, port=first.port))
        server.until("pictures", lambda: viewer.numbers[-1] > seen + 10)
        away_s = time.monotonic() - gone
        assert server.status()["notice"] is None
        # On a slow machine they were away for so long that they are new people.
        assert ids() == [1, 2] or (away_s > GAP_S and len(ids()) == 2)


@FUZZ
@given(messages)
def test_whatever_a_viewer_sends_breaks_nothing(web_server, sent):
    with web_server.socket("/api/live/frames") as connection:
        for message in sent:
            connection.send(message)
        while not isinstance(connection.recv(PATIENCE_S), bytes):
            pass


# --- recordings


def at_once(count, act):
    """Calls a function in several threads at the same moment; the results."""
    barrier = threading.Barrier(count)

    def wait_and_act(_):
        barrier.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_act, range(count)))


def test_viewers_who_press_record_at_the_same_time_make_one_recording(web_server):
    web_server.until("frames", lambda: web_server.status()["frames"])
    for _ in range(4):
        started = at_once(6, lambda: web_server.ask("POST", "/api/live/recording"))
        assert sorted(answer.status for answer in started) == [200] + 5 * [409]
        refusals = {answer.json()["detail"] for answer in started if answer.status == 409}
        assert all("is being recorded already" in reason for reason in refusals)
        time.sleep(0.7)
        stopped = at_once(3, lambda: web_server.ask("DELETE", "/api/live/recording"))
        assert sorted(answer.status for answer in stopped) == [200, 409, 409]
        done = next(answer.json() for answer in stopped if answer.status == 200)
        video = web_server.ask("GET", f"/api/files/{done['id']}")
        with av.open(io.BytesIO(video.body)) as container:
            assert sum(1 for _ in container.decode(video=0)) >= 1
        assert web_server.status()["recording"] is None


# --- errors

BROKEN = """
from sepcam.models.types import Detections

class BrokenDetector:
    name = "broken"
    labels = ("person",)
    parts = frozenset()
    calls = 0

    def detect(self, image):
        type(self).calls += 1
        if self.calls > 3:
            raise RuntimeError("The size of tensor a (3) must match the size of tensor b (4)")
        return Detections.empty()
"""


def test_an_error_in_a_network_is_reported_to_the_visitor_and_once_on_the_terminal(tmp_path, monkeypatch):
    (tmp_path / "broken_network.py").write_text(BROKEN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    _, jpeg = cv2.imencode(".jpg", np.zeros((240, 320, 3), np.uint8))
    with serving("none", "--detector", "broken_network:BrokenDetector", "--tasks", "none") as server:
        for _ in range(2):
            with server.socket("/api/camera") as camera:
                message = json.loads(camera.recv(PATIENCE_S))
                while message["type"] in ("ready", "result"):
                    camera.send(jpeg.tobytes())
                    message = json.loads(camera.recv(PATIENCE_S))
                assert message["type"] == "refused"
                assert "RuntimeError: The size of tensor a (3) must match" in message["message"]
    lines = [line for line in server.errors if "size of tensor" in line]
    assert lines == [f"warning: {message['message']}\n"]
