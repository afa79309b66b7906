"""What the person said of a pending entry stays when they say that it has become a booked transaction."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import update

from tests.workloads.files import uploaded
from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.chassis import clock
from workloads.services.transaction.models import MatchSuggestion, Transaction


@pytest.mark.full
def test_a_correction_and_a_receipt_are_the_booked_ones_once_both_are_one(platform: Platform, issuer: Issuer) -> None:
    person = f"merged-{uuid.uuid4()}"
    platform.connect(person, "borealis")
    platform.synchronise(person)
    platform.settle()
    pending, booked = [each["id"] for each in platform.history(person) if each["minor"] < 0][:2]
    platform.call(person, "enrichment", "PUT", f"/assignments/{pending}", json={"category": "children"})
    receipt = f"/documents/{uploaded(platform, person)['id']}"
    platform.call(person, "document", "PUT", f"{receipt}/transaction", json={"transaction_id": pending})
    with platform.states["transaction"].database.session(issuer.pseudonym(person)) as session:
        session.execute(update(Transaction).where(Transaction.id == uuid.UUID(pending)).values(status="pending"))
        match = MatchSuggestion(pending_id=uuid.UUID(pending), booked_id=uuid.UUID(booked), created=clock.now())
        session.add(match)
        session.flush()
        decision = f"/match-suggestions/{match.id}/decision"
    platform.call(person, "transaction", "POST", decision, 204, json={"same": True})
    platform.settle()
    now = {each["id"]: each["category"] for each in platform.history(person)}
    assert (pending in now, now[booked]) == (False, "children")
    assert platform.call(person, "enrichment", "GET", f"/assignments/{booked}")["source"] == "person"
    assert platform.call(person, "document", "GET", receipt)["transaction_id"] == booked
