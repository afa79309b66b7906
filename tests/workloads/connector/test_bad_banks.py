"""Banks that fail, loop, lie or answer nonsense: a clear failure, and no half-read history."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from workloads.chassis.calls import trust
from workloads.services.connector.berlin_group import BerlinGroupBank
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.port import Context
from workloads.services.connector.profile import Profile
from workloads.services.connector.transport import Transport

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class BadBank:
    """A bank over HTTP that answers as it is told, and remembers what it was asked."""

    url: str = ""
    answer: Callable[[str], Answer] = lambda path: (404, {}, b"")
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@dataclass
class Memory:
    """A ledger in memory."""

    calls: list[tuple[str, int | None]] = field(default_factory=list)
    operations: dict[str, str] = field(default_factory=dict)

    def begin(self, operation: str, request_id: str, page: int) -> None:
        self.operations[request_id] = f"{operation}:{page}"

    def end(self, request_id: str, status: int | None) -> None:
        self.calls.append((self.operations[request_id], status))


@pytest.fixture
def bad() -> Iterator[BadBank]:
    bank = BadBank()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            bank.asked.append((self.path, dict(self.headers)))
            status, headers, body = bank.answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bank.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield bank
    server.shutdown()
    server.server_close()


def read(bad: BadBank, **more: Any) -> tuple[BerlinGroupBank, Context, Memory]:
    described = {"id": "bad", "name": "Bad", "countries": ["DE"], "jurisdiction": "EU",
                 "base_url": "https://api.bad.example/xs2a", "timeout_seconds": 1, **more}  # fmt: skip
    memory = Memory()
    values = {"consent_id": "c", "account_id": "a", "date_from": "2026-01-01", "date_to": "2026-02-01"}
    made = Profile.model_validate(described)
    bank = BerlinGroupBank(made, Transport(made, bad.url, trust(None)))
    return bank, Context(values=values, psu_address=None, ledger=memory), memory


def page(number: int, following: str | None = None, **report: Any) -> bytes:
    booked = [{"transactionAmount": {"amount": f"{number}.00", "currency": "EUR"}, "transactionId": f"t{number}"}]
    links = {"next": {"href": following}} if following else {}
    return json.dumps({"transactions": {"booked": booked, "_links": links, **report}}).encode()


def test_pages_are_followed_to_the_end_on_the_base_with_the_same_headers(bad: BadBank) -> None:
    bad.answer = lambda path: (
        200,
        {"Set-Cookie": "session=1; Path=/"},
        page(2) if "p=2" in path else page(1, "https://evil.example/xs2a/v1/accounts/a/transactions?p=2"),
    )
    bank, context, memory = read(bad)
    history = bank.history(context)
    assert [each.transaction_id for each in history.entries] == ["t1", "t2"]
    assert history.pages == 2
    assert [path for path, _ in bad.asked][1] == "/v1/accounts/a/transactions?p=2"
    assert bad.asked[1][1]["Consent-ID"] == "c"
    assert "Cookie" not in bad.asked[1][1], "one person's cookie is not sent with another's request"
    assert memory.calls == [("transactions:0", 200), ("transactions:1", 200)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda path: (200, {}, page(1, path)), "bank-pages-loop"),
        (lambda path: (200, {}, page(1, f"/v1/accounts/a/transactions?p={time.time_ns()}")), "bank-pages-endless"),
        (lambda path: (200, {}, page(1, "https://x.example/elsewhere")), "bank-link-foreign"),
        (lambda path: (200, {}, b'{"transactions": {"booked": [{'), "bank-answer-unreadable"),
        (lambda path: (200, {"Content-Type": "application/xml"}, b"<Document/>"), "bank-answer-unreadable"),
        (lambda path: (200, {}, b"[]"), "bank-answer-unreadable"),
        (lambda path: (200, {}, b""), "bank-answer-unreadable"),
        (lambda path: (302, {"Location": "https://evil.example/"}, b""), "bank-refused"),
        (lambda path: (503, {}, b"<html>"), "bank-failed"),
        (lambda path: (429, {}, b'{"tppMessages":[{"category":"ERROR","code":"ACCESS_EXCEEDED"}]}'),
         "bank-quota-exceeded"),
        (lambda path: (401, {}, b'{"tppMessages":[{"code":"CONSENT_EXPIRED"}]}'), "consent-expired"),
        (lambda path: (403, {}, b'{"type":"x","code":"CONSENT_UNKNOWN"}'), "consent-invalid"),
        (lambda path: (401, {}, b'{"tppMessages":{"code":"TOKEN_INVALID"}}'), "consent-invalid"),
        (lambda path: (401, {}, b""), "bank-unauthorized"),
        (lambda path: (404, {}, b""), "not-found"),
        (lambda path: (200, {"Content-Length": "100"}, b'{"transactions"'), "bank-unreachable"),
        (lambda path: time.sleep(1.5) or (200, {}, b"{}"), "bank-timeout"),
    ],
)  # fmt: skip
def test_a_bank_that_misbehaves_is_told_apart(bad: BadBank, answer: Callable[[str], Answer], kind: str) -> None:
    bad.answer = answer
    bank, context, memory = read(bad, transactions={"max_pages": 3})
    with pytest.raises(BankFailure) as failed:
        bank.history(context)
    assert failed.value.kind == kind
    assert memory.calls, "every request is on record, answered or not"
    bank.close()


def test_a_bank_that_is_not_there_is_unreachable_and_on_record(bad: BadBank) -> None:
    _, context, memory = read(bad)
    made = read(bad)[0].profile
    bank = BerlinGroupBank(made, Transport(made, "http://127.0.0.1:9", trust(None)))
    with pytest.raises(BankFailure) as failed:
        bank.accounts(context)
    assert failed.value.kind == "bank-unreachable"
    assert memory.calls == [("accounts:0", None)]


def test_a_consent_that_the_bank_was_not_asked_for_yet_waits_and_can_be_ended(bad: BadBank) -> None:
    bank, context, _ = read(bad)
    begun = replace(context, values={**context.values, "consent_id": None})
    assert bank.consent_status(begun) == "received"
    bank.delete_consent(begun)
    assert bad.asked == []


def test_each_booking_status_of_the_profile_is_asked_for(bad: BadBank) -> None:
    bad.answer = lambda path: (200, {}, page(1) if "=booked" in path else page(2, booked=None, pending=[]))
    bank, context, _ = read(bad, transactions={"booking_statuses": ["booked", "pending"]})
    history = bank.history(context)
    assert [path.rpartition("=")[2] for path, _ in bad.asked] == ["booked", "pending"]
    assert history.covers_pending
    assert history.complete


@pytest.mark.parametrize(
    ("profile", "body"),
    [
        ({"booking_statuses": ["pending"]}, page(1)),
        ({"listing": "partial"}, page(1)),
        ({"report": "optional"}, b'{"balances": []}'),
        ({}, page(1, booked={"transactionId": "t1"})),
    ],
    ids=["booked ones are not asked for", "its profile says so", "no report", "no list"],
)
def test_a_list_that_may_lack_booked_entries_says_so(bad: BadBank, profile: dict[str, Any], body: bytes) -> None:
    bad.answer = lambda path: (200, {}, body)
    bank, context, _ = read(bad, transactions=profile)
    assert not bank.history(context).complete


def test_a_number_for_an_amount_keeps_its_digits(bad: BadBank) -> None:
    body = b'{"transactions": {"booked": [{"transactionAmount": {"amount": 70368744177.66, "currency": "EUR"}}]}}'
    bad.answer = lambda path: (200, {}, body)
    bank, context, _ = read(bad)
    assert bank.history(context).entries[0].amount.minor == 7036874417766
