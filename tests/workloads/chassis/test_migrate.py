"""The migration job: role, migrations, rights; again and side by side without harm."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import psycopg

from local.instance import REPOSITORY
from tests.workloads.servers import Postgres


def _start(server: Postgres, database: str, role: uuid.UUID, service: str = "account") -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": server.url(database), "SERVICE_NAME": "account",
                   "SERVICE_OBJECT_ID": str(role), "SERVICE_CLIENT_ID": str(uuid.uuid4())}  # fmt: skip
    command = [sys.executable, "-m", "workloads.chassis.migrate", service]
    return subprocess.Popen(
        command, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def test_two_jobs_at_once_and_one_afterwards_end_the_same(server: Postgres) -> None:
    server.create("migrate_twice")
    role = uuid.uuid4()
    jobs = [_start(server, "migrate_twice", role) for _ in range(2)]
    told = [job.communicate(timeout=60) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], told
    assert sorted("created" in out for out, _ in told) == [False, True]
    last = _start(server, "migrate_twice", role)
    out, _ = last.communicate(timeout=60)
    assert last.returncode == 0
    assert "migrate account: rights granted" in out
    with psycopg.connect(host=str(server.socket_folder), user=str(role), dbname="migrate_twice") as connection:
        connection.execute("INSERT INTO user_key VALUES (gen_random_uuid(), 'x', 'y')")


def test_an_unknown_service_is_refused_with_those_that_are_known(server: Postgres) -> None:
    server.create("migrate_unknown")
    job = _start(server, "migrate_unknown", uuid.uuid4(), service="no-such")
    _, error = job.communicate(timeout=60)
    assert job.returncode == 2
    assert "no_such" in error
    assert "transaction" in error
