"""A person's way through the platform as it was brought up, from signing up until no store knows of them."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx
import pytest

from tests.end_to_end.platform import person_at
from tests.end_to_end.stores import Stores, files_with
from tests.engine.deployment import Deployment
from tests.workloads.files import uploaded
from tests.workloads.platform import Platform
from tests.workloads.seeded import ibans, spelled, words
from workloads.services.privacy.domain import HOLDERS

T = TypeVar("T")
BANKS = ("aurora", "borealis", "albion")
"""The last one speaks UK Open Banking."""
TRACED = "/authorisation/otp"
"""In the address of a call that telemetry tells of."""
AWAKE = {"timezone": "UTC", "quiet_from": "00:00", "quiet_to": "00:00"}
IBAN = "DE48500105170532013000"
"""One that the banks tell."""
IN_TEXT = "DE48 5001 0517 0532 0130 00"
"""The same in the text of a transaction."""


@pytest.fixture(scope="module")
def platform(deployed: Deployment) -> Iterator[Platform]:
    """The running platform from a person's side."""
    with person_at(deployed.instance, deployed.outputs("local")) as seen:
        yield seen


@pytest.fixture(scope="module")
def stores(deployed: Deployment) -> Stores:
    """The same platform from below."""
    return Stores(deployed.instance)


def eventually(what: str, look: Callable[[], T | None], seconds: float = 90) -> T:
    """What a look shows as soon as it shows something."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.3)
    return seen


def valid_consents(stores: Stores) -> dict[str, set[uuid.UUID]]:
    """Those that the banks know."""
    found = {}
    for bank in BANKS:
        with stores.connected(f"bank-{bank}") as connection:
            rows = connection.execute("SELECT id FROM consent WHERE status = 'valid'").fetchall()
            found[bank] = {each for (each,) in rows}
    return found


def six_hours_later(stores: Stores, user: str) -> None:
    """The person's next read falls due: the clock can't be turned, so its task is."""

    def moved() -> int:
        with stores.connected("sync") as connection:
            return connection.execute("UPDATE task SET due = now() WHERE subject = %s", [user]).rowcount

    eventually("a bank that is connected is read from then on", moved)


def told_of(platform: Platform, person: str) -> set[str]:
    """Kinds of the person's notifications."""
    listed = platform.call(person, "notification", "GET", "/notifications")["notifications"]
    return {each["kind"] for each in listed}


def exported(platform: Platform, person: str) -> zipfile.ZipFile:
    token = {"Authorization": f"Bearer {platform.issuer.token(person)}"}
    answer = httpx.get(f"{platform.urls['privacy']}/export", headers=token, timeout=60)
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def erased(platform: Platform, person: str) -> dict[str, Any]:
    """The receipt of an erasure that is complete."""
    path = f"/erasures/{platform.call(person, 'privacy', 'POST', '/erasures', 202)['id']}"

    def receipt() -> dict[str, Any] | None:
        told = platform.call(person, "privacy", "GET", path)
        return told if told["completed"] else None

    return eventually("every service has erased, twice", receipt)


def test_from_signing_up_until_no_store_knows_the_person(platform: Platform, stores: Stores) -> None:
    person, mark = f"maria-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    before = valid_consents(stores)
    user = platform.call(person, "user", "GET", "/profile")["id"]
    platform.call(person, "notification", "PUT", "/preferences", json=AWAKE)
    for bank in BANKS:
        assert platform.connect(person, bank)["status"] == "valid"
    # Of other tests' people, too: who signs in at a bank as anna ends what anna had granted before.
    given = {bank: known - before[bank] for bank, known in valid_consents(stores).items()}
    assert {bank: len(new) for bank, new in given.items()} == dict.fromkeys(BANKS, 1)

    read = platform.until_read(person, len(BANKS))
    assert [each["failures"] for each in read] == [[] for _ in BANKS]
    added = sum(each["added"] for each in read)
    assert added > 200, "each bank was read as soon as it was connected"
    six_hours_later(stores, user)
    [run] = platform.until_read(person, 1, attended=False)
    assert (run["failures"], run["added"]) == ([], 0)
    budget = {"name": mark, "categories": ["eating-out"], "currency": "EUR", "limit": 100, "start": "2026-01"}
    platform.call(person, "budget", "POST", "/budgets", 201, json=budget)
    eventually("a budget that is spent is told of", lambda: "budget-threshold" in told_of(platform, person))

    receipt = uploaded(platform, person, f"%PDF-1.7\n{IBAN} {mark}".encode())
    payment = {"transaction_id": platform.history(person)[0]["id"]}
    attach = f"/documents/{receipt['id']}/transaction"
    assert platform.call(person, "document", "PUT", attach, json=payment)["transaction_id"] == payment["transaction_id"]
    platform.call(person, "help", "POST", "/tickets", 201, json={"subject": mark, "text": f"{mark}?"})

    with exported(platform, person) as archive:
        parts = json.loads(archive.read("export.json"))
        assert mark.encode() in archive.read(f"documents/{receipt['id']}-{receipt['name']}")
    assert len(parts["transactions"]) == added
    assert {each["name"] for each in parts["budgets"]} == {each["subject"] for each in parts["tickets"]} == {mark}
    assert {each["bank"] for each in parts["consents"]} == set(BANKS)

    secrets = refused_secrets(platform, person, parts["consents"][0]["id"])
    something_is_there(stores, user)
    no_iban_is_in_clear(stores, parts["transactions"])
    done = erased(platform, person)
    assert {each["service"] for each in done["replies"]} == HOLDERS
    elsewhere = {each["service"]: each["elsewhere"] for each in done["replies"] if each["round"] == 1}
    assert (elsewhere["consent"], elsewhere["document"]) == (len(BANKS), 1)
    assert not any(given[bank] & known for bank, known in valid_consents(stores).items())
    nothing_is_left(stores, user, {mark, *secrets, f"{person}@tributary.test", platform.issuer.token(person)})


def refused_secrets(platform: Platform, person: str, consent: str) -> set[str]:
    """One-time passwords and a password that a person gives where none is asked for: they are passed on and refused."""
    path = f"/consents/{consent}/authorisation"
    given = {"otp": f"{uuid.uuid4().int % 10**16:016}", "password": f"Wolkenbruch-{uuid.uuid4().hex}"}
    for step, secret in given.items():
        platform.call(person, "consent", "PUT", f"{path}/{step}", 409, json={step: secret})
        platform.call(person, "consent", "PUT", f"{path}/{step}", 422, json={step: [secret]})
    return set(given.values())


def something_is_there(stores: Stores, user: str) -> None:
    """Every store that is looked into shows what it holds: what is not found later is not overlooked."""
    eventually("every service knows the person", lambda: all(stores.rows_with(each, [user]) for each in HOLDERS))
    eventually("the file is there", lambda: files_with(stores.blobs, [f"{user}/"]))
    assert files_with(stores.logs, ["/synchronisations"])
    eventually(
        "a trace is there", lambda: [n for n, _ in files_with(stores.logs, [TRACED]) if n.startswith("insights")]
    )
    assert files_with(stores.bus, ["events"]), "the topic's name"


def no_iban_is_in_clear(stores: Stores, shown: list[dict[str, Any]]) -> None:
    """Whatever the person sees of account numbers, their own and others', is sealed wherever it is kept."""
    assert {each["counterparty_iban"] for each in shown} >= {"DE89370400440532013000", "DE02100100100006820101"}
    assert [each for each in shown if IN_TEXT in (each["remittance"] or "")]
    for service in sorted(HOLDERS | {"privacy", "audit"}):
        assert stores.rows_with(service, ibans()) == {}
    eventually("the bus has delivered everything", lambda: not any(map(stores.messages_with, ibans())))
    assert files_with([*stores.blobs, *stores.bus, *stores.logs], ibans()) == set()


def nothing_is_left(stores: Stores, user: str, own: set[str]) -> None:
    """No store names the user, but receipts and the audit trail by pseudonym; none holds a secret in clear.

    own: what is this person's alone. What the banks tell of everybody is looked for beside it, where it may not be.
    """
    secrets = spelled({*words(), *own})
    for service in sorted(HOLDERS):
        eventually(f"{service} has told what it erased", lambda s=service: not stores.rows_with(s, [user]))
        assert stores.rows_with(service, [*own, *ibans()]) == {}
    for service in ("audit", "privacy"):
        assert stores.rows_with(service, secrets) == {}, "they know a pseudonym alone"
    eventually("the bus has delivered everything", lambda: not stores.messages_with(user))
    eventually("the file is gone", lambda: not files_with(stores.blobs, [f"{user}/"]))
    assert files_with([*stores.blobs, *stores.bus, *stores.logs], secrets) == set()
    assert files_with(stores.logs, [user]) == set()
