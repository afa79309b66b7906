"""The sandbox bank against the Berlin Group's own OpenAPI document, over HTTP (Schemathesis)."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.workloads import qualified
from tests.workloads.contract import DOCUMENT

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
"""Not used: positive_data_acceptance and the stateful checks, which can't know which random id is a consent (what must
be accepted is asked for by name below); unsupported_method, because the standard's 405 is the framework's."""
ASKED = {
    "access": {"accounts": [], "balances": [], "transactions": []},
    "recurringIndicator": True,
    "validUntil": "9999-12-31",
    "frequencyPerDay": 4,
    "combinedServiceIndicator": False,
}


def headers(**more: str) -> dict[str, str]:
    return {"X-Request-ID": str(uuid.uuid4()), "PSU-IP-Address": "192.0.2.1"} | {
        name.replace("_", "-"): value for name, value in more.items()
    }


def consent(url: str) -> tuple[str, str]:
    """A valid consent, granted on the bank's page, and one of its accounts."""
    with httpx.Client(base_url=url) as client:
        started = client.post("/v1/consents", json=ASKED, headers=headers()).json()
        page = started["_links"]["scaRedirect"]["href"]
        question = client.post(f"{page}/login", data={"login": "anna", "pin": "1111"}).text
        form: dict[str, Any] = {"account": re.findall('name="account" value="([^"]+)"', question)}
        form |= {"ticket": re.findall('name="ticket" value="([^"]+)"', question)[0], "decision": "approve"}
        assert client.post(f"{page}/decision", data=form).status_code == 200
        found = client.get("/v1/accounts", headers=headers(Consent_ID=started["consentId"])).json()
        return started["consentId"], found["accounts"][0]["resourceId"]


@pytest.fixture(scope="module")
def granted(sandbox: Callable[[str], str]) -> tuple[str, str, str]:
    url = sandbox("borealis")
    return url, *consent(url)


SERVED = [
    ("POST", "/v1/consents"),
    ("GET", "/v1/consents/{consentId}"),
    ("DELETE", "/v1/consents/{consentId}"),
    ("GET", "/v1/consents/{consentId}/status"),
    ("POST", "/v1/consents/{consentId}/authorisations"),
    ("GET", "/v1/consents/{consentId}/authorisations"),
    ("GET", "/v1/consents/{consentId}/authorisations/{authorisationId}"),
    ("PUT", "/v1/consents/{consentId}/authorisations/{authorisationId}"),
    ("GET", "/v1/accounts"),
    ("GET", "/v1/accounts/{account-id}"),
    ("GET", "/v1/accounts/{account-id}/balances"),
    ("GET", "/v1/accounts/{account-id}/transactions"),
]
"""What the bank offers. Left out of the document's account information: transaction details (optional), card
accounts."""


@pytest.fixture(scope="module")
def xs2a() -> Any:
    if not DOCUMENT.exists():
        pytest.skip(f"the Berlin Group's document is not at {DOCUMENT}")
    document = yaml.load(DOCUMENT.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    paths = {path for _, path in SERVED}
    document["paths"] = {path: item for path, item in document["paths"].items() if path in paths}
    return schemathesis.openapi.from_dict(document)


def _exercise(xs2a: Any, granted: tuple[str, str, str], operation: tuple[str, str], examples: int) -> None:
    url, consent_id, account_id = granted
    method, path = operation
    offered = xs2a[path][method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    strategy = strategies.one_of([offered.as_strategy(generation_mode=mode) for mode in modes])

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=strategy, known=strategies.booleans())
    def run(case: Any, known: bool) -> None:
        if case.meta.generation.mode == GenerationMode.POSITIVE and known:
            # A random id is never a consent's: half of the well-formed requests name one that is.
            if "Consent-ID" in (case.headers or {}):
                case.headers["Consent-ID"] = consent_id
            if "account-id" in (case.path_parameters or {}):
                case.path_parameters["account-id"] = account_id
            if "consentId" in (case.path_parameters or {}) and method == "GET":
                case.path_parameters["consentId"] = consent_id
            # Together or not at all, and by a provider's certificate: the document can't say so.
            for rule in ("Digest", "Signature", "TPP-Signature-Certificate"):
                (case.headers or {}).pop(rule, None)
            if isinstance(case.body, dict) and "access" in case.body:  # so is that one form is asked for
                case.body |= {"access": {"allPsd2": "allAccounts"}, "combinedServiceIndicator": False}
        case.call_and_validate(base_url=url, checks=CHECKS)

    run()


@pytest.mark.parametrize("operation", SERVED, ids=" ".join)
def test_answers_are_what_the_berlin_group_documents(
    xs2a: Any, granted: tuple[str, str, str], operation: tuple[str, str]
) -> None:
    _exercise(xs2a, granted, operation, examples=12)


@pytest.mark.full
@pytest.mark.parametrize("operation", SERVED, ids=" ".join)
def test_answers_are_what_the_berlin_group_documents_to_many_requests(
    xs2a: Any, granted: tuple[str, str, str], operation: tuple[str, str]
) -> None:
    _exercise(xs2a, granted, operation, examples=200)


def test_a_well_formed_read_under_a_valid_consent_is_accepted_and_answered_in_the_documented_form(
    xs2a: Any, granted: tuple[str, str, str]
) -> None:
    url, consent_id, account = granted
    for template, query in (
        ("/v1/consents/{consentId}", ""),
        ("/v1/consents/{consentId}/status", ""),
        ("/v1/consents/{consentId}/authorisations", ""),
        ("/v1/accounts", "?withBalance=true"),
        ("/v1/accounts/{account-id}", "?withBalance=true"),
        ("/v1/accounts/{account-id}/balances", ""),
        ("/v1/accounts/{account-id}/transactions", "?bookingStatus=both&dateFrom=2026-01-01&withBalance=true"),
    ):
        path = template.replace("{consentId}", consent_id).replace("{account-id}", account)
        answer = httpx.get(url + path + query, headers=headers(Consent_ID=consent_id))
        assert answer.status_code == 200, path
        xs2a[template]["GET"].validate_response(answer)


def test_a_read_says_why_it_is_refused(granted: tuple[str, str, str]) -> None:
    url, consent_id, account = granted
    with httpx.Client(base_url=url) as client:
        waiting = client.post("/v1/consents", json=ASKED, headers=headers()).json()["consentId"]
        client.delete(f"/v1/consents/{waiting}", headers=headers())

        def code(path: str, consent: str, **more: str) -> tuple[int, str]:
            told = {**headers(Consent_ID=consent), **more}
            answer = client.get(path, headers={name: value for name, value in told.items() if value})
            assert answer.headers["x-request-id"]
            return answer.status_code, answer.json()["tppMessages"][0]["code"]

        history = f"/v1/accounts/{account}/transactions"
        assert code("/v1/accounts", waiting) == (401, "CONSENT_INVALID")
        assert code("/v1/accounts", str(uuid.uuid4())) == (400, "CONSENT_UNKNOWN")
        assert code(f"/v1/consents/{uuid.uuid4()}", "") == (403, "CONSENT_UNKNOWN")
        assert code(f"/v1/accounts/{uuid.uuid4()}/balances", consent_id) == (404, "RESOURCE_UNKNOWN")
        assert code(history, consent_id) == (400, "FORMAT_ERROR")
        assert code(f"{history}?bookingStatus=booked", consent_id) == (400, "FORMAT_ERROR")
        assert (
            code(f"{history}?bookingStatus=information&dateFrom=2026-01-01", consent_id)[1] == "PARAMETER_NOT_SUPPORTED"
        )
        assert (
            code(f"{history}?bookingStatus=both&dateFrom=2026-02-01&dateTo=2026-01-01", consent_id)[1]
            == "PERIOD_INVALID"
        )
        assert code("/v1/accounts", consent_id, Accept="application/xml") == (406, "REQUESTED_FORMATS_INVALID")
        assert code("/v1/accounts", consent_id, **{"X-Request-ID": "1"}) == (400, "FORMAT_ERROR")


@pytest.mark.parametrize(
    ("roles", "days", "code"),
    [
        ([qualified.PSP_AI], (-1, 1), None),
        ([qualified.PSP_PI, qualified.PSP_AI], (-1, 1), None),
        ([qualified.PSP_PI], (-1, 1), "ROLE_INVALID"),
        ([], (-1, 1), "ROLE_INVALID"),
        ([qualified.PSP_AI], (-2, -1), "CERTIFICATE_EXPIRED"),
        ([qualified.PSP_AI], (1, 2), "CERTIFICATE_EXPIRED"),
    ],
)
def test_who_signs_must_be_a_provider_of_account_information(
    granted: tuple[str, str, str], key: rsa.RSAPrivateKey, roles: Any, days: Any, code: str | None
) -> None:
    url, consent_id, _ = granted
    told = base64.b64encode(qualified.certificate(key, roles, days).public_bytes(Encoding.DER)).decode()
    asked = headers(Consent_ID=consent_id) | {"TPP-Signature-Certificate": told}
    answer = httpx.get(f"{url}/v1/accounts", headers=asked)
    assert answer.status_code == (401 if code else 200)
    assert code in (None, answer.json().get("tppMessages", [{}])[0].get("code"))


def test_what_is_no_certificate_is_told_as_such(granted: tuple[str, str, str]) -> None:
    url, consent_id, _ = granted
    asked = headers(Consent_ID=consent_id) | {"TPP-Signature-Certificate": base64.b64encode(b"none").decode()}
    answer = httpx.get(f"{url}/v1/accounts", headers=asked)
    assert (answer.status_code, answer.json()["tppMessages"][0]["code"]) == (401, "CERTIFICATE_INVALID")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_the_quota_counts_each_address_and_not_while_the_customer_is_present(granted: tuple[str, str, str]) -> None:
    url, _, _ = granted
    consent_id, account = consent(url)
    alone = {**headers(Consent_ID=consent_id), "PSU-IP-Address": ""}
    del alone["PSU-IP-Address"]
    history = f"{url}/v1/accounts/{account}/transactions?bookingStatus=booked&dateFrom=2026-01-01"
    for _ in range(4):
        page = httpx.get(history, headers=alone).json()["transactions"]
        following = page["_links"]["next"]["href"].split("/psd2", 1)[1]
        assert httpx.get(url + following, headers=alone).status_code == 200, "a further page is the same access"
    refused = httpx.get(history, headers=alone)
    assert (refused.status_code, refused.json()["tppMessages"][0]["code"]) == (429, "ACCESS_EXCEEDED")
    assert httpx.get(f"{url}/v1/accounts/{account}/balances", headers=alone).status_code == 200
    assert httpx.get(history, headers=headers(Consent_ID=consent_id)).status_code == 200
