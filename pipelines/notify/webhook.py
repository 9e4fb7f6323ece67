"""Web hooks: a JSON POST for each message, signed, in order, and repeated until it is taken."""

import base64
import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from ...models.errors import SepcamError
from ..execution.background import BACKGROUND
from ..files.addresses import shown

WAITS_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds between attempts; the last one repeats."""

MOST_WAITING: Final = 256
"""Messages that wait at most; later ones are dropped."""

GRACE_S: Final = 5.0
"""Seconds that are left for messages when the program ends."""

_TIMEOUT_S = 10.0
_LAST_WAIT_S = 0.5  # between attempts when the program ends
_TRY_AGAIN = frozenset({408, 425, 429})
_KEPT: Final = "%/:?#[]@!$&'()*+,;="  # of a path or a query: HTTP takes ASCII alone


class _Refused(Exception):
    """The receiver will not take this message, however often it is sent."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its content."""

    def redirect_request(
        self, req: object, fp: object, code: int, msg: str, headers: object, newurl: str
    ) -> None:
        """Follows none."""


class WebHook:
    """Posts messages to an address, one after the other, in a thread of its own.

    A message is repeated, with growing pauses, while the receiver cannot be reached or answers with a
    server's error. Where it refuses one (another 4xx, a redirect), that one is dropped. The body is signed
    with HMAC-SHA256: ``X-Sepcam-Signature: sha256=<hex digits>``. ``X-Sepcam-Delivery`` is the same in each
    attempt, so that a receiver can tell repetitions.
    """

    def __init__(
        self,
        address: str,
        secret: str | None,
        say: Callable[[str], None],
        *,
        waits_s: Sequence[float] = WAITS_S,
        most_waiting: int = MOST_WAITING,
        grace_s: float = GRACE_S,
    ) -> None:
        """Start the thread; nothing is sent yet.

        Args:
            address: ``http://`` or ``https://``, also with a user and a password.
            secret: to sign with, or None.
            say: called with one line when sending begins to fail, and when it works again.
            waits_s: seconds between attempts, the last one repeats.
            most_waiting: messages that wait at most.
            grace_s: seconds in which `close` tries to send what is left.

        Raises:
            SepcamError: If it is no such address.
        """
        check_address(address)
        parts = urlsplit(address)
        host, port = _ascii_host(parts.hostname or ""), f":{parts.port}" if parts.port else ""
        path, query = (quote(part, safe=_KEPT) for part in (parts.path or "/", parts.query))
        self._url = urlunsplit((parts.scheme, f"{host}{port}", path, query, ""))
        self._headers = {"Content-Type": "application/json", "User-Agent": "sepcam"}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        self._name, self._secret, self._say, self._waits_s = shown(address), secret, say, waits_s
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._queue: queue.Queue[bytes] = queue.Queue(most_waiting)
        self._closing = threading.Event()
        self._failing = False
        self._lock = threading.Lock()
        self._unsent = 0  # messages that have not arrived, those that were dropped for want of room included
        self._dropped = 0
        self._grace_s = grace_s
        self._deadline = float("inf")
        self._thread = BACKGROUND.thread("webhook", self._work)
        self._thread.start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Queues a message; where too many wait, it is dropped."""
        with self._lock:
            self._unsent += 1
            try:
                self._queue.put_nowait(json.dumps(message, ensure_ascii=False).encode())
            except queue.Full:
                self._dropped += 1

    def close(self) -> None:
        """Tries for a few seconds to send what is left."""
        self._deadline = time.monotonic() + self._grace_s
        self._closing.set()
        self._thread.join(self._grace_s)
        left = self._unsent
        if left:
            self._say(f"the web hook {self._name} did not get {left} message{'s' if left > 1 else ''}")

    def _work(self) -> None:
        while not self._closing.is_set() or (not self._queue.empty() and time.monotonic() < self._deadline):
            try:
                body = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            self._deliver(body)

    def _deliver(self, body: bytes) -> None:
        headers = {**self._headers, "X-Sepcam-Delivery": uuid.uuid4().hex}
        if self._secret is not None:
            digest = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Sepcam-Signature"] = f"sha256={digest}"
        attempt = 0
        while True:
            try:
                self._post(body, headers)
            except _Refused as error:
                self._fails(f"refuses a message ({error}): it is dropped")
                self._settle(1)
                return
            except (OSError, http.client.HTTPException) as error:
                self._fails(f"cannot be reached ({_why(error)}): trying again")
            else:
                self._works()
                self._settle(1)
                return
            wait_s = self._waits_s[min(attempt, len(self._waits_s) - 1)]
            attempt += 1
            ending = self._closing.is_set()
            # Where the end comes during a pause, there is another attempt at once, however long the pause.
            if self._closing.wait(wait_s) and ending:
                if time.monotonic() + wait_s > self._deadline:
                    return
                time.sleep(min(wait_s, _LAST_WAIT_S))

    def _post(self, body: bytes, headers: Mapping[str, str]) -> None:
        request = urllib.request.Request(self._url, body, dict(headers), method="POST")
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code not in _TRY_AGAIN:
                raise _Refused(f"it answers {error.code}") from error
            raise

    def _fails(self, how: str) -> None:
        if not self._failing:
            self._failing = True
            self._say(f"the web hook {self._name} {how}")

    def _works(self) -> None:
        if self._failing:
            self._failing = False
            with self._lock:
                dropped, self._dropped = self._dropped, 0
            self._settle(dropped)
            lost = f"; {dropped} messages were dropped meanwhile" if dropped else ""
            self._say(f"the web hook {self._name} works again{lost}")

    def _settle(self, messages: int) -> None:
        """Nothing more will be said of these."""
        with self._lock:
            self._unsent -= messages


def check_address(address: str) -> None:
    """Makes sure that an address can be posted to.

    Raises:
        SepcamError: If not.
    """
    try:
        parts = urlsplit(address)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        _ascii_host(parts.hostname or "")
    except ValueError:  # also that of a host with an empty or too long label
        valid = False
    if not valid or not address.isprintable() or " " in address:
        raise SepcamError(f"{shown(address)!r} is not the address of a web hook: write https://HOST/PATH")


def _ascii_host(host: str) -> str:
    """A host as the net knows it, as it stands in an address.

    Raises:
        UnicodeError: If there can be no such host.
    """
    name = host.encode("idna").decode()
    return f"[{name}]" if ":" in name else name


def _why(error: BaseException) -> str:
    """The cause in a few words, without the address."""
    if isinstance(error, urllib.error.HTTPError):
        return f"it answers {error.code}"
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
