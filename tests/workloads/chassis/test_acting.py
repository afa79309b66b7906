"""A service acts for a user with its own token; nobody else may."""

from __future__ import annotations

import uuid

import httpx

from tests.workloads.platform import Platform, identity
from tests.workloads.servers import Issuer


def ask(platform: Platform, token: str, acting_for: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} | ({"Acting-For": acting_for} if acting_for else {})
    return httpx.get(f"{platform.urls['transaction']}/transactions", headers=headers)


def test_a_service_sees_the_users_rows_and_a_person_can_not_pretend(platform: Platform, issuer: Issuer) -> None:
    person = f"acted-{uuid.uuid4()}"
    platform.connect(person, "aurora")
    platform.synchronise(person)
    user = str(issuer.pseudonym(person))
    seen = ask(platform, issuer.token(identity("sync")), user)
    assert len(seen.json()["transactions"]) == 50

    for token, acting_for in (
        (issuer.token("someone else"), user),
        (issuer.token(identity("budget")), user),  # a service that never acts
        (issuer.token(person), user),
        (issuer.token(identity("sync")), None),
        (issuer.token(identity("sync")), "anna"),
    ):
        refused = ask(platform, token, acting_for)
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/forbidden"
