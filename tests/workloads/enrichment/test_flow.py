"""From a bank's list to categories: through the events, once, and the person's word stays."""

from __future__ import annotations

import uuid
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer
from workloads.chassis.tasks import NO_ITEM, Due
from workloads.services.enrichment import ledger
from workloads.services.enrichment.models import Assignment
from workloads.services.forecast.models import Fact


@pytest.fixture
def person(platform: Platform) -> str:
    """Someone whose history is there and categorised."""
    name = f"enriched-{uuid.uuid4()}"
    platform.connect(name, "aurora")
    platform.synchronise(name)
    platform.settle()
    return name


def look_again(platform: Platform, user: uuid.UUID) -> None:
    """At the person's whole ledger."""
    state = platform.states["enrichment"]
    ledger.look_again(Due(user, NO_ITEM, state.database, state))


def at(platform: Platform, person: str, party: str) -> list[dict[str, Any]]:
    return [each for each in platform.history(person) if each["counterparty"] == party]


def test_what_was_read_is_categorised_soon_and_can_be_filtered(platform: Platform, person: str) -> None:
    found = {each["counterparty"]: each["category"] for each in platform.history(person)}
    assert found["Backhaus Sommer"] == "eating-out"
    assert found["Lindenhof Hausverwaltung"] == "housing"
    assert found["Nordwind Software GmbH"] == "salary"
    assert found["Anna Berg"] == "transfer", "between her own accounts"
    assert None not in found.values()
    eaten = platform.history(person, category="eating-out")
    assert {each["counterparty"] for each in eaten} == {"Backhaus Sommer"}
    assert platform.history(person, text="backhaus SOM") == eaten
    assert platform.history(person, text="50%_") == []


def test_a_correction_stays_and_holds_for_the_same_party_when_said_so(
    platform: Platform, issuer: Issuer, person: str
) -> None:
    first, second, *_ = at(platform, person, "Backhaus Sommer")
    path = f"/assignments/{first['id']}"
    platform.call(person, "enrichment", "PUT", path, json={"category": "children"})
    platform.settle()
    found = Counter(each["category"] for each in at(platform, person, "Backhaus Sommer"))
    assert found["children"] == 1
    platform.synchronise(person)
    platform.call(person, "enrichment", "POST", "/rules", 201, json={"words": ["backhaus"], "category": "charity"})
    platform.settle()

    platform.call(
        person, "enrichment", "PUT", f"/assignments/{second['id']}", json={"category": "sport", "same_party": True}
    )
    look_again(
        platform, issuer.pseudonym(person)
    )  # as the rule asked for, which may be done before or after the correction
    platform.settle()
    found = Counter(each["category"] for each in at(platform, person, "Backhaus Sommer"))
    assert found["children"] == 1, "the person's word on one"
    assert set(found) == {"children", "sport"}
    assert platform.call(person, "enrichment", "GET", path)["source"] == "person"


def test_a_category_that_does_not_exist_and_a_rule_that_means_nothing_are_refused(
    platform: Platform, person: str
) -> None:
    path = f"/assignments/{platform.history(person)[0]['id']}"
    platform.call(person, "enrichment", "PUT", path, 422, json={"category": "nonsense"})
    for words, least in ((["%%"], None), (["ab"], 5)):
        rule = {"words": words, "least": least, "most": 1, "category": "charity"}
        platform.call(person, "enrichment", "POST", "/rules", 422, json=rule)


def test_spending_adds_up_to_the_history_without_transfers(platform: Platform, person: str) -> None:
    lines = platform.call(person, "enrichment", "GET", "/spending")["lines"]
    listed = [each for each in platform.history(person) if each["category"] != "transfer"]
    assert any(each["transfer_id"] for each in platform.history(person))
    assert sum(each["minor"] for each in lines) == sum(each["minor"] for each in listed)
    assert sum(each["transactions"] for each in lines) == len(listed)


def test_a_deleted_transaction_leaves_the_sums_and_stays_deleted(platform: Platform, person: str) -> None:
    gone = at(platform, person, "Streamhaus")[0]
    platform.call(person, "transaction", "DELETE", f"/transactions/{gone['id']}", 204)
    platform.settle()
    assert platform.synchronise(person)["accounts"][0]["added"] == 0
    assert gone["id"] not in {each["id"] for each in platform.history(person)}
    lines = platform.call(person, "enrichment", "GET", "/spending")["lines"]
    listed = [each for each in platform.history(person) if each["transfer_id"] is None]
    assert sum(each["minor"] for each in lines) == sum(each["minor"] for each in listed)
    back = platform.call(person, "transaction", "POST", f"/transactions/{gone['id']}/restore")
    assert back["id"] == gone["id"]
    platform.settle()
    assert gone["id"] in {each["id"] for each in platform.history(person)}


def test_the_person_says_whether_a_transfer_is_spending(platform: Platform, issuer: Issuer, person: str) -> None:
    def sums() -> dict[str, int]:
        lines = platform.call(person, "enrichment", "GET", "/spending")["lines"]
        found: Counter[str] = Counter()
        for each in lines:
            found[each["category"]] += each["minor"]
        return dict(found)

    saved = next(each for each in at(platform, person, "Anna Berg") if each["minor"] < 0)
    assert saved["transfer_id"]
    before, path = sums(), f"/assignments/{saved['id']}"
    assert "transfer" not in before
    platform.call(person, "enrichment", "PUT", path, json={"category": "savings"})
    platform.settle()
    assert sums() == before | {"savings": before.get("savings", 0) + saved["minor"]}
    spent = next(each for each in at(platform, person, "Backhaus Sommer"))
    platform.call(person, "enrichment", "PUT", f"/assignments/{spent['id']}", json={"category": "transfer"})
    platform.call(person, "enrichment", "PUT", path, json={"category": "transfer"})
    look_again(platform, issuer.pseudonym(person))
    platform.settle()
    assert sums() == before | {"eating-out": before["eating-out"] - spent["minor"]}
    with platform.states["forecast"].database.session(issuer.pseudonym(person)) as session:
        facts = {str(each.transaction_id): each.transfer for each in session.scalars(select(Fact))}
    assert (facts[saved["id"]], facts[spent["id"]]) == (True, False), "money that left all accounts is gone from them"


def test_no_event_tells_a_name_or_a_text(platform: Platform, person: str) -> None:
    assert platform.bus
    told = " ".join(each.encode() for each in platform.bus.published if each.user)
    assert '"facts"' in told
    for secret in ("Anna", "Backhaus", "backhaus", "Miete", "DE48500105170532013000", person):
        assert secret not in told


def test_what_is_read_on_while_the_ledger_is_looked_at_again_is_not_undone(
    platform: Platform, person: str, issuer: Issuer
) -> None:
    user, state = issuer.pseudonym(person), platform.states["enrichment"]
    gone = platform.history(person)[0]["id"]

    class Slow:
        """The transaction service, of which a page is on its way while a transaction is deleted and that is read."""

        pages = 0

        def call(self, *asked: Any, **options: Any) -> Any:
            page = state.transaction.call(*asked, **options)
            self.pages += 1
            if self.pages == 1:
                platform.call(person, "transaction", "DELETE", f"/transactions/{gone}", 204)
                ledger.read_on(state, state.database, user)
            return page

    app = SimpleNamespace(transaction=Slow(), acting=state.acting)
    ledger.look_again(Due(user, NO_ITEM, state.database, app))
    with state.database.session(user) as session:
        assert session.scalars(select(Assignment.removed).where(Assignment.transaction_id == uuid.UUID(gone))).one()
