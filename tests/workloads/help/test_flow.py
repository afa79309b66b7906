"""A person asks, writes more, closes; what was written is sealed."""

from __future__ import annotations

import io
import time
import uuid

import psycopg
import pytest

from tests.workloads.platform import Platform
from tests.workloads.servers import Postgres
from workloads.services.help.support import main

QUESTION = {"subject": "Twice", "text": "A payment to Backhaus Sommer is there twice."}


@pytest.fixture
def person() -> str:
    return f"asks-{uuid.uuid4()}"


@pytest.fixture
def ticket(platform: Platform, person: str) -> str:
    """An open ticket of the person's, by its id."""
    return platform.call(person, "help", "POST", "/tickets", 201, json=QUESTION)["id"]


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


def support(monkeypatch: pytest.MonkeyPatch, platform: Platform, server: Postgres, *asked: str, text: str = "") -> int:
    """The operator's command, told what the service is told."""
    monkeypatch.setenv("DATABASE_URL", server.url("platform_help"))
    monkeypatch.setenv("DATA_KEY", platform.states["help"].settings.data_key)
    return main(asked, io.StringIO(text))


def test_support_answers_and_the_person_is_told(
    platform: Platform,
    person: str,
    ticket: str,
    server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert platform.bus
    awake = {"timezone": "UTC", "quiet_from": "00:00", "quiet_to": "00:00"}
    platform.call(person, "notification", "PUT", "/preferences", json=awake)

    def ask(*asked: str, text: str = "") -> tuple[int, str]:
        return support(monkeypatch, platform, server, *asked, text=text), capsys.readouterr().out

    assert ticket in ask("list")[1]
    shown = ask("show", ticket)[1]
    assert QUESTION["subject"] in shown
    assert QUESTION["text"] in shown
    assert ask("answer", ticket, text=" ") == (1, "The answer is read from standard input: 1 to 4000 characters.\n")
    assert ask("answer", ticket, text="It is one payment and its reversal.\n") == (0, f"{ticket} is answered.\n")
    assert ticket not in ask("list")[1]
    assert ask("close", ticket)[0] == 1

    read = platform.call(person, "help", "GET", f"/tickets/{ticket}")["messages"]
    assert [(each["author"], each["text"]) for each in read][1:] == [("support", "It is one payment and its reversal.")]
    deadline = time.monotonic() + 60  # the relay was not woken: the command is a process of its own
    while not (told := platform.call(person, "notification", "GET", "/notifications")["notifications"]):
        assert time.monotonic() < deadline, "no notification after 60 s"
        time.sleep(0.1)
    assert [(each["kind"], each["about"]) for each in told] == [("ticket-answered", {"ticket_id": ticket})]

    platform.call(person, "help", "POST", f"/tickets/{ticket}/messages", json={"text": "Thank you."})
    assert ticket in ask("list")[1], "whoever writes again waits again"
    assert ask("close", ticket) == (0, f"{ticket} is closed.\n")
    assert platform.call(person, "help", "GET", f"/tickets/{ticket}")["status"] == "closed"


def test_what_needs_no_answer_does_not_wait_for_one(
    platform: Platform,
    person: str,
    ticket: str,
    server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform.call(person, "help", "POST", f"/tickets/{ticket}/close")
    assert support(monkeypatch, platform, server, "list") == 0
    assert ticket not in capsys.readouterr().out
    monkeypatch.delenv("DATA_KEY")
    assert main(["list"]) == 2
    assert "KEY_VAULT_URL is missing" in capsys.readouterr().err


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
