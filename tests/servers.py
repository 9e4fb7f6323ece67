"""Servers on the loopback address for tests: files, and a network camera."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from tests.clips import picture


@contextmanager
def served(handler: Callable[..., Any]) -> Iterator[str]:
    """Run an HTTP server with this handler; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def files_in(folder: Path) -> Callable[..., Any]:
    """A handler that serves the files of a folder."""
    return partial(_QuietFiles, directory=str(folder))


class _QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def copyfile(self, source, outputfile):
        # A reader that has what it wants hangs up.
        try:
            super().copyfile(source, outputfile)
        except ConnectionError:
            self.close_connection = True


class MotionJpeg(http.server.BaseHTTPRequestHandler):
    """What a network camera sends; hangs up after some frames."""

    FRAMES = 12

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for i in range(self.FRAMES):
            jpeg = cv2.imencode(".jpg", picture(i, (320, 240)))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, *args):
        pass
