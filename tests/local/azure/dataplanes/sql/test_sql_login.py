"""Who gets in: the bearer of a valid Entra token whose identity has a role, over TLS, and nobody else."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress

import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import create_engine, text

from tests.local.azure.dataplanes.sql.conftest import Server

FAILED = "Login failed for user '<token-identified principal>'"


def refused(server: Server, *args: object, **more: object) -> psycopg.OperationalError:
    with pytest.raises(psycopg.OperationalError) as error:
        server.connect(*args, **more)  # type: ignore[arg-type]
    return error.value


def test_a_service_works_in_its_own_database_through_sqlalchemy(server: Server) -> None:
    who = server.service("consent")
    options = server.options(who, "consent")
    engine = create_engine("postgresql+psycopg://", connect_args=options)
    with engine.begin() as session:
        session.execute(text("INSERT INTO entry VALUES (1, 'via sqlalchemy')"))
        assert session.execute(text("SELECT current_user::text")).scalar_one() == who.object_id
    engine.dispose()


def test_direct_tls_is_spoken(server: Server) -> None:
    with server.connect(server.admin, "consent", sslnegotiation="direct") as session:
        assert session.pgconn.ssl_in_use


def test_the_user_name_sent_decides_nothing(server: Server) -> None:
    who = server.service("consent")
    with server.connect(who, "consent", user="postgres") as session:
        assert session.execute("SELECT current_user, session_user").fetchone() == (who.object_id, who.object_id)


@pytest.mark.parametrize("audience", ["https://vault.azure.net", "https://management.azure.com"])
def test_a_token_for_another_audience_is_refused(server: Server, audience: str) -> None:
    error = refused(server, server.admin, "consent", password=server.token(server.admin, audience))
    assert FAILED in str(error)
    assert audience in str(error)


def test_the_audience_counts_with_and_without_a_slash(server: Server) -> None:
    token = server.token(server.admin, "https://database.windows.net/")
    with server.connect(server.admin, "consent", password=token) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_an_expired_token_is_refused(server: Server) -> None:
    now = int(time.time())
    token = server.token(server.admin, exp=now - 120, nbf=now - 3720, iat=now - 3720)
    assert "expired" in str(refused(server, server.admin, "consent", password=token))


def test_a_forged_token_is_refused_and_never_shown(server: Server) -> None:
    real = jwt.decode(server.token(server.admin), server.embedded.daemon.directory.tokens.key, algorithms=["RS256"])
    forged = jwt.encode(dict(real.header), real.claims, RSAKey.generate_key(2048), algorithms=["RS256"])
    error = refused(server, server.admin, "consent", password=forged)
    assert FAILED in str(error)
    assert forged.split(".")[1] not in str(error)
    assert forged.split(".")[2] not in str(error)


@pytest.mark.parametrize("password", ["", "hunter2", "a.b.c", "\u00fcber"])
def test_a_password_is_refused(server: Server, password: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        server.connect(server.admin, "consent", password=password)


def test_an_identity_without_a_role_is_told_so(server: Server) -> None:
    stranger = server.identity()
    error = refused(server, stranger, "consent")
    assert FAILED in str(error)
    assert stranger.object_id in str(error)


def test_another_services_database_is_out_of_reach(server: Server) -> None:
    who = server.service("consent")
    assert FAILED in str(refused(server, who, "account"))


def test_a_database_that_is_not_there_is_named(server: Server) -> None:
    assert 'Cannot open database "nope"' in str(refused(server, server.admin, "nope"))


@pytest.mark.parametrize("database", ["postgres", "template1", "../postgres"])
def test_the_clusters_own_databases_are_out_of_reach(server: Server, database: str) -> None:
    assert "Cannot open database" in str(refused(server, server.admin, database))


def test_nothing_unencrypted_is_answered(server: Server) -> None:
    error = refused(server, server.admin, "consent", sslmode="disable")
    assert "encrypted connections only" in str(error)


def test_a_replication_session_is_refused(server: Server) -> None:
    assert "Replication" in str(refused(server, server.admin, "consent", replication="database"))


def test_what_is_stuffed_behind_the_ssl_request_is_never_executed(server: Server) -> None:
    """CVE-2021-23214: bytes that a man in the middle adds in the clear."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f" + b"\x00\x00\x00\x08\x00\x03\x00\x00")
        assert plain.recv(1) == b"S"
        context = ssl.create_default_context(cafile=str(server.embedded.instance.ca_certificate))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_direct_tls_without_its_protocol_name_is_refused(server: Server) -> None:
    context = ssl.create_default_context(cafile=str(server.embedded.instance.ca_certificate))
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as session,
    ):
        assert session.recv(1) == b""


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x16",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x04",
        b"\x7f\xff\xff\xff\x00\x03\x00\x00",
        b"\x00\x00\x00\x08\x00\x02\x00\x00",
    ],
)
def test_another_protocol_ends_the_connection(server: Server, message: bytes) -> None:
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=3) as plain, suppress(ConnectionError):
        plain.sendall(message)
        with suppress(OSError):  # it may have hung up by now
            plain.shutdown(socket.SHUT_WR)
        while part := plain.recv(1000):
            answer += part
    assert not answer or answer.startswith(b"E")
