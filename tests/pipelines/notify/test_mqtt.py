"""MQTT: messages reach a broker, also one that comes later; without the library a line says what to do."""

import json
import socket
import struct
import threading
import time

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.notify.mqtt import Mqtt, parts_of

pytest.importorskip("paho.mqtt.client")
PATIENCE_S = 20


class Broker:
    """As much of MQTT 3.1.1 as a publisher needs."""

    def __init__(self, port: int = 0) -> None:
        self.got: list[tuple[str, dict]] = []
        self.login = b""
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as stream:
            while head := stream.read(1):
                length = shift = 0
                while True:
                    byte = stream.read(1)[0]
                    length |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                self._answer(connection, head[0] >> 4, stream.read(length))

    def _answer(self, connection, kind, body) -> None:
        if kind == 1:  # CONNECT
            self.login = body
            connection.sendall(b"\x20\x02\x00\x00")
        elif kind == 3:  # PUBLISH with QoS 1
            (size,) = struct.unpack(">H", body[:2])
            topic, number, payload = body[2 : 2 + size], body[2 + size : 4 + size], body[4 + size :]
            self.got.append((topic.decode(), json.loads(payload)))
            connection.sendall(b"\x40\x02" + number)
        elif kind == 12:  # PINGREQ
            connection.sendall(b"\xd0\x00")


def test_messages_reach_the_broker():
    said: list[str] = []
    with Broker() as broker:
        sender = Mqtt(f"mqtt://me:pass@127.0.0.1:{broker.port}/home/yard", said.append)
        for number in range(3):
            sender.send({"number": number})
        sender.close()
    assert broker.got == [("home/yard", {"number": number}) for number in range(3)]
    assert b"me" in broker.login and b"pass" in broker.login
    assert said == []


def test_a_broker_that_comes_later_gets_what_waited():
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sender = Mqtt(f"mqtt://me:secret@127.0.0.1:{port}/yard", said.append)
    sender.send({"number": 1})
    give_up = time.monotonic() + PATIENCE_S
    while not said and time.monotonic() < give_up:
        time.sleep(0.01)
    with Broker(port) as broker:
        while not broker.got and time.monotonic() < give_up:
            time.sleep(0.01)
        sender.close()
    assert broker.got == [("yard", {"number": 1})]
    name = f"mqtt://127.0.0.1:{port}/yard"
    assert said == [f"{name} cannot be reached: trying again", f"{name} works again"]


@pytest.mark.parametrize(
    "address", ["", "host/topic", "mqtt://host", "mqtt://host/", "mqtt:///x", "mqtt://h/a/+", "mqtt://a..b/x"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SepcamError, match="is not an address for MQTT: write mqtt://HOST/TOPIC"):
        parts_of(address)


def test_addresses_have_the_usual_ports():
    assert parts_of("mqtt://broker/a/b") == ("broker", 1883, "a/b")
    assert parts_of("mqtts://u:p@broker:99/a%20b") == ("broker", 99, "a b")
    assert parts_of("mqtts://broker/a")[1] == 8883
