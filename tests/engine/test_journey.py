"""A person's way through the platform as it was brought up, from signing up until no store knows of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end import journey
from tests.end_to_end.journey import BANKS, eventually
from tests.end_to_end.platform import person_at
from tests.end_to_end.stores import Stores, files_with
from tests.engine.deployment import Deployment
from tests.workloads.platform import Platform
from tests.workloads.seeded import ibans, spelled, words
from workloads.services.privacy.domain import HOLDERS

TRACED = "/authorisation/otp"
"""In the address of a call that telemetry tells of."""
IN_TEXT = "DE48 5001 0517 0532 0130 00"
"""An IBAN that the banks tell, as it stands in the text of a transaction."""


@pytest.fixture(scope="module")
def platform(deployed: Deployment) -> Iterator[Platform]:
    """The running platform from a person's side."""
    with person_at(deployed.instance, deployed.outputs("local")) as seen:
        yield seen


@pytest.fixture(scope="module")
def stores(deployed: Deployment) -> Stores:
    """The same platform from below."""
    return Stores(deployed.instance)


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


def test_from_signing_up_until_no_store_knows_the_person(platform: Platform, stores: Stores) -> None:
    person, mark = f"maria-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    before = valid_consents(stores)
    user = journey.signed_up(platform, person)
    journey.connected(platform, person)
    # Of other tests' people, too: who signs in at a bank as anna ends what anna had granted before.
    given = {bank: known - before[bank] for bank, known in valid_consents(stores).items()}
    assert {bank: len(new) for bank, new in given.items()} == dict.fromkeys(BANKS, 1)

    added = journey.read(platform, person)
    six_hours_later(stores, user)
    [run] = platform.until_read(person, 1, attended=False)
    assert (run["failures"], run["added"]) == ([], 0)
    receipt = journey.used(platform, person, mark)
    exported = journey.taken_along(platform, person, receipt, mark, added)

    secrets = refused_secrets(platform, person, exported["consents"][0]["id"])
    something_is_there(stores, user)
    eventually("the browser is told of the budget", lambda: stores.devices_with([mark]) > 1)
    assert stores.devices_with([user]) == 1, "the device, and nothing that was pushed to it"
    no_iban_is_in_clear(stores, exported["transactions"])
    journey.erased(platform, person)
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
    assert stores.devices_with([user, *secrets]) == 0
