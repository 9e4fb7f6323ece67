"""WebSocket connections: JSON messages, refusals with a reason, and visitors who leave at any moment."""

import json
from contextlib import suppress
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

_TRY_LATER: Final = 1013


class RejectedMessageError(Exception):
    """A message cannot be used; the text says why, in one line for the visitor."""


class VisitorLeftError(Exception):
    """The connection is closed, by either side."""


class Connection:
    """An accepted WebSocket. Only its own methods raise `VisitorLeftError`, for either side's closing."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes:
        """The next message.

        Raises:
            VisitorLeftError: If the connection is closed.
        """
        try:
            message = await self._socket.receive()
        except (WebSocketDisconnect, RuntimeError) as error:
            raise VisitorLeftError from error
        if message["type"] == "websocket.disconnect":
            raise VisitorLeftError
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send_bytes(self, data: bytes) -> None:
        """Sends a binary message.

        Raises:
            VisitorLeftError: If the connection is closed.
        """
        try:
            await self._socket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise VisitorLeftError from error

    async def send(self, kind: str, **values: Any) -> None:  # noqa: ANN401 - JSON
        """Sends a JSON object with its type.

        Raises:
            VisitorLeftError: If the connection is closed.
        """
        text = json.dumps({"type": kind, **values})
        try:
            await self._socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise VisitorLeftError from error

    async def send_error(self, message: str) -> None:
        """Sends an error that the visitor can read; the connection stays open."""
        await self.send("error", message=message)

    async def refuse(self, message: str) -> None:
        """Sends a reason and closes the connection."""
        with suppress(VisitorLeftError):
            await self.send("refused", message=message)
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close(_TRY_LATER)
