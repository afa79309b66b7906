"""The TLS proxy of one Azure SQL server: an Entra token as password opens the session of its identity's role.

It speaks PostgreSQL's protocol up to the login and relays bytes from there on. Nothing unencrypted is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine

from local.azure.context import ArmError, Principal
from local.azure.dataplanes import sql_names, sql_wire
from local.azure.dataplanes.sql_cluster import Socket
from local.azure.dataplanes.sql_wire import Cancel, LoginError, ProtocolError, Startup

_LOG = logging.getLogger(__name__)
_LOGIN_SECONDS = 30
_CHUNK = 64 * 1024
_TLS_HANDSHAKE = b"\x16"
_WHO = "Login failed for user '<token-identified principal>'."
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SqlProxy:
    """Listens on a loopback port for one server.

    server: name of the ARM resource. verify: whose token it is; raises ArmError 401.
    administrator: object id of the server's Entra administrator (an identity or a group), asked at each login.
    """

    def __init__(
        self,
        server: str,
        backend: Socket,
        tls: ssl.SSLContext,
        verify: Callable[[str], Principal],
        administrator: Callable[[], str | None],
    ) -> None:
        self._server, self._backend = server, backend
        self._tls, self._verify, self._administrator = tls, verify, administrator
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> None:
        """Listen on 127.0.0.1:port. Raises OSError when the port is taken."""
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(512)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        self._listener = listener
        self._spawn(self._accept(listener))

    async def stop(self) -> None:
        """Close the listener and sever every session."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:  # out of descriptors: those in use go on, new ones wait
                _LOG.warning("SQL server %s could not accept a connection: %s", self._server, error)
                await asyncio.sleep(0.2)
                continue
            self._spawn(self._serve(connection))

    async def _serve(self, connection: socket.socket) -> None:
        writers: list[asyncio.StreamWriter] = []
        try:
            async with asyncio.timeout(_LOGIN_SECONDS):
                try:
                    direct = await self._negotiate(connection)
                except BaseException:
                    connection.close()
                    raise
                client = await self._encrypt(connection, direct)  # which owns the connection from here on
                writers.append(client[1])
                backend = await self._login(client)
            if backend is not None:
                writers.append(backend[1])
                await _relay(client, backend)
        except (ProtocolError, OSError, TimeoutError) as error:
            _LOG.debug("SQL server %s ended a connection: %s", self._server, error)
        finally:
            for writer in writers:
                writer.close()

    async def _negotiate(self, connection: socket.socket) -> bool:
        """Up to the TLS handshake. Says whether it came at once (``sslnegotiation=direct``), not after SSLRequest.

        Raises ProtocolError when the client goes on without.
        """
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        if await _peek(connection) == _TLS_HANDSHAKE:
            return True
        while True:
            # Eight bytes are read and no more: what a man in the middle put behind them in the clear reaches the TLS
            # handshake and ends it (CVE-2021-23214).
            request = await _receive(connection, 8)
            code = int.from_bytes(request[4:])
            if code == sql_wire.GSS_REQUEST:
                await loop.sock_sendall(connection, b"N")
            elif code == sql_wire.SSL_REQUEST:
                await loop.sock_sendall(connection, b"S")
                return False
            else:
                refusal = LoginError(
                    "28000", "This server takes encrypted connections only.", hint="Connect with sslmode=verify-full."
                )
                await _last_words(connection, refusal.encoded())
                raise ProtocolError("an unencrypted connection")

    async def _encrypt(self, connection: socket.socket, direct: bool) -> _Streams:
        reader = asyncio.StreamReader(_CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=self._tls)
        if direct and transport.get_extra_info("ssl_object").selected_alpn_protocol() != "postgresql":
            transport.close()
            raise ProtocolError("direct TLS without ALPN postgresql")
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _login(self, client: _Streams) -> _Streams | None:
        reader, writer = client
        startup = await sql_wire.read_startup(reader)
        if isinstance(startup, Cancel):
            _, backend = await asyncio.open_unix_connection(self._backend.path)
            backend.write(startup.message)
            await backend.drain()
            backend.close()
            return None
        try:
            if isinstance(startup, int):
                raise LoginError("08P01", "The connection is encrypted already.")
            writer.write(sql_wire.PASSWORD_REQUEST)
            principal = self._authenticate(await sql_wire.read_password(reader))
            return await self._open(startup, principal, writer)
        except LoginError as refusal:
            writer.write(refusal.encoded())
            await writer.drain()
            return None

    def _authenticate(self, password: str) -> Principal:
        try:
            return self._verify(password)
        except ArmError as error:
            hint = "The password must be an Entra access token for https://database.windows.net."
            raise LoginError("28P01", _WHO, error.message, hint) from None

    def _role(self, principal: Principal) -> str:
        sid = (self._administrator() or "").lower()
        groups = [str(each).lower() for each in principal.claims.get("groups") or ()]
        administers = bool(sid) and sid in (principal.object_id.lower(), *groups)
        return sql_names.owner(self._server) if administers else principal.object_id.lower()

    async def _open(self, startup: Startup, principal: Principal, client: asyncio.StreamWriter) -> _Streams:
        """The backend's session of the principal's role, its first answer passed on. Raises LoginError."""
        parameters = dict(startup.parameters)
        if "replication" in parameters:
            raise LoginError("0A000", "Replication sessions are not served here.")
        wanted = parameters.get("database") or parameters.get("user", "")
        parameters["user"] = self._role(principal)
        parameters["database"] = sql_names.database(self._server, wanted)
        try:
            reader, writer = await asyncio.open_unix_connection(self._backend.path, limit=_CHUNK)
        except OSError as error:
            _LOG.warning("SQL server %s cannot reach PostgreSQL: %s", self._server, error.strerror)
            raise LoginError("57P03", "The database server is starting or down; try again.") from None
        try:
            writer.write(Startup(startup.version, parameters).encoded())
            greeting, kind = b"", b"R"
            while kind in (b"R", b"v"):  # AuthenticationOk is sent before the role and the database are looked at
                kind, message, fields = await sql_wire.read_reply(reader)
                if kind == b"E":
                    raise _translated(fields, wanted, principal) or _Passed(message)
                greeting += message
            client.write(greeting)
        except BaseException:
            writer.close()
            raise
        return reader, writer


class _Passed(LoginError):
    """A refusal in the backend's own words."""

    def __init__(self, message: bytes) -> None:
        super().__init__("", "")
        self._message = message

    def encoded(self) -> bytes:
        """The backend's ErrorResponse."""
        return self._message


def _translated(fields: dict[str, str], wanted: str, principal: Principal) -> LoginError | None:
    """Azure SQL's words for a refused login: roles and databases of the cluster behind are not the client's."""
    sqlstate = fields.get("C", "")
    if sqlstate == "3D000":
        return LoginError(sqlstate, f'Cannot open database "{wanted}" requested by the login. The login failed.', _WHO)
    if sqlstate in ("28000", "42501"):  # no such role; no CONNECT on the database
        detail = f'The identity {principal.object_id} has no user in database "{wanted}".'
        hint = "As the server's Entra administrator, create the identity's role and grant it CONNECT on the database."
        return LoginError("28000", _WHO, detail, hint)
    return None


async def _relay(client: _Streams, backend: _Streams) -> None:
    """Pass bytes both ways, each no faster than its reader takes them, until either side ends."""
    pumps = [asyncio.create_task(_pump(client[0], backend[1])), asyncio.create_task(_pump(backend[0], client[1]))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        if pumps[1].done():  # the backend's last words are on their way to the client
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await client[1].drain()
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        target.write(data)
        await target.drain()


async def _peek(connection: socket.socket) -> bytes:
    """The first byte, left in place. Raises ProtocolError when the peer closed."""
    while True:
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            await _readable(connection)
            continue
        if not first:
            raise ProtocolError("the connection ended before its first byte")
        return first


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(connection, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(connection)


async def _last_words(connection: socket.socket, message: bytes) -> None:
    """Send a message and take what the peer still sends: closing over unread bytes would reset the message away."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, message)
    connection.shutdown(socket.SHUT_WR)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while await loop.sock_recv(connection, _CHUNK):
                pass


async def _receive(connection: socket.socket, length: int) -> bytes:
    """Exactly so many bytes. Raises ProtocolError when the peer closed."""
    data = b""
    while len(data) < length:
        part = await asyncio.get_running_loop().sock_recv(connection, length - len(data))
        if not part:
            raise ProtocolError("the connection ended within the startup message")
        data += part
    return data
