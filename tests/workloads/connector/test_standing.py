"""A consent that one read was refused for is over only when the bank says so of the consent itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.workloads.connector.test_bank_clock import CONTEXT
from tests.workloads.connector.test_profile import bank
from workloads.chassis.calls import trust
from workloads.services.connector import standing
from workloads.services.connector.berlin_group import BerlinGroupBank
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.transport import Transport
from workloads.services.connector.uk import UkBank

CONSENT = replace(CONTEXT, values={"consent_id": "c", "account_id": "a"})
OAUTH = {"client_id": "us", "authorization_endpoint": "/a", "token_endpoint": "/t"}
UK = bank(standard="uk-open-banking-3.1", oauth=OAUTH)
Told = tuple[int, Any]


class Ours:
    """A user's token. renewed: what comes in its place."""

    def __init__(self, renewed: str | None) -> None:
        self.value: str | None = "old"
        self.renewed = renewed

    def renew(self, refused: str) -> str | None:
        """Another token."""
        return self.renewed


def refused(code: str) -> Told:
    return 401, {"tppMessages": [{"category": "ERROR", "code": code}]}


def answering(adapter: Any, answers: Mapping[str, Told]) -> list[str]:
    """Have a bank answer so, by the end of the path asked for; the paths that it was asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = urlsplit(str(request.url)).path
        asked.append(path)
        status, body = next(told for end, told in answers.items() if path.endswith(end))
        return httpx.Response(status, json=body)

    adapter._transport._http = httpx.Client(transport=httpx.MockTransport(answer))
    return asked


def failure_of(adapter: Any, answers: Mapping[str, Told], renewed: str | None = None) -> tuple[str, list[str]]:
    """The kind of the failure that a read ends with, and what the bank was asked."""
    asked = answering(adapter, answers)
    with pytest.raises(BankFailure) as failed:
        standing.read(adapter, replace(CONSENT, token=Ours(renewed)), adapter.accounts)
    return failed.value.kind, asked


def berlin(**more: Any) -> BerlinGroupBank:
    made = bank(**more)
    return BerlinGroupBank(made, Transport(made, None, trust(None)))


@pytest.mark.parametrize("code", ["CONSENT_INVALID", "CONSENT_EXPIRED", "CONSENT_UNKNOWN"])
@pytest.mark.parametrize(
    ("standing_at_the_bank", "ended"),
    [((200, {"consentStatus": each}), False) for each in ("valid", "received", "partiallyAuthorised")]
    + [((200, {"consentStatus": each}), True) for each in ("revokedByPsu", "expired", "terminatedByTpp", "rejected")]
    + [((503, {}), False), (refused("CONSENT_INVALID"), False), (refused("CONSENT_UNKNOWN"), True)],
)
def test_the_banks_word_on_the_consent_decides(code: str, standing_at_the_bank: Told, ended: bool) -> None:
    kind, asked = failure_of(berlin(), {"/accounts": refused(code), "/status": standing_at_the_bank})
    assert (kind in ("consent-invalid", "consent-expired"), kind == "bank-failed") == (ended, not ended)
    assert [path.rpartition("/")[2] for path in asked] == ["accounts", "status"], (
        "each once: nothing is tried in a loop"
    )


@pytest.mark.parametrize(("status", "kind"), [("Authorised", "bank-failed"), ("AUTH", "bank-failed"),
                                              ("Revoked", "consent-invalid"), ("CANC", "consent-invalid")])  # fmt: skip
def test_a_uk_bank_is_asked_for_the_account_access_consent(status: str, kind: str) -> None:
    refusal = 403, {"Errors": [{"ErrorCode": "UK.OBIE.Resource.InvalidConsentStatus"}]}
    answers = {"/accounts": refusal, "/account-access-consents/c": (200, {"Data": {"Status": status}}),
               "/t": (200, {"access_token": "own"})}  # fmt: skip
    assert failure_of(UkBank(UK, Transport(UK, None, trust(None))), answers)[0] == kind


@pytest.mark.parametrize(("renewed", "kind"), [("new", "bank-failed"), (None, "consent-invalid")])
def test_a_token_is_renewed_first_and_one_that_cannot_be_wants_the_person(renewed: str | None, kind: str) -> None:
    answers = {"/accounts": refused("TOKEN_INVALID"), "/status": (200, {"consentStatus": "valid"})}
    found, asked = failure_of(berlin(), answers, renewed)
    assert found == kind
    assert sum(path.endswith("/accounts") for path in asked) == (2 if renewed else 1)


def test_a_bank_without_consents_is_not_asked_for_one() -> None:
    kind, asked = failure_of(
        berlin(consent={"access": "none"}, oauth=OAUTH | {"flow": "pre_step"}),
        {"/accounts": refused("CONSENT_INVALID")},
    )
    assert kind == "consent-invalid"
    assert len(asked) == 1


def test_what_is_read_is_told_without_asking_for_the_consent() -> None:
    adapter = berlin()
    asked = answering(adapter, {"/accounts": (200, {"accounts": []})})
    assert standing.read(adapter, CONSENT, adapter.accounts) == []
    assert len(asked) == 1
