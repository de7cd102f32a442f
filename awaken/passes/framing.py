"""Messages on a pipe: their length in four bytes, then their bytes."""

from __future__ import annotations

import struct
from typing import IO

_LENGTH = struct.Struct("!I")


def send(stream: IO[bytes], message: bytes) -> None:
    """Write one message. Raises OSError where nobody reads."""
    stream.write(_LENGTH.pack(len(message)) + message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Read one message; None at the end of the stream, or in the middle of a message."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None
