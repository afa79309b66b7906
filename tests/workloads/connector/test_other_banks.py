"""Banks that differ from the standard in what a profile can say: each is read by data alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.workloads.connector.test_bad_banks import Memory
from tests.workloads.connector.test_profile import bank
from tests.workloads.connector.test_signature import SEAL
from workloads.chassis.calls import trust
from workloads.services.connector import banks
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.port import Bank, Context
from workloads.services.connector.request import BankRequest
from workloads.services.connector.transport import Answer, Transport

Reply = tuple[int, Any]
VALUES = {"consent_id": "c", "account_id": "a", "date_from": "2026-01-01", "date_to": "2026-02-01",
          "redirect_uri": "https://app.example/r", "psu_id": "anna"}  # fmt: skip


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Bank, list[tuple[BankRequest, bytes]]]]:
    """A bank of a profile that answers as a function says, and what it was asked."""

    def play(reply: Callable[[BankRequest, str], Reply], **more: Any) -> tuple[Bank, list[tuple[BankRequest, bytes]]]:
        asked: list[tuple[BankRequest, bytes]] = []

        def send(self: Transport, request: BankRequest, content: bytes | None) -> Answer:
            asked.append((request, content or b""))
            status, body = reply(request, (content or b"").decode())
            told = body if isinstance(body, bytes) else json.dumps(body).encode()
            kind = "application/xml" if told.startswith(b"<") else "application/json"
            return Answer(request.url, status, httpx.Headers({"content-type": kind}), told, self.profile.answers)

        monkeypatch.setattr(Transport, "_send", send)
        return banks.adapter(bank(**more), None, trust(None), SEAL), asked

    return play


def context(**more: str | None) -> Context:
    return Context(values={**VALUES, **more}, psu_address="192.0.2.1", ledger=Memory())


def entry(day: str, amount: str) -> dict[str, Any]:
    return {"bookingDate": day, "transactionAmount": {"amount": amount, "currency": "EUR"}}


def test_members_dates_and_the_place_of_the_answer_are_the_banks(played: Any) -> None:
    told = {
        "data": {"umsaetze": {"booked": [{"buchungstag": "31.01.2026", "betrag": {"amount": 1, "currency": "EUR"}}]}}
    }
    found, asked = played(
        lambda request, body: (200, told),
        answers={"root": ["data"], "date_formats": ["%d.%m.%Y"],
                 "rename": {"umsaetze": "transactions", "buchungstag": "bookingDate", "betrag": "transactionAmount"}},
        transactions={"date_format": "%d.%m.%Y"},
    )  # fmt: skip
    read = found.history(context()).entries
    assert [(str(each.booking_date), each.amount.minor) for each in read] == [("2026-01-31", 100)]
    assert parse_qs(urlsplit(asked[0][0].url).query)["dateFrom"] == ["01.01.2026"]


def test_pages_by_number_end_with_an_empty_one(played: Any) -> None:
    def reply(request: BankRequest, body: str) -> Reply:
        page = int(parse_qs(urlsplit(request.url).query).get("page", ["1"])[0])
        return 200, {"transactions": {"booked": [entry("2026-01-02", f"{page}.00")] if page < 4 else []}}

    paging = {"style": "number", "parameter": "page", "first": 1}
    found, asked = played(reply, transactions={"paging": paging})
    history = found.history(context())
    assert [each.amount.minor for each in history.entries] == [100, 200, 300]
    assert history.pages == len(asked) == 4


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"id": "ABO-77"}}, "consent-expired"),
        (460, {}, "bank-quota-exceeded"),
        (400, {"error": {"id": "OTHER"}}, "bank-refused"),
        (403, {"Errors": [{"ErrorCode": "UK.OBIE.Resource.InvalidConsentStatus"}]}, "consent-invalid"),
    ],
)
def test_errors_are_told_apart_by_the_banks_own_codes(played: Any, status: int, body: Any, kind: str) -> None:
    errors = {"code": ["error.id"], "meaning": {"ABO-77": "consent-expired"}, "statuses": {460: "bank-quota-exceeded"}}
    found, _ = played(lambda request, sent: (status, body), errors=errors)
    with pytest.raises(BankFailure) as failed:
        found.accounts(context())
    assert failed.value.kind == kind


def test_bodies_methods_and_paths_are_the_banks(played: Any) -> None:
    def reply(request: BankRequest, body: str) -> Reply:
        if request.url.endswith("/v1/consents"):
            links = {"updatePsuAuthentication": {"href": "/v1/consents/c/authorisations/z"}}
            return 201, {"consentId": "c", "consentStatus": "received", "_links": links}
        return 200, {"scaStatus": "finalised"}

    found, asked = played(
        reply,
        sca={"approach": "embedded"},
        operations={
            "authenticate_psu": {
                "method": "POST", "path": "/login/{consent_id}", "follow_links": False,
                "body": {"user": "{psu_id}", "pin": "{psu_password}", "company": "{psu_corporate_id}"},
            }
        },
    )  # fmt: skip
    progress = found.start(context(consent_id=None), [])
    assert progress.step.kind == "password"
    assert found.authenticate(context(), progress, "1111").step.kind == "done"
    sent, body = asked[-1]
    assert (sent.method, urlsplit(sent.url).path) == ("POST", "/xs2a/login/c")
    assert json.loads(body) == {"user": "anna", "pin": "1111"}, "what has no value is left out"


def test_oauth_as_a_first_step_asks_for_the_consent_with_its_token(played: Any) -> None:
    def reply(request: BankRequest, body: str) -> Reply:
        if request.url.endswith("/token"):
            form = parse_qs(body)
            assert form["client_assertion_type"]
            return 200, {"access_token": f"token-{form['grant_type'][0]}", "refresh_token": "r", "expires_in": 60}
        links = {"scaRedirect": {"href": "https://bank.example/authorise"}}
        return 201, {"consentId": "c", "consentStatus": "received", "_links": links}

    oauth = {"flow": "pre_step", "client_id": "me", "scope": "AIS", "authorization_endpoint": "/authorize",
             "token_endpoint": "/token", "client_authentication": "private_key_jwt"}  # fmt: skip
    found, asked = played(reply, oauth=oauth)
    begun = found.start(context(consent_id=None), [])
    assert (begun.step.kind, begun.consent_id, asked) == ("oauth", None, []), "nothing was asked of the bank yet"
    progress, tokens = found.accept_code(context(consent_id=None), begun, "code")
    assert (progress.step.kind, progress.consent_id) == ("redirect", "c")
    assert tokens is not None
    assert asked[-1][0].headers["Authorization"] == f"Bearer {tokens.access}"
    assert found.refresh(context(), progress, "r").access == "token-refresh_token"


def test_a_bank_without_consents_has_a_token_for_one(played: Any) -> None:
    oauth = {"flow": "pre_step", "client_id": "me", "scope": "view", "authorization_endpoint": "/authorize",
             "token_endpoint": "/token"}  # fmt: skip
    found, asked = played(lambda request, body: (200, {"access_token": "t"}), oauth=oauth, consent={"access": "none"})
    begun = found.start(context(consent_id=None), [])
    progress, tokens = found.accept_code(context(consent_id=None), begun, "code")
    assert (progress.step.kind, tokens.access, len(asked)) == ("done", "t", 1)
    assert found.consent_status(context()) == "received", "no token, no consent"


def test_a_redirect_may_want_to_be_confirmed_with_the_code_of_its_return(played: Any) -> None:
    def reply(request: BankRequest, body: str) -> Reply:
        if request.method == "PUT":
            return 200, {"scaStatus": "finalised" if "confirmationCode" in body else "failed"}
        links = {"scaRedirect": {"href": "https://bank.example/a"},
                 "confirmation": {"href": "/v1/consents/c/authorisations/z"}}  # fmt: skip
        return 201, {"consentId": "c", "consentStatus": "received", "_links": links}

    found, _ = played(reply)
    progress = found.start(context(consent_id=None), [])
    assert found.accept_code(context(), progress, "42")[0].step.kind == "done"


def test_a_signed_request_is_signed_over_what_is_sent(played: Any) -> None:
    found, asked = played(lambda request, body: (200, {"accounts": []}), signature={"use": "always"})
    found.accounts(context())
    assert {"Digest", "Signature", "TPP-Signature-Certificate", "Date"} <= asked[0][0].headers.keys()


@pytest.mark.parametrize("link", ["http://evil.example/other/token", "ftp://h/v1/token"])
def test_a_token_endpoint_of_metadata_outside_the_bank_gets_no_code(played: Any, link: str) -> None:
    told = {"authorization_endpoint": "https://bank.example/a", "token_endpoint": link}
    found, _ = played(lambda request, body: (200, told), oauth={"flow": "pre_step", "client_id": "me"})
    with pytest.raises(BankFailure) as failed:
        found.start(context(consent_id=None), [])
    assert failed.value.kind == "bank-link-foreign"
