"""AMQP values to bytes and back, on proton's codec (AMQP 1.0 part 1, types)."""

from __future__ import annotations

from typing import Any

from proton import Data, DataException, Described, ulong


class MalformedValue(ValueError):
    """Bytes that are no AMQP value."""


def encode(value: Any) -> bytes:
    """One value as bytes; its Python class decides the type (proton's uint, symbol, timestamp, …)."""
    data = Data()
    data.put_object(value)
    return bytes(data.encode())


def encode_section(code: int, value: Any) -> bytes:
    """A section of a message: its value behind its descriptor (AMQP 1.0 part 3, 3.2)."""
    return encode(Described(ulong(code), value))


def decode(encoded: bytes | memoryview) -> tuple[Any, int]:
    """The first value of some bytes, and how many bytes it took. Raises MalformedValue."""
    data = Data()
    try:
        taken = data.decode(encoded)  # type: ignore[bad-argument-type]  # it takes any buffer
        data.rewind()
        data.next()
        return _own(data.get_object()), taken
    except (DataException, UnicodeDecodeError, TypeError) as error:
        raise MalformedValue(str(error)) from None


def skip(encoded: bytes | memoryview) -> int:
    """How many bytes the first value takes. Raises MalformedValue."""
    try:
        return Data().decode(encoded)  # type: ignore[bad-argument-type]  # it takes any buffer
    except DataException as error:
        raise MalformedValue(str(error)) from None


def _own(value: Any) -> Any:
    """A copy of what proton lends: its binaries point into memory that goes with the decoder."""
    match value:
        case memoryview() | bytearray():
            return bytes(value)
        case dict():
            return {_own(key): _own(each) for key, each in value.items()}
        case list():
            return [_own(each) for each in value]
        case Described():
            return Described(value.descriptor, _own(value.value))
    return value
