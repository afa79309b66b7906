"""The connector against banks that nobody here wrote: every recording that has a profile, by profile alone.

A new recording needs no code here either: a folder in the recordings, a profile of the same name, and a line in
``REDIRECT`` if its consent request is not the standard's file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.workloads.servers import Issuer, Postgres, Servers
from tests.workloads.wiremock import STUBS, Recording, recording
from workloads.services.connector import api, profile
from workloads.services.connector.settings import ConnectorSettings

REDIRECT = {"deutsche-bank": "ais-create-consent-redirect"}
PERSON = {"PSU-IP-Address": "192.0.2.7"}


@dataclass
class Connector:
    """The connector with one recorded bank behind it."""

    url: str
    bank: str
    issuer: Issuer
    recorded: Recording

    def call(self, method: str, path: str, expect: int = 200, *, attended: bool = True, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.issuer.token('anna')}", **(PERSON if attended else {})}
        url = f"{self.url}/banks/{self.bank}/consents{path}"
        response = httpx.request(method, url, headers=headers, timeout=30, **options)
        assert response.status_code == expect, response.text
        return response.json() if response.content else None

    def start(self) -> dict[str, Any]:
        """A consent, asked for with what the recording expects of a person: name and accounts."""
        wanted, body = self.recorded.request, {}
        for pattern in wanted.get("bodyPatterns", []):
            body = json.loads(pattern["equalToJson"].replace("\\\\", "")) if "equalToJson" in pattern else body
        asked = {
            "redirect_uri": "https://app.example/return",
            "psu_id": wanted["headers"].get("PSU-ID", {}).get("equalTo"),
            "accounts": body.get("access", {}).get("accounts", []),
        }
        return self.call("POST", "", 201, json=asked)


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
    recorded = {each.name for each in STUBS.iterdir()} if STUBS.is_dir() else set(REDIRECT)
    return sorted(recorded & {each.stem for each in profile.FOLDER.glob("*.yaml")})


@pytest.mark.parametrize("bank", _banks())
def test_a_recorded_bank_is_read_from_consent_to_transactions_by_its_profile(
    bank: str, connect: Callable[[str, Recording], Connector], tmp_path: Path
) -> None:
    with recording(bank, tmp_path, REDIRECT.get(bank, "ais-create-consent")) as recorded:
        connector = connect(bank, recorded)
        consent = connector.start()
        assert consent["sca_redirect"].startswith("http")
        assert connector.call("GET", f"/{consent['id']}/status")["status"] == "valid"

        accounts = connector.call("GET", f"/{consent['id']}/accounts")["accounts"]
        assert accounts
        assert all(each["iban"] or each["other_id"] for each in accounts)
        source = profile.load_all()[bank].balances.source
        assert source == "none" or all(each["balances"] for each in accounts)
        listed = connector.call("GET", f"/{consent['id']}/accounts/{accounts[0]['id']}/transactions")
        assert listed["entries"]
        assert listed["unreadable"] == 0

        unattended = connector.call("GET", f"/{consent['id']}/accounts", attended=False)
        assert unattended == {"accounts": accounts}
        connector.call("DELETE", f"/{consent['id']}", 204)

        received = recorded.received()
        assert [each for each in received if not each["matched"]] == []
        ids = [each["headers"]["X-Request-ID"] for each in received]
        assert len(set(ids)) == len(ids), "each request has an id of its own"
        asked_by_person = ["PSU-IP-Address" in each["headers"] for each in received]
        assert asked_by_person[-4:] == [True, False, False, True], "the person's address iff the person asked"


def test_deutsche_bank_is_read_to_the_cent(connect: Callable[[str, Recording], Connector], tmp_path: Path) -> None:
    with recording("deutsche-bank", tmp_path, REDIRECT["deutsche-bank"]) as recorded:
        connector = connect("deutsche-bank", recorded)
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
