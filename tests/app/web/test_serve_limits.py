"""``sepcam serve`` with requests that are wrong, too large, too late, or less strict than its operator."""

import json
import socket
import time

import cv2
import numpy as np
import pytest
from sepcam.app.web.shared.downloads import Downloads
from sepcam.app.web.videos import jobs as video_jobs
from sepcam.app.web.videos.jobs import VideoJobs
from sepcam.models.errors import SepcamError
from sepcam.pipelines.drawing.options import DrawOptions

from tests.clips import write_clip
from tests.streams import NetworkCamera
from tests.walkers import square_picture
from tests.web_server import PATIENCE_S, serving

NETWORK = "--detector", "ssdlite-person", "--tasks", "none"
JSON = {"Content_Type": "application/json"}


# --- what is sent


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/live", b'{"conf": NaN}'),
        ("PATCH", "/api/live", b'{"conf": 1e400}'),
        ("PATCH", "/api/live", b'{"detector": "\\ud800"}'),
        ("PATCH", "/api/live", b'{"\\ud800": 1}'),
        ("POST", "/api/live/click", b'{"x": NaN, "y": 0.5}'),
        (
            "PUT",
            "/api/live/zones",
            b'{"lines":[],"zones":[{"name":"\\ud800","points":[[0,0],[1,0],[1,1]]}]}',
        ),
        ("PUT", "/api/live/follow", b'{"id": 4294967296}'),
    ],
)
def test_values_that_json_cannot_say_are_refused_with_a_reason(web_server, method, path, body):
    answer = web_server.ask(method, path, body, **JSON)
    assert answer.status == 422
    detail = answer.json()["detail"]
    assert isinstance(detail, str) or all(set(one) == {"loc", "msg"} for one in detail)


def test_an_origin_that_is_no_address_is_refused(web_server):
    assert web_server.ask("GET", "/", Origin="http://[").status == 403


def test_a_request_that_is_too_large_is_refused_unread(web_server):
    answer = web_server.ask("PATCH", "/api/live", b" " * 1_000_001, **JSON)
    assert answer.status == 413 and answer.json() == {"detail": "the request is larger than 1 MB"}
    # Nor one that does not say beforehand how large it is.
    with socket.create_connection(("127.0.0.1", web_server.port), timeout=PATIENCE_S) as connection:
        head = f"PATCH /api/live HTTP/1.1\r\nHost: {web_server.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + (b"186a0\r\n" + b" " * 100_000 + b"\r\n") * 11)
        assert b" 413 " in connection.recv(100)
    assert web_server.ask("PATCH", "/api/live", {"hud": "off"}).status == 200


def test_health_may_be_asked_for_by_its_head(web_server):
    answer = web_server.ask("HEAD", "/healthz")
    assert (answer.status, answer.body) == (200, b"")


# --- what the operator wants, and uploads


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A server whose video is over after a moment, with options that visitors may not undo."""
    folder = str(tmp_path_factory.mktemp("recordings"))
    words = "synthetic:96x64@20x8", *NETWORK, "--blur", "people", "--draw", "boxes", "-o", folder
    with serving(*words) as server:
        server.until("the end", lambda: server.status()["ended"])
        yield server


def test_visitors_may_hide_more_than_the_operator_but_not_less(ended):
    for blur in ("nothing", "faces"):
        for path in ("/api/live", "/api/sources"):
            answer = ended.ask("PATCH", path, {"blur": blur})
            assert answer.status == 422 and "--blur people" in answer.json()["detail"]
    assert ended.status()["blur"] == "people"
    assert ended.ask("PATCH", "/api/live", {"blur": "everything", "hide": "faces"}).status == 200
    assert ended.ask("PATCH", "/api/live", {"blur": "people", "hide": "nothing"}).status == 200


def test_a_video_that_has_ended_says_so_and_takes_no_commands(ended):
    assert ended.status()["notice"] == "ended" and ended.status()["people"] == []
    for path in ("recording", "duel"):
        answer = ended.ask("POST", f"/api/live/{path}")
        assert answer.status == 409 and answer.json() == {"detail": "the video has ended"}
    assert ended.status()["recording"] is None and ended.status()["duel"]["state"] == "off"


def finished(server, data, query):
    sent = server.ask("POST", f"/api/videos?{query}", data)
    assert sent.status == 201, sent.body

    def over():
        job = server.ask("GET", f"/api/videos/{sent.json()['id']}").json()
        return job if job["state"] in ("done", "failed") else None

    return server.until("the end of the job", over)


def test_an_image_with_a_long_name_is_one_and_no_task_is_none(ended):
    photo = cv2.imencode(".png", square_picture(3))[1].tobytes()
    job = finished(ended, photo, f"name={'x' * 90}.png&tasks=none")
    assert job["state"] == "done" and job["name"] == "x" * 76 + ".png"
    lines = ended.ask("GET", f"/api/files/{job['files']['jsonl']}").body.splitlines()
    assert json.loads(lines[0])["tasks"] == []


def test_a_video_of_one_frame_has_one_frame(ended, tmp_path):
    clip = write_clip(tmp_path / "one.mp4", images=[np.zeros((120, 160, 3), np.uint8)], size=(160, 120))
    job = finished(ended, clip.read_bytes(), "name=one.mp4&tasks=none")
    assert job["message"].startswith("1 frame, 0 people, ")


def test_results_are_deleted_though_no_other_file_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(video_jobs, "KEEP_S", 0.2)
    monkeypatch.setattr(video_jobs, "FORGET_S", 0.05)

    def pipeline_of(backbone, tasks):
        raise SepcamError("no networks")

    jobs = VideoJobs(tmp_path, pipeline_of, Downloads(), DrawOptions())
    try:
        job = jobs.admit("a.mp4", "separable", frozenset())
        assert job is not None
        job.upload.write_bytes(b"no video")
        jobs.begin(job)
        give_up = time.monotonic() + PATIENCE_S
        while jobs.states() and time.monotonic() < give_up:
            time.sleep(0.02)
        assert jobs.states() == {} and list(tmp_path.iterdir()) == []
    finally:
        jobs.close()


def test_a_camera_that_is_away_is_not_up(tmp_path):
    def up():
        return "sepcam_live_up 1.0" in server.ask("GET", "/metrics").body.decode()

    with (
        NetworkCamera("mjpeg", lambda number: square_picture(number)) as camera,
        serving(camera.url, *NETWORK, "-o", str(tmp_path)) as server,
    ):
        server.until("frames", up)
        camera.kill()
        server.until("the camera to be away", lambda: not up())
