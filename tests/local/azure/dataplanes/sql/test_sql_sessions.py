"""Sessions once they are open: cancel, large results, many at once, and what a crash costs."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.local.azure.dataplanes.sql.conftest import Backend, Server


def test_a_running_statement_can_be_cancelled(server: Server) -> None:
    with server.connect(server.admin, "consent") as session:
        timer = threading.Timer(0.2, session.cancel_safe)
        timer.start()
        begin = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            session.execute("SELECT pg_sleep(30)")
        timer.join()
        assert time.monotonic() - begin < 10
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_large_result_is_whole(server: Server) -> None:
    with server.connect(server.admin, "consent") as session, session.cursor() as cursor:
        rows = cursor.stream("SELECT repeat(chr(65 + i % 26), 10000) FROM generate_series(0, 1999) i", size=100)
        assert sum(len(row[0]) for row in rows) == 20_000_000


def test_a_slow_reader_holds_the_database_back(server: Server) -> None:
    """The proxy must not buffer what its client does not take: 200 MB wait in PostgreSQL, not in us."""
    with server.connect(server.admin, "consent") as watcher, server.connect(server.admin, "consent") as session:
        session.pgconn.send_query(b"SELECT repeat('x', 1000000) FROM generate_series(1, 200)")
        session.pgconn.flush()
        time.sleep(1)
        state = watcher.execute(
            "SELECT state, wait_event FROM pg_stat_activity WHERE pid = %s", [session.info.backend_pid]
        ).fetchone()
        assert state == ("active", "ClientWrite")
        session.pgconn.finish()


def test_large_parameters_arrive_whole(server: Server) -> None:
    text = "ü" * 5_000_000
    with server.connect(server.admin, "consent") as session:
        assert session.execute("SELECT length(%s), md5(%s) = md5(%s)", [text, text, text]).fetchone() == (
            len(text),
            True,
        )


def test_copy_streams_both_ways(server: Server) -> None:
    with server.connect(server.admin, "consent") as session, session.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bulk (x int)")
        with cursor.copy("COPY bulk FROM STDIN") as copy:
            for number in range(50_000):
                copy.write_row((number,))
        with cursor.copy("COPY bulk TO STDOUT") as copy:
            assert sum(int(row[0]) for row in copy.rows()) == sum(range(50_000))


def test_a_hundred_sessions_at_once(server: Server) -> None:
    token = server.token(server.admin)
    with ThreadPoolExecutor(20) as pool:
        opened = list(pool.map(lambda _: server.connect(server.admin, "consent", password=token), range(100)))
    pids = {session.execute("SELECT pg_backend_pid()").fetchone() for session in opened}
    for session in opened:
        session.close()
    assert len(pids) == 100


def test_a_client_that_vanishes_leaves_no_session_behind(server: Server) -> None:
    with server.connect(server.admin, "consent") as watcher:
        session = server.connect(server.admin, "consent")
        pid = session.info.backend_pid
        session.close()
        for _ in range(100):
            if watcher.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is None:
                return
            time.sleep(0.05)
        pytest.fail(f"the session of backend {pid} is still there")


def test_after_a_kill_of_postgres_all_that_was_committed_is_there(server: Server, postgres: Backend) -> None:
    with server.connect(server.admin, "consent") as session:
        session.execute("CREATE TABLE durable (x int)")
        session.execute("INSERT INTO durable SELECT generate_series(1, 1000)")
        postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="starting or down"):
        server.connect(server.admin, "consent")
    postgres.start()
    with server.connect(server.admin, "consent") as session:
        assert session.execute("SELECT count(*) FROM durable").fetchone() == (1000,)
        session.execute("DROP TABLE durable")


def test_no_token_and_no_value_is_logged(server: Server) -> None:
    with server.connect(server.admin, "consent") as session:
        session.execute("CREATE TEMPORARY TABLE once (iban text PRIMARY KEY)")
        session.execute("INSERT INTO once VALUES ('DE89370400440532013000')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute("INSERT INTO once VALUES ('DE89370400440532013000')")
    log = (server.embedded.instance.logs / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "DE8937" not in log
    assert "eyJ" not in log
