"""A recording is asked again with this machine's ids, and with those that the other one gives out."""

from __future__ import annotations

import json
from typing import Any

import httpx

from local.instance import SUBSCRIPTION_ID, TENANT_ID
from tests.verification.exchange import Exchange
from tests.verification.replay import known_ids, renamed, replayed

THERE, TENANT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ROBOT_THERE, ROBOT_HERE = "33333333-3333-4333-8333-333333333333", "44444444-4444-4444-8444-444444444444"
GROUP = f"/subscriptions/{THERE}/resourceGroups/g"
VERSION = {"api-version": "2024-11-01"}


def exchange(method: str, path: str, sent: Any, answered: Any, status: int = 200) -> Exchange:
    return Exchange(method, f"{GROUP}/providers/{path}", VERSION, sent, status, answered)


RECORDING = [
    exchange("PUT", "Microsoft.KeyVault/vaults/kv", {"properties": {"tenantId": TENANT}}, {"id": "kv"}),
    exchange("PUT", "Microsoft.ManagedIdentity/identities/i", {}, {"properties": {"principalId": ROBOT_THERE}}),
    exchange("GET", "Microsoft.X/locations/l/operationStatuses/1", None, {"status": "Succeeded"}),
    exchange("PUT", "Microsoft.Authorization/roleAssignments/r", {"principalId": ROBOT_THERE}, {}),
]


def test_ids_are_put_in_place_of_each_other_and_polls_are_left_out() -> None:
    asked: list[tuple[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            asked.append((request.url.path, json.loads(request.content)))
        made = {"properties": {"principalId": ROBOT_HERE}} if "identities" in request.url.path else {}
        return httpx.Response(200, json=made)

    here = [renamed(each, known_ids(RECORDING)) for each in RECORDING]
    with httpx.Client(base_url="https://arm.example", transport=httpx.MockTransport(answer)) as arm:
        pairs = list(replayed(here, arm, {}))
    assert [pair.recorded.path.rsplit("/", 1)[1] for pair in pairs] == ["kv", "i", "r"]
    assert all(path.startswith(f"/subscriptions/{SUBSCRIPTION_ID}/") for path, _ in asked)
    assert asked[0][1] == {"properties": {"tenantId": TENANT_ID}}
    assert asked[2][1] == {"principalId": ROBOT_HERE}
