"""Protocol-buffer wire format, read without a schema: enough for TensorFlow graphs and ONNX files.

Source: https://protobuf.dev/programming-guides/encoding
"""

import struct
from collections.abc import Iterator
from typing import cast

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Message:
    """One message: the values of its fields, in file order.

    Args:
        data: the encoded message. Nested messages are decoded only when asked for.

    Raises:
        ValueError: If ``data`` is not a whole message.
    """

    def __init__(self, data: memoryview) -> None:
        self._fields: dict[int, list[int | memoryview]] = {}
        for number, value in _scan(data):
            self._fields.setdefault(number, []).append(value)

    def messages(self, number: int) -> list["Message"]:
        """The nested messages of a field."""
        return [Message(value) for value in self.chunks(number)]

    def chunks(self, number: int) -> list[memoryview]:
        """The raw bytes of every value of a length-delimited or fixed-width field."""
        values = self._fields.get(number, [])
        if any(isinstance(value, int) for value in values):
            raise ValueError(f"field {number} holds numbers where bytes were expected")
        return cast(list[memoryview], values)

    def data(self, number: int) -> bytes | None:
        """The bytes of a field that occurs at most once, or None."""
        chunks = self.chunks(number)
        return bytes(chunks[-1]) if chunks else None

    def texts(self, number: int) -> list[str]:
        """The strings of a repeated field."""
        return [str(chunk, "utf-8") for chunk in self.chunks(number)]

    def text(self, number: int) -> str:
        """A string, "" where it is missing."""
        return (self.texts(number) or [""])[-1]

    def ints(self, number: int) -> list[int]:
        """The signed integers of a repeated field, packed or not."""
        out: list[int] = []
        for value in self._fields.get(number, []):
            if isinstance(value, int):
                out.append(_signed(value))
                continue
            position = 0
            while position < len(value):
                number_, position = _varint(value, position)
                out.append(_signed(number_))
        return out

    def integer(self, number: int, default: int = 0) -> int:
        """A signed integer."""
        return (self.ints(number) or [default])[-1]

    def floats(self, number: int) -> list[float]:
        """The 32-bit floats of a repeated field, packed or not."""
        return [x for chunk in self.chunks(number) for (x,) in struct.iter_unpack("<f", chunk)]


def _scan(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire_type == _BYTES:
            length, position = _varint(data, position)
        elif wire_type in (_FIXED32, _FIXED64):
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"unknown wire type {wire_type}: not a protocol-buffer file")
        if position + length > len(data):
            raise ValueError("the file ends in the middle of a field")
        yield number, data[position : position + length]
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("the file ends in the middle of a number")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError("a number is longer than 10 bytes: not a protocol-buffer file")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
