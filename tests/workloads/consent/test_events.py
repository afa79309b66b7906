"""What others hear of a consent: its beginning, a warning a week ahead, its end."""

from __future__ import annotations

import datetime
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.chassis import clock
from workloads.chassis.events.consumer import Handling
from workloads.chassis.events.envelope import Event
from workloads.chassis.identity import User
from workloads.chassis.problems import Problem
from workloads.chassis.tasks import Due, Task
from workloads.services.bank_sandbox import domain as bank_domain
from workloads.services.consent import events, handlers, store
from workloads.services.consent.handlers import TASKS
from workloads.services.consent.models import Consent


def told(platform: Platform, user: uuid.UUID) -> list[str]:
    assert platform.bus
    platform.settle()
    return [each.type for each in platform.bus.published if each.user == user and each.type.startswith("consent.")]


def test_a_consent_is_warned_of_a_week_before_and_ends_on_time(platform: Platform, issuer: Issuer) -> None:
    person = f"warned-{uuid.uuid4()}"
    user, app = issuer.pseudonym(person), platform.states["consent"]
    consent = uuid.UUID(platform.connect(person, "aurora")["id"])
    with app.database.session() as session:
        due = {each.kind: each.due for each in session.scalars(select(Task).where(Task.item == consent))}
    assert due[events.END] - due[events.WARN] == datetime.timedelta(days=7)
    assert due[events.END] - clock.now() > datetime.timedelta(days=179, hours=23)

    with app.database.session(user) as session:
        session.execute(update(Consent).values(authorised=clock.now() - datetime.timedelta(days=180)))
    for kind in (events.WARN, events.END, events.END):
        assert TASKS[kind](Due(user, consent, app.database, app)) is None
    # The relay was not woken: this test wrote past the service. The next request wakes it.
    platform.start(person, "aurora")
    platform.connect(person, "borealis")
    assert told(platform, user)[:3] == ["consent.authorised", "consent.expiring", "consent.expired"]
    assert platform.call(person, "consent", "GET", f"/consents/{consent}")["status"] == "expired"


def test_a_second_consent_at_a_bank_is_a_renewal_without_a_gap(platform: Platform, issuer: Issuer) -> None:
    person = f"renews-{uuid.uuid4()}"
    user, app = issuer.pseudonym(person), platform.states["consent"]
    first = uuid.UUID(platform.connect(person, "borealis")["id"])
    platform.connect(person, "borealis")
    assert told(platform, user) == ["consent.authorised", "consent.renewed", "consent.expired"], "the first is over"
    assert TASKS[events.WARN](Due(user, first, app.database, app)) is None
    assert "consent.expiring" not in told(platform, user)
    with app.database.session() as session:
        assert list(session.scalars(select(Task).where(Task.item == first))) == []


@pytest.mark.parametrize("days", [200, -3])
def test_a_clock_of_ours_that_is_wrong_ends_no_consent(
    platform: Platform, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    person = f"wrong-{uuid.uuid4()}"
    consent = platform.connect(person, "aurora")["id"]
    right = clock.now
    wrong = SimpleNamespace(now=lambda: right() + datetime.timedelta(days=days))
    monkeypatch.setattr(store, "clock", wrong)  # the bank's is right
    listed = platform.call(person, "consent", "GET", "/consents", params={"status": "valid"})["consents"]
    assert [each["id"] for each in listed] == [consent]
    assert platform.call(person, "consent", "POST", f"/consents/{consent}/refresh")["status"] == "valid"
    later = platform.connect(person, "borealis")
    monkeypatch.undo()
    given = datetime.datetime.fromisoformat(later["authorised"])
    assert given <= right(), "it was not given later than it was"
    assert "consent.expired" not in told(platform, issuer.pseudonym(person))


class Refusing:
    """A connector whose bank lets no consent be ended, and tells where each stands."""

    def __init__(self, status: str) -> None:
        self.status = status

    def call(self, method: str, path: str, user: User) -> dict[str, str]:
        if method == "DELETE":
            raise Problem(502, "bank-refused", "The bank refused the request with status 400.")
        return {"status": self.status}


@pytest.mark.parametrize(("status", "ends"), [("received", True), ("rejected", True), ("valid", False)])
def test_an_erasure_does_not_wait_for_a_bank_to_end_what_grants_nothing(
    platform: Platform, issuer: Issuer, status: str, ends: bool
) -> None:
    person = f"begun-{uuid.uuid4()}"
    user, app = issuer.pseudonym(person), platform.states["consent"]
    platform.start(person, "aurora")
    state = SimpleNamespace(acting=app.acting, connector=Refusing(status))
    handling = Handling(Event.new("privacy", "erasure.requested", user, {}), app.database, state)
    if ends:
        assert handlers.revoke_at_banks(handling) == 1
    else:
        with pytest.raises(Problem):
            handlers.revoke_at_banks(handling)


def test_the_bank_says_until_when_and_the_person_is_warned_a_week_before_that(
    platform: Platform, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, app = f"short-{uuid.uuid4()}", platform.states["consent"]
    monkeypatch.setattr(bank_domain, "LONGEST", datetime.timedelta(days=30))
    consent = platform.connect(person, "aurora")
    after = datetime.datetime.combine(
        clock.today() + datetime.timedelta(days=31), datetime.time(), datetime.UTC
    )  # the bank's last day is included
    assert datetime.datetime.fromisoformat(consent["act_by"]) == after
    with app.database.session() as session:
        due = {each.kind: each.due for each in session.scalars(select(Task).where(Task.item == consent["id"]))}
    assert due == {events.WARN: after - datetime.timedelta(days=7), events.END: after}
    assert TASKS[events.END](Due(issuer.pseudonym(person), uuid.UUID(consent["id"]), app.database, app)) is None
    told = platform.call(person, "consent", "GET", f"/consents/{consent['id']}/evidence")["evidence"]
    assert (told[-1]["status"], told[-1]["source"]) == ("expired", "bank")


def test_the_consent_of_another_login_at_the_same_bank_is_warned_of_and_a_renewed_one_is_not(
    platform: Platform, issuer: Issuer
) -> None:
    person = f"two-logins-{uuid.uuid4()}"
    user, app = issuer.pseudonym(person), platform.states["consent"]
    first, second = (uuid.UUID(platform.connect(person, "aurora", login=each)["id"]) for each in ("anna", "anna"))
    reached: list[dict[str, Any]] = []
    account = SimpleNamespace(call=lambda *_: {"accounts": reached})
    state = SimpleNamespace(account=account, acting=app.acting)
    with app.database.session(user) as session:
        session.execute(update(Consent).values(status="valid"))  # as where the bank does not end the first one
    for accounts, warned in (([second], 0), ([first, second], 1)):
        reached[:] = [{"connected": True, "consent_id": str(each)} for each in accounts]
        assert TASKS[events.WARN](Due(user, first, app.database, state)) is None
        platform.start(person, "borealis")  # wakes the relay: this test wrote past it
        assert told(platform, user).count("consent.expiring") == warned
