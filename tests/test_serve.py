"""``sepcam serve``: a real server, asked by programs; test_serve_page.py asks it with a browser."""

import io
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from importlib import resources
from itertools import cycle, islice
from urllib.parse import unquote

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.clips import write_clip
from tests.walkers import square_picture
from tests.web_server import PATIENCE_S, serving


def jpeg(width=320, height=240):
    picture = square_picture(3, (width, height))
    return cv2.imencode(".jpg", picture)[1].tobytes()


def people_jpegs():
    """Pictures of people, one after the other."""
    with av.open(str(resources.files("sepcam.assets") / "market-street.mp4")) as container:
        for frame in islice(container.decode(video=0), 120, None):
            yield cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"))[1].tobytes()


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
    for path in ("/api/live/pictures", "/api/camera"):
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
    assert "no address of this machine" in refused_start("none", "--host", "192.0.2.1")
    file = tmp_path / "cert.pem"
    assert "belong together" in refused_start("none", "--tls-cert", str(file))
    file.write_text("no certificate")
    assert "no certificate and its key" in refused_start(
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
    with serving(*words) as server, server.socket("/api/live/pictures") as viewer:
        while not isinstance(viewer.recv(PATIENCE_S), bytes):
            pass
        assert server.ask("POST", "/api/live/recording").status == 200
        time.sleep(0.5)
        assert server.stop() == 0
        assert server.errors[-1] == "stopped\n"
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
        with suppress(ConnectionClosed), self._server.socket("/api/live/pictures") as connection:
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
            stack.enter_context(web_server.socket("/api/live/pictures"))
        web_server.until("all to be counted", lambda: web_server.status()["viewers"] == 16)
        with web_server.socket("/api/live/pictures") as late:
            message = json.loads(late.recv(PATIENCE_S))
            assert message == {"type": "refused", "message": "16 browsers watch already: try again later"}


def test_the_session_goes_on_for_those_who_come_later(web_server):
    first = Viewer(web_server)
    web_server.until("pictures", lambda: len(first.numbers) > 3)
    first.close()
    later = Viewer(web_server)
    web_server.until("later pictures", lambda: len(later.numbers) > 3)
    assert later.numbers[0] > first.numbers[-1] - 3
    later.close()


texts = st.one_of(
    st.text(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ).map(json.dumps),
    st.integers(-3, 2**40).map(lambda n: json.dumps({"ack": n})),
    st.just("[" * 50_000),
)
messages = st.lists(st.one_of(texts, st.binary(max_size=200)), max_size=5)
FUZZ = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(messages)
def test_whatever_a_viewer_sends_breaks_nothing(web_server, sent):
    with web_server.socket("/api/live/pictures") as connection:
        for message in sent:
            connection.send(message)
        while not isinstance(connection.recv(PATIENCE_S), bytes):
            pass


# --- visitors' cameras


@contextmanager
def ready(web_server):
    """A camera's connection; the one before may still be on its way out."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        with web_server.socket("/api/camera") as connection:
            if json.loads(connection.recv(PATIENCE_S))["type"] == "ready":
                yield connection
                return
        time.sleep(0.1)
    raise AssertionError("no room for a camera")


def answer(connection, message):
    connection.send(message)
    return json.loads(connection.recv(PATIENCE_S))


def test_a_visitors_pictures_are_analysed(web_server):
    with ready(web_server) as connection:
        pictures = people_jpegs()
        found = (last for data in pictures if (last := answer(connection, data))["objects"])
        last = next(found)
        assert last["type"] == "result" and last["size"] == [540, 360]
        (person, *_) = last["objects"]
        assert person["label"] == "person" and person["id"] >= 1 and person["colour"].startswith("#")
        x1, y1, x2, y2 = person["box"]
        assert 0 <= x1 < x2 <= 540 and 0 <= y1 < y2 <= 360
        assert "keypoints" not in person

        connection.send(json.dumps({"tasks": ["track", "pose", "segment"]}))
        told = {}
        for data in cycle(pictures):
            last = answer(connection, data)
            told |= {key: last[key] for key in ("skeleton", "sides") if key in last}
            if any("outline" in one for one in last["objects"]):
                break
        assert len(told["skeleton"]) > 10 and len(told["sides"]) == 33
        person = next(one for one in last["objects"] if "outline" in one)
        assert len(person["keypoints"]) == 33
        assert all(0 <= x <= 540 and 0 <= y <= 360 for polygon in person["outline"] for x, y in polygon)

        # Another size (a phone that was turned) is taken as well.
        assert answer(connection, jpeg(240, 320))["size"] == [240, 320]


def test_one_camera_too_many_is_told_so(web_server):
    with ready(web_server), web_server.socket("/api/camera") as late:
        message = json.loads(late.recv(PATIENCE_S))
        assert message == {
            "type": "refused",
            "message": "one visitor's camera is being analysed already: try again in a moment",
        }
        with pytest.raises(ConnectionClosed):
            late.recv(PATIENCE_S)


def test_visitors_who_are_silent_are_disconnected_and_told_why(web_server):
    with ready(web_server) as camera, web_server.socket("/api/live/pictures") as viewer:
        message = json.loads(camera.recv(PATIENCE_S))
        assert message == {"type": "refused", "message": "no picture came for 8 s"}
        texts = (text for text in iter(lambda: viewer.recv(PATIENCE_S), None) if isinstance(text, str))
        refused = next(message for text in texts if (message := json.loads(text))["type"] == "refused")
        assert refused["message"] == "nothing was acknowledged for 8 s"


def with_size(data, width, height):
    """A JPEG that says of itself that it is so large."""
    start = data.index(b"\xff\xc0") + 5
    return data[:start] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[start + 4 :]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"", "no JPEG"),
        (b"\xff\xd8\xff", "no JPEG"),
        (cv2.imencode(".png", square_picture(0))[1].tobytes(), "no JPEG"),
        (with_size(jpeg(), 60_000, 60_000), "60000x60000 pixels, at most"),
        (jpeg(8, 8), "only 8x8"),
        (jpeg() + bytes(2 * 1024 * 1024), "bytes, at most"),
        ('{"backbone": "x"}', "backbone"),
        ('{"detector": "os:system"}', "detector"),
        ("", "JSON"),
    ],
)
def test_a_bad_picture_gets_an_error_and_the_next_one_is_analysed(web_server, bad, words):
    with ready(web_server) as connection:
        message = answer(connection, bad)
        assert message["type"] == "error" and words in message["message"]
        assert answer(connection, jpeg())["type"] == "result"


@FUZZ
@given(messages, st.integers(0, 2000), st.binary(max_size=30))
def test_whatever_a_camera_sends_breaks_nothing(web_server, sent, place, noise):
    good = jpeg()
    damaged = good[:place] + noise + good[place + len(noise) :]
    with ready(web_server) as connection:
        for message in [*sent, damaged]:
            connection.send(message)
        connection.send(good)
        while json.loads(connection.recv(PATIENCE_S))["type"] != "result":
            pass


# --- video files


def upload(web_server, data, name="clip.mp4", **headers):
    return web_server.ask("POST", f"/api/videos?name={name}&tasks=track", data, **headers)


def finished(web_server, key):
    def ended():
        job = web_server.ask("GET", f"/api/videos/{key}").json()
        return None if job["state"] in ("waiting", "running") else job

    return web_server.until("end of the job", ended)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return write_clip(path, images=[square_picture(i, (160, 120)) for i in range(8)], size=(160, 120))


def test_a_video_is_processed_and_its_results_fetched(web_server, clip):
    sent = upload(web_server, clip.read_bytes(), "../../my%20clip%3C.mp4")
    assert sent.status == 201
    job = finished(web_server, sent.json()["id"])
    assert (job["state"], job["name"], job["done"], job["total"]) == ("done", "my clip_.mp4", 8, 8)
    assert job["message"].startswith("8 frames, 0 people, ")
    video = web_server.ask("GET", f"/api/files/{job['files']['video']}")
    assert unquote(video.headers["content-disposition"]).endswith("my clip_-sepcam.mp4")
    with av.open(io.BytesIO(video.body)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 8
    lines = [
        json.loads(line)
        for line in web_server.ask("GET", f"/api/files/{job['files']['jsonl']}").body.splitlines()
    ]
    assert lines[0]["source"] == "my clip_.mp4" and lines[-1]["frames"] == 8
    assert web_server.ask("DELETE", f"/api/videos/{job['id']}").status == 200
    for path in (f"/api/videos/{job['id']}", *(f"/api/files/{key}" for key in job["files"].values())):
        assert web_server.ask("GET", path).status == 404


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    "data", [b"no video at all", PLAYLIST, b"ffconcat version 1.0\nfile /etc/hostname\n", jpeg()]
)
def test_what_is_no_video_fails_with_a_word_on_why(web_server, data):
    job = finished(web_server, upload(web_server, data, "note.mp4").json()["id"])
    assert job["state"] == "failed"
    assert job["message"] == "note.mp4 is not a video file that can be read"


def test_a_file_that_is_too_large_is_not_kept(web_server):
    large = bytes(3_000_001)
    answer = upload(web_server, large)
    assert answer.status == 413
    assert "larger than 3 MB" in answer.json()["detail"]
    # Nor one that does not say beforehand how large it is.
    with socket.create_connection(("127.0.0.1", web_server.port), timeout=PATIENCE_S) as connection:
        head = f"POST /api/videos HTTP/1.1\r\nHost: {web_server.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        with suppress(OSError):
            for _ in range(40):
                connection.sendall(b"186a0\r\n" + bytes(100_000) + b"\r\n")
        assert b" 413 " in connection.recv(100)
    assert upload(web_server, b"").status == 400


def test_a_video_can_be_cancelled_and_only_a_few_are_taken(web_server, tmp_path):
    images = [square_picture(i, (320, 240)) for i in range(400)]
    long = write_clip(tmp_path / "long.mp4", images=images, size=(320, 240))
    keys = [upload(web_server, long.read_bytes()).json()["id"] for _ in range(4)]
    try:
        refused = upload(web_server, long.read_bytes())
        assert refused.status == 429 and "try again later" in refused.json()["detail"]
        web_server.until(
            "progress", lambda: web_server.ask("GET", f"/api/videos/{keys[0]}").json()["done"] > 2
        )
    finally:
        for key in keys:
            assert web_server.ask("DELETE", f"/api/videos/{key}").json()["state"] == "cancelled"
    web_server.until(
        "nothing left",
        lambda: all(web_server.ask("GET", f"/api/videos/{key}").status == 404 for key in keys),
    )
