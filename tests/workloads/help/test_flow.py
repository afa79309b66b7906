"""A person asks, writes more, closes; what was written is sealed."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.workloads.platform import Platform
from tests.workloads.servers import Postgres

QUESTION = {"subject": "Twice", "text": "A payment to Backhaus Sommer is there twice."}


@pytest.fixture
def person() -> str:
    return f"asks-{uuid.uuid4()}"


def test_a_ticket_is_opened_answered_closed_and_open_again_by_a_message(platform: Platform, person: str) -> None:
    opened = platform.call(person, "help", "POST", "/tickets", 201, json=QUESTION)
    path = f"/tickets/{opened['id']}"
    assert platform.call(person, "help", "POST", f"{path}/close")["status"] == "closed"
    again = platform.call(person, "help", "POST", f"{path}/messages", json={"text": "It is back."})
    assert again["status"] == "open"
    assert [(each["author"], each["text"]) for each in again["messages"]] == [
        ("person", QUESTION["text"]),
        ("person", "It is back."),
    ]
    assert platform.call(person, "help", "GET", path) == again
    assert platform.call(person, "help", "GET", "/tickets")["tickets"] == [again]


def test_what_a_person_writes_is_not_readable_in_the_database(
    platform: Platform, person: str, server: Postgres
) -> None:
    platform.call(person, "help", "POST", "/tickets", 201, json=QUESTION)
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="platform_help") as connection:
        rows = connection.execute("SELECT t::text FROM ticket t UNION ALL SELECT m::text FROM ticket_message m")
        text = "".join(each for (each,) in rows.fetchall())
    for written in ("Twice", "Backhaus"):
        assert written not in text
        assert written.encode().hex() not in text


def test_nobody_has_more_than_twenty_open_tickets(platform: Platform, person: str) -> None:
    for _ in range(20):
        platform.call(person, "help", "POST", "/tickets", 201, json=QUESTION)
    refused = platform.call(person, "help", "POST", "/tickets", 409, json=QUESTION)
    assert refused["type"] == "/problems/too-many-tickets"


def test_an_article_is_found_and_read(platform: Platform, person: str) -> None:
    wanted = {"text": "verbinden", "language": "de"}
    [first, *_] = platform.call(person, "help", "GET", "/articles", params=wanted)["articles"]
    assert first == {"id": "connect-a-bank", "language": "de", "title": "Eine Bank verbinden"}
    read = platform.call(person, "help", "GET", "/articles/connect-a-bank", params={"language": "de"})
    assert read["body"].startswith("Wählen Sie Ihre Bank")
    platform.call(person, "help", "GET", "/articles/nothing", 404)
