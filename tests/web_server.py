"""A real ``sepcam serve`` in a process of its own, and what a visitor does with it."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 90


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class WebServer:
    """The command, its address and its last words."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, "-c", "from sepcam.app.cli import main; main()", "serve", *words]
        self.process = subprocess.Popen(
            [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None and self.process.stderr is not None
        self.errors: list[str] = []
        self._reader = threading.Thread(target=self.errors.extend, args=(self.process.stderr,))
        self._reader.start()
        self.url = self.process.stdout.readline().strip()
        assert self.url, "".join(self.errors)
        parts = urlsplit(self.url)
        self.port = parts.port or 80
        self.host = f"127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; headers are named with underscores."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @contextmanager
    def socket(self, path: str, **options: Any) -> Iterator[ClientConnection]:
        """A WebSocket for the length of a block."""
        url = f"ws://{self.host}{path}"
        with connect(url, max_size=None, open_timeout=PATIENCE_S, compression=None, **options) as connection:
            yield connection

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        give_up = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            assert self.process.poll() is None, f"ended while waiting for {what}: {''.join(self.errors)}"
            assert time.monotonic() < give_up, f"no {what}"
            time.sleep(0.05)
        return found

    def status(self) -> dict[str, Any]:
        return self.ask("GET", "/api/live").json()

    def stop(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self._reader.join()
        assert self.process.stdout is not None and self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@contextmanager
def serving(*words: str) -> Iterator[WebServer]:
    """A server that must have nothing to complain of, and end well."""
    server = WebServer(*words)
    try:
        yield server
    finally:
        code = server.stop()
    said = "".join(server.errors)
    assert code == 0, said
    assert "Traceback" not in said and "Exception" not in said, said
