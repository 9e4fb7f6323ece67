"""``sepcam serve`` as visitors use it: their cameras, and their video files."""

import base64
import io
import json
import re
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from importlib import resources
from itertools import cycle, islice
from urllib.parse import unquote

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.clips import write_clip
from tests.walkers import square_picture
from tests.web_noise import FUZZ, messages
from tests.web_server import PATIENCE_S, serving


def jpeg(width=320, height=240):
    picture = square_picture(3, (width, height))
    return cv2.imencode(".jpg", picture)[1].tobytes()


def people_jpegs():
    """Pictures of people, one after the other."""
    with av.open(str(resources.files("sepcam.assets") / "market-street.mp4")) as container:
        for frame in islice(container.decode(video=0), 120, None):
            yield cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"))[1].tobytes()


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


def test_a_visitors_frames_are_analyzed(web_server):
    with ready(web_server) as connection:
        pictures = people_jpegs()
        found = (last for data in pictures if (last := answer(connection, data))["objects"])
        last = next(found)
        assert last["type"] == "result" and last["size"] == [540, 360]
        (person, *_) = last["objects"]
        assert person["label"] == "person" and person["id"] >= 1 and person["color"].startswith("#")
        x1, y1, x2, y2 = person["box"]
        assert 0 <= x1 < x2 <= 540 and 0 <= y1 < y2 <= 360
        assert "keypoints" not in person

        connection.send(json.dumps({"tasks": ["track", "pose", "segment"]}))
        style = None
        for data in cycle(pictures):
            last = answer(connection, data)
            style = last.get("style", style)
            if any("outline" in one for one in last["objects"]):
                break
        assert len(style["bones"]) > 10 and style["min_joint_score"] == 0.5 and 0 < style["mask_opacity"] < 1
        assert all(a < 17 and b < 17 and color.startswith("#") for a, b, color in style["bones"])
        person = next(one for one in last["objects"] if "outline" in one)
        assert len(person["keypoints"]) == 17
        assert all(0 <= x <= 540 and 0 <= y <= 360 for polygon in person["outline"] for x, y in polygon)

        # Another size (a phone that was turned) is taken as well.
        assert answer(connection, jpeg(240, 320))["size"] == [240, 320]


def test_a_duel_on_a_visitors_frames_has_a_ratio_and_a_card(web_server):
    with ready(web_server) as connection:
        connection.send('{"duel": 1}')
        images, card = [], None
        for data in people_jpegs():
            last = answer(connection, data)
            images += [last["image"]] if "image" in last else []
            card = card or last.get("card")
            if last["duel"]["state"] == "done" and len(images) > 8:
                break
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(images[-1]), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape[1] > 1000 and picture.std() > 20 and last["size"] == [540, 360]
        figures = json.loads(card["json"])
        assert figures["headline"] == last["duel"]["result"]["headline"]
        assert figures["source"] == "a visitor's camera"
        assert base64.b64decode(card["png"]).startswith(b"\x89PNG")
        assert "card" not in answer(connection, data)

        # A phone that is turned ends it, and so does the visitor.
        turned = answer(connection, jpeg(240, 320))
        assert turned["duel"]["state"] == "off" and "has ended" in turned["notice"]
        connection.send('{"duel": 600}')
        assert answer(connection, data)["duel"]["state"] in ("preparing", "running")
        connection.send('{"duel": 0}')
        assert answer(connection, data)["duel"] == {"state": "off", "seconds_left": 0.0, "result": None}


def test_one_camera_too_many_is_refused_with_a_reason(web_server):
    with ready(web_server), web_server.socket("/api/camera") as late:
        message = json.loads(late.recv(PATIENCE_S))
        assert message == {
            "type": "refused",
            "message": "another visitor's camera is being analyzed already: try again in a moment",
        }
        with pytest.raises(ConnectionClosed):
            late.recv(PATIENCE_S)


def test_visitors_who_are_silent_are_disconnected_and_told_why(web_server):
    with ready(web_server) as camera, web_server.socket("/api/live/frames") as viewer:
        message = json.loads(camera.recv(PATIENCE_S))
        assert message == {"type": "refused", "message": "no frame came for 8 s"}
        texts = (text for text in iter(lambda: viewer.recv(PATIENCE_S), None) if isinstance(text, str))
        refused = next(message for text in texts if (message := json.loads(text))["type"] == "refused")
        assert refused["message"] == "no frame was acknowledged for 8 s"


def with_size(data, width, height):
    """A JPEG that says of itself that it is so large."""
    start = data.index(b"\xff\xc0") + 5
    return data[:start] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[start + 4 :]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"", "not a valid JPEG"),
        (b"\xff\xd8\xff", "not a valid JPEG"),
        (cv2.imencode(".png", square_picture(0))[1].tobytes(), "not a valid JPEG"),
        (with_size(jpeg(), 60_000, 60_000), "60000x60000 pixels: at most"),
        (jpeg(8, 8), "only 8x8"),
        (jpeg() + bytes(2 * 1024 * 1024), "bytes: at most"),
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


def encoded(suffix, size=(160, 120)):
    ok, data = cv2.imencode(suffix, square_picture(3, size))
    assert ok
    return data.tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_an_image_is_processed_and_its_results_fetched(web_server, suffix):
    sent = upload(web_server, encoded(suffix), f"../photo{suffix}")
    job = finished(web_server, sent.json()["id"])
    assert (job["state"], job["name"], job["message"]) == ("done", f"photo{suffix}", "0 people")
    image = web_server.ask("GET", f"/api/files/{job['files']['image']}")
    assert image.headers["content-type"] == "image/jpeg"
    drawn = cv2.imdecode(np.frombuffer(image.body, np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None and drawn.shape == (120, 160, 3)
    lines = web_server.ask("GET", f"/api/files/{job['files']['jsonl']}").body.splitlines()
    header, frame = (json.loads(line) for line in lines[:2])
    assert header["source"] == frame["name"] == f"photo{suffix}"
    web_server.ask("DELETE", f"/api/videos/{job['id']}")


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"no image at all", "note.png", "note.png is not an image that can be read"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "a.jpg",
            "a.jpg is EPS, which is not accepted",
        ),
        (encoded(".png")[:200], "half.png", "half.png cannot be read as an image"),
        (b"P6 9000 9000 255\n", "large.ppm", "large.ppm has 9000x9000 pixels: at most 50 million"),
    ],
)
def test_what_is_no_image_fails_with_a_word_on_why(web_server, data, name, message):
    job = finished(web_server, upload(web_server, data, name).json()["id"])
    assert job["state"] == "failed" and job["message"].startswith(message)


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


def test_a_video_that_is_deleted_while_its_files_are_completed_is_gone(web_server, tmp_path):
    images = [square_picture(i, (640, 480)) for i in range(60)]
    data = write_clip(tmp_path / "long.mp4", images=images, size=(640, 480)).read_bytes()
    for _ in range(4):
        job = upload(web_server, data).json()
        path = f"/api/videos/{job['id']}"
        while (job := web_server.ask("GET", path).json())["done"] < 60 and job["state"] != "failed":
            time.sleep(0.002)
        assert web_server.ask("DELETE", path).json()["state"] == "cancelled"
        for _ in range(20):
            answer = web_server.ask("GET", path)
            assert answer.status == 404 or (answer.json()["state"], answer.json()["files"]) == (
                "cancelled",
                {},
            )
            time.sleep(0.05)
        web_server.until("the video to be gone", lambda path=path: web_server.ask("GET", path).status == 404)


@contextmanager
def stalled_upload(server):
    """A connection that announces a megabyte and sends a part of it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        head = f"POST /api/videos HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.encode() + bytes(1000))
        yield connection


def received(connection):
    """What comes until the other side closes the connection."""
    return b"".join(iter(lambda: connection.recv(2000), b""))


def test_stalled_uploads_end_and_free_their_slots(tmp_path, clip):
    words = "none", "--detector", "ssdlite-person", "--tasks", "none", "--idle-timeout", "2"
    with serving(*words) as server, ExitStack() as stack:
        stalled = [stack.enter_context(stalled_upload(server)) for _ in range(4)]
        server.until("all slots to be taken", lambda: upload(server, clip.read_bytes()).status == 429)
        for connection in stalled:
            answer = received(connection)
            assert b" 408 " in answer and b"the upload stalled for 2 s (--idle-timeout)" in answer
        assert finished(server, upload(server, clip.read_bytes()).json()["id"])["state"] == "done"


def test_a_stalled_upload_does_not_hold_up_the_shutdown(clip):
    words = "none", "--detector", "ssdlite-person", "--tasks", "none", "--idle-timeout", "60"
    with serving(*words) as server, ExitStack() as stack:
        stalled = [stack.enter_context(stalled_upload(server)) for _ in range(4)]
        server.until("all slots to be taken", lambda: upload(server, clip.read_bytes()).status == 429)
        assert server.stop() == 0
        assert server.errors == ["stopped\n"]
        assert all(b" 503 " in received(connection) for connection in stalled)


def raw_h264(path, size):
    images = [square_picture(i, size) for i in range(8)]
    return write_clip(path, images=images, size=size, codec="libx264").read_bytes()


def test_frames_that_are_too_large_are_never_decoded(web_server, tmp_path):
    small, large = raw_h264(tmp_path / "a.h264", (160, 120)), raw_h264(tmp_path / "b.h264", (4112, 2320))
    job = finished(web_server, upload(web_server, large).json()["id"])
    assert job["state"] == "failed"
    assert "has frames of 4112x2320, more than the 9437184 pixels that are accepted" in job["message"]
    # A size that grows in mid-stream.
    job = finished(web_server, upload(web_server, small + large).json()["id"])
    assert job["state"] == "done" and job["total"] <= 8
    assert re.search("damaged packets? could not be decoded", job["message"])
