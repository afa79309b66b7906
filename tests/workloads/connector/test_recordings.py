"""The connector against banks that nobody here wrote: every recording that has a profile, by profile alone.

A new recording needs no code here either: a folder in the recordings and a profile of the same name. Where one folder
holds two approaches, ``OF`` names the folder and the recorded consent request of the second.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwe
from joserfc.jwk import RSAKey

from tests.workloads.contract import Contract
from tests.workloads.servers import Issuer, Postgres, Servers
from tests.workloads.wiremock import STUBS, Recording, WireMock
from workloads.services.connector import api, profile
from workloads.services.connector.settings import ConnectorSettings

OF = {
    "deutsche-bank": ("deutsche-bank", "ais-create-consent-redirect"),
    "deutsche-bank-embedded": ("deutsche-bank", "ais-create-consent"),
}


@dataclass
class Connector:
    """The connector with one recorded bank behind it."""

    url: str
    bank: str
    issuer: Issuer
    recorded: Recording

    def call(self, method: str, path: str, expect: int = 200, *, attended: bool = True, **options: Any) -> Any:
        person = {"PSU-IP-Address": self.recorded.wanted("PSU-IP-Address") or "192.0.2.7"} if attended else {}
        headers = {"Authorization": f"Bearer {self.issuer.token('anna')}", **person}
        url = f"{self.url}/banks/{self.bank}/consents{path}"
        response = httpx.request(method, url, headers=headers, timeout=30, **options)
        assert response.status_code == expect, response.text
        return response.json() if response.content else None

    def start(self) -> dict[str, Any]:
        """A consent, asked for with what the recording expects of a person: name and accounts."""
        asked = {
            "redirect_uri": "https://app.example/return",
            "nok_redirect_uri": "https://app.example/declined",
            "psu_id": self.recorded.request["headers"].get("PSU-ID", {}).get("equalTo"),
            "accounts": self.recorded.body(self.recorded.request).get("access", {}).get("accounts", []),
        }
        return self.call("POST", "", 201, json=asked)

    def authorise(self, consent: dict[str, Any]) -> list[str]:
        """Do what the person is asked for, with what the recording expects; the steps that were gone."""
        step, gone = consent["authorisation"], []
        while step["kind"] in ("password", "method", "otp"):
            gone.append(step["kind"])
            given = {
                "password": {"password": self.recorded.given("psuData", "password") or "secret"},
                "method": {"method": self.recorded.given("authenticationMethodId")},
                "otp": {"otp": self.recorded.given("scaAuthenticationData")},
            }[step["kind"]]
            if step["kind"] == "method":
                assert given["method"] in {each["id"] for each in step["methods"]}
            step = self.call("PUT", f"/{consent['id']}/authorisation/{gone[-1]}", json=given)
        return [*gone, step["kind"]]


@pytest.fixture(scope="module")
def connect(
    server: Postgres, servers: Servers, issuer: Issuer, user_settings: dict[str, str]
) -> Callable[[str, Recording], Connector]:
    database = server.service_url("connector", "recordings_connector")

    def to(bank: str, recorded: Recording) -> Connector:
        told = {"database_url": database, "bank_urls": json.dumps({bank: recorded.url}), **user_settings}
        app = api.build(ConnectorSettings.model_validate(told))
        return Connector(servers.serve(app), bank, issuer, recorded)

    return to


def _banks() -> list[str]:
    profiles = {each.stem for each in profile.FOLDER.glob("*.yaml")}
    recorded = {each.name for each in STUBS.iterdir()} if STUBS.is_dir() else set()
    return sorted(profiles & (recorded | set(OF)))


def _bank_key(recorded: Recording) -> RSAKey:
    """The recordings lack the endpoint of the bank's certificate: it is added, with a certificate made now."""
    key = rsa.generate_private_key(65537, 2048)
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bank")]), datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    recorded.answer({"method": "GET", "urlPattern": ".*/aspsp-certificates/?"}, {"status": 200, "body": pem})
    return RSAKey.import_key(key)


@pytest.mark.parametrize("bank", _banks())
def test_a_recorded_bank_is_read_from_consent_to_transactions_by_its_profile(
    bank: str, connect: Callable[[str, Recording], Connector], wiremock: WireMock, xs2a: Contract | None
) -> None:
    folder, request = OF.get(bank, (bank, "ais-create-consent"))
    recorded = wiremock.serve(folder, request)
    described = profile.load_all()[bank]
    bank_key = _bank_key(recorded)
    connector = connect(bank, recorded)
    consent = connector.start()
    gone = connector.authorise(consent)
    assert gone[-1] == "done" if described.sca.approach == "embedded" else gone == ["redirect"]
    assert connector.call("GET", f"/{consent['id']}/authorisation")["kind"] == "done"
    assert connector.call("GET", f"/{consent['id']}/status")["status"] == "valid"

    accounts = connector.call("GET", f"/{consent['id']}/accounts")["accounts"]
    assert accounts
    assert all(each["iban"] or each["other_id"] for each in accounts)
    assert described.balances.source == "none" or all(each["balances"] for each in accounts)
    listed = connector.call("GET", f"/{consent['id']}/accounts/{accounts[0]['id']}/transactions")
    assert listed["entries"] or described.transactions.report == "optional"
    assert listed["unreadable"] == 0
    assert listed["complete"] == (described.transactions.listing == "complete")
    if not recorded.wanted("PSU-IP-Address", "ais-get-accounts"):
        unattended = connector.call("GET", f"/{consent['id']}/accounts", attended=False)
        assert unattended == {"accounts": accounts}
        assert "PSU-IP-Address" not in recorded.received()[-1]["headers"], "the person's address iff the person asked"
    connector.call("DELETE", f"/{consent['id']}", 204)

    received = recorded.received()
    assert [each["url"] for each in received if not each["matched"]] == []
    ids = [each["headers"]["X-Request-ID"] for each in received]
    assert len(set(ids)) == len(ids), "each request has an id of its own"
    assert "PSU-IP-Address" in received[-1]["headers"]
    judged = [each for each in received if xs2a and "aspsp-certificates" not in each["url"]]
    faults = [xs2a.faults(e["method"], e["url"], e["headers"], e["body"]) for e in judged if xs2a]
    assert faults == [[]] * len(judged)
    encrypted = [found for each in received if (found := re.search('"encryptedPassword": ?"([^"]+)"', each["body"]))]
    assert bool(encrypted) == (bank == "deutsche-bank-embedded")
    for each in encrypted:
        assert jwe.decrypt_compact(each[1], bank_key, algorithms=["RSA-OAEP-256", "A256GCM"]).plaintext == b"secret"


def test_deutsche_bank_is_read_to_the_cent(connect: Callable[[str, Recording], Connector], wiremock: WireMock) -> None:
    connector = connect("deutsche-bank", wiremock.serve(*OF["deutsche-bank"]))
    consent = connector.start()
    account = connector.call("GET", f"/{consent['id']}/accounts")["accounts"][0]
    listed = connector.call("GET", f"/{consent['id']}/accounts/{account['id']}/transactions")

    assert account["name"] == "JAVIER MARTIN ALAEZ"
    assert {(each["kind"], each["amount"]["minor"], each["amount"]["currency"]) for each in account["balances"]} == {
        ("closingBooked", 50000, "EUR"), ("expected", 90000, "EUR"),
        ("closingBooked", 35000, "USD"), ("expected", 35000, "USD"),
    }  # fmt: skip
    assert [(each["status"], each["transaction_id"], each["amount"]["minor"]) for each in listed["entries"]] == [
        ("booked", "1234567", 25667), ("booked", "1234568", 34301), ("pending", "1234569", -10003),
    ]  # fmt: skip
    assert listed["covers_pending"]


def test_sparkasses_statement_is_read_to_the_cent(
    connect: Callable[[str, Recording], Connector], wiremock: WireMock
) -> None:
    connector = connect("sparkasse", wiremock.serve("sparkasse", "ais-create-consent"))
    consent = connector.start()
    assert connector.authorise(consent) == ["password", "method", "otp", "done"]
    account = connector.call("GET", f"/{consent['id']}/accounts")["accounts"][0]
    entries = connector.call("GET", f"/{consent['id']}/accounts/{account['id']}/transactions")["entries"]
    assert len(entries) == 31
    assert sum(each["amount"]["minor"] for each in entries) == -3100
    assert {(each["counterparty"], each["counterparty_iban"]) for each in entries} == {
        ("TESTER", "DE93870500004570081385")
    }
    assert len({each["transaction_id"] for each in entries}) == 31, "the bank's own reference tells them apart"
