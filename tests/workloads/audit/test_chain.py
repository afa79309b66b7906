"""The audit trail: whatever is changed, left out or put in shows; it holds ids and dates only."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
import uuid
from dataclasses import replace

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.instance import REPOSITORY
from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer, Postgres
from workloads.chassis.database import Database
from workloads.chassis.events.envelope import Event
from workloads.services.audit import domain, store
from workloads.services.audit import verify as command
from workloads.services.audit.domain import START, Content, End, about, verify

AT = datetime.datetime(2026, 11, 26, tzinfo=datetime.UTC)


def chain(length: int) -> list[tuple[Content, str]]:
    found, before = [], START
    for n in range(length):
        content = Content(n + 1, uuid.UUID(int=n), AT, "/services/consent", "consent.authorised", f"u{n % 3}", "{}")
        before = content.digest(before)
        found.append((content, before))
    return found


def holds(entries: list[tuple[Content, str]], whole: list[tuple[Content, str]]) -> bool:
    return verify(entries, End(len(whole), whole[-1][1])) is None


@given(st.integers(2, 12), st.data())
def test_any_change_omission_or_exchange_is_found(length: int, data: st.DataObject) -> None:
    whole = chain(length)
    assert holds(whole, whole)
    at = data.draw(st.integers(0, length - 1))
    changed = list(whole)
    changed[at] = replace(changed[at][0], about='{"bank":"x"}'), changed[at][1]
    assert not holds(changed, whole)
    forged = replace(whole[at][0], subject="u9")
    rewritten = [*whole[:at], (forged, forged.digest(whole[at - 1][1] if at else START)), *whole[at + 1 :]]
    assert not holds(rewritten, whole)
    assert not holds(whole[:at] + whole[at + 1 :], whole), "one is missing, be it the last"
    if at:
        exchanged = list(whole)
        exchanged[at], exchanged[at - 1] = exchanged[at - 1], exchanged[at]
        assert not holds(exchanged, whole)


def test_only_ids_dates_and_numbers_are_kept() -> None:
    kept = about({"consent_id": "01a2-b", "act_by": "2026-12-01", "added": 3, "name": "Anna Berg", "list": ["x"],
                  "iban": "DE89 3704"})  # fmt: skip
    assert kept == '{"act_by":"2026-12-01","added":3,"consent_id":"01a2-b"}'


def _verify(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workloads.services.audit.verify"]
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def test_the_command_says_whether_the_trail_holds_and_where_not(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.service_url("audit", "audit_chain")
    database = Database(url)
    for n in range(5):
        event = Event.new("consent", "consent.authorised", uuid.uuid4(), {"consent_id": str(n)})
        with database.session() as session:
            store.add(session, event)
    held = re.fullmatch("The audit trail holds: 5 entries. The last one is (5) ([0-9a-f]{64})\n", _verify(url).stdout)
    assert held
    monkeypatch.setenv("DATABASE_URL", url)
    assert [command.main([number, held[2]]) for number in ("5", "4")] == [0, 1]
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="audit_chain") as connection:
        connection.execute("UPDATE entry SET type = 'consent.revoked' WHERE number = 3")
    database.close()
    broken = _verify(url)
    assert (broken.returncode, "entry 3" in broken.stdout) == (1, True)


def test_a_person_sees_what_was_done_with_their_data(platform: Platform, issuer: Issuer) -> None:
    person = f"audited-{uuid.uuid4()}"
    consent = platform.connect(person, "aurora")
    platform.synchronise(person)
    platform.settle()
    entries = platform.call(person, "audit", "GET", "/entries")["entries"]
    types = {each["type"] for each in entries}
    assert {"consent.authorised", "account.linked", "transactions.imported"} <= types
    assert any(consent["id"] in each["about"] for each in entries)
    assert platform.call("someone else", "audit", "GET", "/entries") == {"entries": []}
    assert domain.START not in {each["digest"] for each in entries}


@pytest.mark.parametrize("length", [1, 7])
def test_a_chain_ends_where_its_head_says(length: int) -> None:
    whole = chain(length)
    assert verify(whole, End(length + 1, whole[-1][1])) is not None
    assert verify([], End(0, START)) is None


@given(st.integers(2, 12), st.data())
def test_a_chain_that_was_cut_or_written_anew_is_not_the_one_that_was_noted(length: int, data: st.DataObject) -> None:
    whole = chain(length)
    at = data.draw(st.integers(1, length))
    noted = End(at, whole[at - 1][1])
    assert verify(whole, End(length, whole[-1][1]), noted) is None
    cut = whole[: at - 1]
    assert verify(cut, End(at - 1, cut[-1][1] if cut else START), noted) is not None
    before, anew = START, []
    for content, _ in whole:
        forged = replace(content, subject="u9")
        before = forged.digest(before)
        anew.append((forged, before))
    end = End(length, before)
    assert verify(anew, end) is None, "it holds in itself"
    assert verify(anew, end, noted) is not None


def test_what_is_written_while_the_trail_is_verified_does_not_break_it(server: Postgres) -> None:
    database = Database(server.service_url("audit", "audit_written"))
    event = Event.new("consent", "consent.authorised", uuid.uuid4(), {})
    with database.session() as reading:
        end = store.end(reading)
        with database.session() as session:
            store.add(session, event)
        assert store.verify(reading, end, None) is None
    database.close()
