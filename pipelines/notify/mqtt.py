"""MQTT: messages as JSON under a topic of a broker, with the library paho-mqtt."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ...models.errors import SepcamError
from ..files.addresses import shown

MOST_WAITING: Final = 256
"""Messages that wait at most while the broker is away; later ones are dropped."""

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_GRACE_S = 3.0


def paho_client() -> Any:  # noqa: ANN401 - a module
    """The module ``paho.mqtt.client``.

    Raises:
        SepcamError: If it is not installed.
    """
    try:
        import paho.mqtt.client
    except ImportError as error:
        raise SepcamError("--mqtt needs paho-mqtt: pip install 'sepcam[mqtt]'") from error
    return paho.mqtt.client


class Mqtt:
    """Publishes messages with QoS 1. A lost broker is tried again for as long as it takes."""

    def __init__(self, address: str, say: Callable[[str], None]) -> None:
        """Begin to connect, in the background.

        Args:
            address: ``mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC``, or ``mqtts://`` for TLS.
            say: called with one line when the broker cannot be reached, and when it is there again.

        Raises:
            SepcamError: If it is no such address, or paho-mqtt is not installed.
        """
        host, port, self._topic = parts_of(address)
        paho = paho_client()
        parts = urlsplit(address)
        self._name, self._say = shown(address), say
        self._failing = False
        self._lock = threading.Lock()
        self._left = 0
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(MOST_WAITING)
        self._client.reconnect_delay_set(1, 60)
        if parts.username is not None:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme.lower() == "mqtts":
            self._client.tls_set()
        self._client.on_connect = self._connected
        self._client.on_connect_fail = lambda *_: self._fails("cannot be reached")
        self._client.on_publish = self._arrived
        self._client.on_disconnect = self._disconnected
        self._closing = False
        self._client.connect_async(host, port, keepalive=30)
        self._client.loop_start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Queues a message; where too many wait, it is dropped."""
        self._client.publish(self._topic, json.dumps(message, ensure_ascii=False), qos=1)
        with self._lock:
            # Of a message that is dropped the client never says that it arrived.
            self._left += 1

    def close(self) -> None:
        """Waits a few seconds for what is left."""
        deadline = time.monotonic() + _GRACE_S
        while self._left and time.monotonic() < deadline:
            time.sleep(0.02)
        left = self._left
        self._closing = True
        self._client.disconnect()
        self._client.loop_stop()
        if left:
            self._say(f"{self._name} did not get {left} message{'s' if left > 1 else ''}")

    def _arrived(self, *_: object) -> None:
        with self._lock:
            self._left -= 1

    def _connected(self, client: object, data: object, flags: object, reason: Any, *_: object) -> None:  # noqa: ANN401 - paho's
        if reason.is_failure:
            self._fails(f"refuses the connection ({reason})")
        elif self._failing:
            self._failing = False
            self._say(f"{self._name} works again")

    def _disconnected(self, *_: object) -> None:
        if not self._closing:
            self._fails("closed the connection")

    def _fails(self, how: str) -> None:
        if not self._failing:
            self._failing = True
            self._say(f"{self._name} {how}: trying again")


def parts_of(address: str) -> tuple[str, int, str]:
    """Host, port and topic of ``mqtt://HOST[:PORT]/TOPIC``.

    Raises:
        SepcamError: If it is no such address.
    """
    try:
        parts = urlsplit(address)
        scheme, host, topic = parts.scheme.lower(), parts.hostname, unquote(parts.path).strip("/")
        port = parts.port or _PORTS.get(scheme, 0)
        (host or "").encode("idna")  # also a ValueError, where a label is empty or too long
    except ValueError:
        scheme, host, topic, port = "", None, "", 0
    if scheme not in _PORTS or not host or not topic or set(topic) & set("+#\0"):
        raise SepcamError(f"{shown(address)!r} is not an address for MQTT: write mqtt://HOST/TOPIC")
    return host, port, topic
