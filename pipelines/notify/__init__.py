"""Notifying other programs of events: web hooks and MQTT, neither of which ever holds up a frame."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .mqtt import Mqtt
    from .webhook import WebHook

__all__ = ["Mqtt", "WebHook"]

__getattr__ = lazy_exports(__name__, {"Mqtt": "mqtt", "WebHook": "webhook"})
