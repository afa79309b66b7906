"""PostgreSQL's wire protocol, as far as a proxy that answers the login needs it (protocol 3, "Message Formats")."""

from __future__ import annotations

import struct
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Mapping
from dataclasses import dataclass

SSL_REQUEST = 80877103
GSS_REQUEST = 80877104
CANCEL_REQUEST = 80877102
PASSWORD_REQUEST = b"R" + struct.pack("!ii", 8, 3)
"""AuthenticationCleartextPassword."""
_STARTUP_LIMIT = 10_000  # PostgreSQL's own MAX_STARTUP_PACKET_LENGTH
_PASSWORD_LIMIT = 65_535
_ERROR_LIMIT = 30_000


class ProtocolError(Exception):
    """The peer did not speak the protocol; the message says how, without quoting what it sent."""


class LoginError(Exception):
    """A refused login. sqlstate: SQL state, e.g. 28000. message, detail, hint: what the client shows."""

    def __init__(self, sqlstate: str, message: str, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.sqlstate, self.message, self.detail, self.hint = sqlstate, message, detail, hint

    def encoded(self) -> bytes:
        """The ErrorResponse."""
        fields = [b"SFATAL", b"VFATAL", b"C" + self.sqlstate.encode(), b"M" + self.message.encode()]
        fields += [b"D" + self.detail.encode()] * bool(self.detail) + [b"H" + self.hint.encode()] * bool(self.hint)
        body = b"\0".join(fields) + b"\0\0"
        return b"E" + struct.pack("!i", len(body) + 4) + body


@dataclass(frozen=True)
class Startup:
    """A StartupMessage. version: protocol, e.g. 196608 for 3.0."""

    version: int
    parameters: Mapping[str, str]

    def encoded(self) -> bytes:
        """The message as sent."""
        body = struct.pack("!i", self.version)
        for name, value in self.parameters.items():
            body += name.encode() + b"\0" + value.encode() + b"\0"
        body += b"\0"
        return struct.pack("!i", len(body) + 4) + body


@dataclass(frozen=True)
class Cancel:
    """A CancelRequest, kept as it came: process id and secret are the backend's own."""

    message: bytes


async def read_startup(reader: StreamReader) -> Startup | Cancel | int:
    """The first message of a session: a startup, a cancel, or the code of an encryption request.

    Raises ProtocolError.
    """
    try:
        head = await reader.readexactly(8)
        length, code = struct.unpack("!ii", head)
        if not 8 <= length <= _STARTUP_LIMIT:
            raise ProtocolError(f"a startup message of {length} bytes; 8 to {_STARTUP_LIMIT} are allowed")
        body = await reader.readexactly(length - 8)
    except IncompleteReadError as error:
        raise ProtocolError("the connection ended within the startup message") from error
    if code in (SSL_REQUEST, GSS_REQUEST):
        return code
    if code == CANCEL_REQUEST:
        return Cancel(head + body)
    if code >> 16 != 3:
        raise ProtocolError(f"protocol {code >> 16}.{code & 0xFFFF}; 3.x is spoken here")
    return Startup(code, _parameters(body))


def _parameters(body: bytes) -> dict[str, str]:
    parts = body.split(b"\0")
    if len(parts) < 2 or len(parts) % 2 or parts[-2:] != [b"", b""]:
        raise ProtocolError("a startup message whose parameters are not name and value pairs")
    try:
        texts = [part.decode() for part in parts[:-2]]
    except UnicodeDecodeError as error:
        raise ProtocolError("a startup message that is not UTF-8") from error
    return dict(zip(texts[::2], texts[1::2], strict=True))


async def read_password(reader: StreamReader) -> str:
    """The PasswordMessage's text. Raises ProtocolError."""
    kind, body = await _message(reader, _PASSWORD_LIMIT)
    if kind != b"p" or not body.endswith(b"\0"):
        raise ProtocolError("a password message was expected")
    return body[:-1].decode("ascii", errors="replace")


async def read_reply(reader: StreamReader) -> tuple[bytes, bytes, dict[str, str]]:
    """A backend's first message: its kind, its bytes, and its fields where it is an ErrorResponse."""
    kind, body = await _message(reader, _ERROR_LIMIT)
    fields: dict[str, str] = {}
    if kind == b"E":
        parts = body.rstrip(b"\0").split(b"\0")
        fields = {part[:1].decode(): part[1:].decode(errors="replace") for part in parts}
    return kind, kind + struct.pack("!i", len(body) + 4) + body, fields


async def _message(reader: StreamReader, limit: int) -> tuple[bytes, bytes]:
    try:
        head = await reader.readexactly(5)
        (length,) = struct.unpack("!i", head[1:])
        if not 4 <= length <= limit:
            raise ProtocolError(f"a message of {length} bytes; 4 to {limit} are allowed")
        return head[:1], await reader.readexactly(length - 4)
    except IncompleteReadError as error:
        raise ProtocolError("the connection ended within a message") from error
