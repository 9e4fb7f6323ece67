"""What a notifier is."""

from collections.abc import Mapping
from typing import Any, Protocol


class Notifier(Protocol):
    """Sends messages in the background. Any thread may use it."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a JSON object as soon as possible; returns at once."""
        ...

    def close(self) -> None:
        """Tries for a few seconds to send what is left; then it is dropped, which is said in a line."""
        ...
