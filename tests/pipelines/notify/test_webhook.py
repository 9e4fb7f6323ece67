"""A web hook gets every message, signed and in order, whatever its server does in between."""

import hashlib
import hmac
import http.server
import json
import threading
import time

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.notify.webhook import WebHook

from tests.servers import served

PATIENCE_S = 20
QUICK = (0.02, 0.05)


class Receiver:
    """Answers with the given codes, then with 204; keeps what it was sent."""

    def __init__(self, *codes: int) -> None:
        codes_left, self.got = list(codes), []
        got = self.got

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                code = codes_left.pop(0) if codes_left else 204
                got.append((code, self.path, dict(self.headers), body))
                self.send_response(code)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.handler = Handler

    def messages(self) -> list[int]:
        return [json.loads(body)["number"] for code, _, _, body in self.got if code == 204]


def until(condition):
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_messages_arrive_signed_and_in_order_though_the_server_first_fails():
    receiver, said = Receiver(500, 503, 429), []
    with served(receiver.handler) as url:
        hook = WebHook(f"{url}/hook?token=t", "s3cret", said.append, waits_s=QUICK)
        for number in range(3):
            hook.send({"number": number, "who": "Zoë"})
        hook.close()
    assert receiver.messages() == [0, 1, 2]
    assert [code for code, *_ in receiver.got] == [500, 503, 429, 204, 204, 204]
    deliveries = [headers["X-Sepcam-Delivery"] for _, _, headers, _ in receiver.got]
    assert len(set(deliveries[:4])) == 1 and len(set(deliveries)) == 3
    for _, path, headers, body in receiver.got:
        assert path == "/hook?token=t"
        digest = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["X-Sepcam-Signature"] == f"sha256={digest}"
        assert headers["Content-Type"] == "application/json"
    assert said == [
        f"the web hook {url}/hook cannot be reached (it answers 500): trying again",
        f"the web hook {url}/hook works again",
    ]


def test_what_is_refused_is_dropped_and_the_next_one_sent():
    receiver, said = Receiver(404, 302), []
    with served(receiver.handler) as url:
        hook = WebHook(url.replace("//", "//me:pa%20ss@"), None, said.append, waits_s=QUICK)
        for number in range(3):
            hook.send({"number": number})
        hook.close()
    assert receiver.messages() == [2]
    _, _, headers, _ = receiver.got[0]
    assert headers["Authorization"] == "Basic bWU6cGEgc3M=" and "X-Sepcam-Signature" not in headers
    assert said == [
        f"the web hook {url} refuses a message (it answers 404): it is dropped",
        f"the web hook {url} works again",
    ]


def test_a_server_that_hangs_holds_nobody_up():
    free, receiver, said = threading.Event(), Receiver(), []

    class Hanging(receiver.handler):
        def do_POST(self):
            free.wait(PATIENCE_S)
            super().do_POST()

    with served(Hanging) as url:
        hook = WebHook(url, None, said.append, most_waiting=5)
        for number in range(100):
            hook.send({"number": number})  # returns at once
        free.set()
        until(lambda: len(receiver.messages()) >= 5)
        hook.close()
    got = receiver.messages()
    assert got == sorted(got) and 5 <= len(got) <= 6
    assert said == [f"the web hook {url} did not get {100 - len(got)} messages"]


def test_nobody_there_is_said_once_and_does_not_keep_the_program():
    said: list[str] = []
    hook = WebHook("http://user:secret@127.0.0.1:9/x", None, said.append, waits_s=(0.01, 0.02, 30.0))
    hook.send({"number": 1})
    until(lambda: said)
    hook.close()
    assert said == [
        "the web hook http://127.0.0.1:9/x cannot be reached (Connection refused): trying again",
        "the web hook http://127.0.0.1:9/x did not get 1 message",
    ]


def test_at_the_end_a_message_that_waits_is_tried_once_more_however_long_its_pause():
    receiver, said = Receiver(500), []
    with served(receiver.handler) as url:
        hook = WebHook(url, None, said.append, waits_s=(600.0,))
        hook.send({"number": 1})
        until(lambda: said)
        hook.close()
    assert receiver.messages() == [1]
    assert said[-1] == f"the web hook {url} works again"


def test_an_address_may_have_letters_of_any_language():
    receiver, said = Receiver(), []
    with served(receiver.handler) as url:
        hook = WebHook(f"{url}/tür%20a?ort=大阪&b=%C3%A9", None, said.append)
        hook.send({"number": 1})
        hook.close()
    assert (receiver.messages(), said) == ([1], [])
    assert receiver.got[0][1] == "/t%C3%BCr%20a?ort=%E5%A4%A7%E9%98%AA&b=%C3%A9"


def test_a_program_that_ends_does_not_hammer_a_server_that_fails():
    receiver, said = Receiver(*[500] * 10_000), []
    with served(receiver.handler) as url:
        hook = WebHook(url, None, said.append, waits_s=(0.3,), grace_s=1.0)
        for number in range(3):
            hook.send({"number": number})
        until(lambda: said)
        hook.close()
    assert len(receiver.got) <= 12
    assert said[-1] == f"the web hook {url} did not get 3 messages"


@pytest.mark.parametrize(
    "address",
    [
        *("", "example.org", "ftp://host/", "http://", "http://a b/", "http://[::1"),
        *("http://a..b/", f"http://{'a' * 64}.org/"),
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SepcamError, match="is not the address of a web hook: write https://HOST/PATH"):
        WebHook(address, None, print)
