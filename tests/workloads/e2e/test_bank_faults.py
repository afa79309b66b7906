"""A bank that fails in the middle of a synchronisation: the person sees what is wrong, nothing is lost or doubled."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.workloads.platform import Platform
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.transport import Answer, Transport

Page = dict[str, Any]


class Faulty:
    """Stands between the connector and one bank; changes answers at ``where`` while ``fault`` is set."""

    def __init__(self, transport: Transport) -> None:
        self._transport, self._send = transport, transport._send
        self.begin(None)

    def __call__(self, asked: Any, content: bytes | None) -> Answer:
        if self.fault is None or self.where not in asked.url:
            return self._send(asked, content)
        self.pages += 1
        if self.last is None or not self.stays:
            self.last = self._send(asked, content)
        return self.fault(replace(self.last, url=asked.url), self.pages)

    def begin(
        self, fault: Callable[[Answer, int], Answer] | None, *, stays: bool = False, where: str = "/transactions"
    ) -> None:
        """From now on. stays: whether the bank itself is asked for the first page only. where: part of the address."""
        self.where = where
        self.fault, self.stays, self.last, self.pages = fault, stays, None, 0


def answered(answer: Answer, content: bytes, status: int = 200) -> Answer:
    return replace(answer, status=status, content=content)


def entries(answer: Answer) -> tuple[Page, list[Page]]:
    told = json.loads(answer.content)
    return told, told["transactions"]["booked"]


def refusal(status: int, code: str) -> Callable[[Answer, int], Answer]:
    """From the second page on: the first one was read already."""
    body = json.dumps({"tppMessages": [{"category": "ERROR", "code": code}]}).encode()
    return lambda answer, page: answer if page == 1 else answered(answer, body, status)


def times_out(answer: Answer, page: int) -> Answer:
    if page == 1:
        return answer
    raise BankFailure("bank-timeout", "The bank did not answer in time.", 504)


def half(answer: Answer, page: int) -> Answer:
    return answered(answer, answer.content[: len(answer.content) // 2]) if page > 1 else answer


def same_page(answer: Answer, page: int) -> Answer:
    """Its next page is always the one that was just read."""
    told, _ = entries(answer)
    told["transactions"]["_links"]["next"] = {"href": answer.url}
    return answered(answer, json.dumps(told).encode())


def for_ever(answer: Answer, page: int) -> Answer:
    told, _ = entries(answer)
    told["transactions"]["_links"]["next"] = {"href": f"{answer.url.partition('?')[0]}?page={page}"}
    return answered(answer, json.dumps(told).encode())


FAILING: dict[str, tuple[Callable[[Answer, int], Answer], str]] = {
    "429": (refusal(429, "ACCESS_EXCEEDED"), "bank-quota-exceeded"),
    "503": (refusal(503, "INTERNAL_SERVER_ERROR"), "bank-failed"),
    "timeout": (times_out, "bank-timeout"),
    "half JSON": (half, "bank-answer-unreadable"),
    "repeated page": (same_page, "bank-pages-loop"),
    "endless pages": (for_ever, "bank-pages-endless"),
    "expired on the way, it seems": (refusal(401, "CONSENT_EXPIRED"), "bank-failed"),
    "revoked on the way, it seems": (refusal(401, "CONSENT_INVALID"), "bank-failed"),
}
"""What the bank does, and what the person is told of it."""


def doubled(answer: Answer, page: int) -> Answer:
    """Every entry that has an id, twice on its page."""
    told, booked = entries(answer)
    booked += [copy.deepcopy(each) for each in booked if "transactionId" in each]
    return answered(answer, json.dumps(told).encode())


def in_nobodys_money(answer: Answer, page: int) -> Answer:
    """One entry more, in a currency that there is not."""
    told, booked = entries(answer)
    booked.append({**copy.deepcopy(booked[0]), "transactionAmount": {"amount": "1.00", "currency": "QQQ"}})
    booked.append({**copy.deepcopy(booked[0]), "transactionAmount": {"amount": "1.00"}})
    return answered(answer, json.dumps(told).encode())


def backwards(answer: Answer, page: int) -> Answer:
    told, booked = entries(answer)
    booked.reverse()
    return answered(answer, json.dumps(told).encode())


ODD = {"duplicate ids": doubled, "wrong currencies": in_nobodys_money, "another order": backwards}
"""What the bank tells strangely, and is read rightly."""


def faulty(platform: Platform, bank: str, monkeypatch: pytest.MonkeyPatch) -> Faulty:
    transport = platform.states["connector"].banks[bank]._transport
    between = Faulty(transport)
    monkeypatch.setattr(transport, "_send", between)
    return between


@pytest.fixture
def borealis(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Faulty:
    """A bank of several pages."""
    return faulty(platform, "borealis", monkeypatch)


def after_a_read(platform: Platform, person: str) -> list[dict[str, Any]]:
    assert platform.synchronise(person)["failures"] == []
    platform.settle()
    return platform.ledger(person)


@pytest.mark.full
def test_a_first_read_that_fails_brings_nothing_and_the_next_brings_all(platform: Platform, borealis: Faulty) -> None:
    person = f"first-{uuid.uuid4()}"
    platform.connect(person, "borealis")
    for name, (fault, kind) in FAILING.items():
        borealis.begin(fault, stays=True)
        told = platform.call(person, "sync", "POST", "/runs")
        assert kind in told["failures"], name
        borealis.begin(None)
    whole = after_a_read(platform, person)
    assert len(whole) > 200
    other = f"other-{uuid.uuid4()}"
    platform.connect(other, "borealis")
    assert len(after_a_read(platform, other)) == len(whole), "as if nothing had happened"


def test_a_read_that_fails_later_changes_nothing(platform: Platform, borealis: Faulty) -> None:
    person = f"later-{uuid.uuid4()}"
    platform.connect(person, "borealis")
    before = after_a_read(platform, person)
    for name, (fault, kind) in FAILING.items():
        borealis.begin(fault, stays=True)
        assert kind in {each["kind"] for each in platform.synchronise(person)["failures"]}, name
        borealis.begin(None)
        assert platform.ledger(person) == before, name
    consents = platform.call(person, "consent", "GET", "/consents")["consents"]
    assert [each["status"] for each in consents] == ["valid"], "the bank itself still says so when it is asked"


def test_a_consent_that_is_refused_for_a_moment_disconnects_nothing(platform: Platform, borealis: Faulty) -> None:
    person = f"moment-{uuid.uuid4()}"
    platform.connect(person, "borealis")
    after_a_read(platform, person)
    refused = refusal(401, "CONSENT_INVALID")
    borealis.begin(lambda answer, page: refused(answer, 2), where="/accounts")
    assert {each["kind"] for each in platform.synchronise(person)["failures"]} == {"bank-failed"}
    platform.settle()
    accounts = platform.call(person, "account", "GET", "/accounts")["accounts"]
    assert {each["connected"] for each in accounts} == {True}, "they are read again with nobody there"
    borealis.begin(None)
    after_a_read(platform, person)


@pytest.mark.parametrize("bank", ["aurora", "borealis"])
def test_what_a_bank_tells_strangely_is_read_rightly(
    platform: Platform, bank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    between, person = faulty(platform, bank, monkeypatch), f"odd-{uuid.uuid4()}"
    platform.connect(person, bank)
    before = after_a_read(platform, person)
    for name, fault in ODD.items():
        between.begin(fault)
        told = platform.synchronise(person)
        assert told["failures"] == [], name
        assert platform.ledger(person) == before, name
        unreadable = sum(each["unreadable"] for each in told["accounts"])
        assert (unreadable > 0) == (fault is in_nobodys_money), "the person is told of what was not read"
    between.begin(None)
    platform.synchronise(person)
    assert platform.ledger(person) == before
