"""What WebSockets have in common: errors said, refusals explained, anything unexpected survived."""

import json
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

TRY_LATER = 1013


class Refused(Exception):
    """A message cannot be used; the text says why, in a line for the visitor."""


def text_of(message: Any) -> str:  # noqa: ANN401 - an ASGI message
    """The text of a received message.

    Raises:
        Refused: If it is not text.
        WebSocketDisconnect: If it says that the other side has left.
    """
    data = payload_of(message)
    if isinstance(data, str):
        return data
    raise Refused("a text was expected, not bytes")


def payload_of(message: Any) -> str | bytes:  # noqa: ANN401 - an ASGI message
    """The text or the bytes of a received message.

    Raises:
        WebSocketDisconnect: If it says that the other side has left.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    return text if text is not None else message.get("bytes") or b""


async def say(socket: WebSocket, kind: str, **values: Any) -> None:  # noqa: ANN401 - JSON
    """Sends a JSON object with its type."""
    await socket.send_text(json.dumps({"type": kind, **values}))


async def say_error(socket: WebSocket, message: str) -> None:
    """Sends an error that the visitor can read; the connection stays."""
    await say(socket, "error", message=message)


async def refuse(socket: WebSocket, message: str) -> None:
    """Says why, and ends the connection."""
    with suppress(RuntimeError, WebSocketDisconnect):
        await say(socket, "refused", message=message)
        await socket.close(TRY_LATER)
