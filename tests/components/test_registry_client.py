"""Pushing waits for rights that are on their way, and says what is missing when they don't come."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from components import registry_client
from components.registry_client import RegistryError, patiently


class Answers:
    """A registry that answers what it is told to, one request after the other."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.asked = list(statuses), 0
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0], text="secret-token")

    def attempt(self) -> int:
        answer = self.client.put("https://cr.example/v2/consent/manifests/1?sig=secret-token")
        answer.raise_for_status()
        return answer.status_code


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without making them."""
    made: list[float] = []
    # The module's clock alone: what other threads of this process sleep is theirs.
    monkeypatch.setattr(registry_client, "time", SimpleNamespace(sleep=made.append, monotonic=lambda: sum(made)))
    return made


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_rights_on_their_way_and_a_busy_registry_are_waited_for(status: int, waits: list[float]) -> None:
    registry = Answers(status, status, 201)
    assert patiently(registry.attempt, "cr.example/consent") == 201
    assert waits == [1, 2]


def test_it_gives_up_after_two_minutes_and_names_the_missing_role(waits: list[float]) -> None:
    with pytest.raises(RegistryError) as refused:
        patiently(Answers(403).attempt, "cr.example/consent")
    assert str(refused.value) == (
        "cr.example/consent: PUT /v2/consent/manifests/1 was answered 403. "
        "Pushing needs the role AcrPush at the registry, or Owner or Contributor above it."
    )
    assert 100 < sum(waits) <= 120


def test_a_refusal_that_will_not_change_is_final(waits: list[float]) -> None:
    registry = Answers(400)
    with pytest.raises(RegistryError, match="was answered 400"):
        patiently(registry.attempt, "cr.example/consent")
    assert (registry.asked, waits) == (1, [])


def test_no_token_is_in_an_error(waits: list[float]) -> None:
    for status in (400, 403):
        with pytest.raises(RegistryError) as refused:
            patiently(Answers(status).attempt, "cr.example/consent")
        assert "secret-token" not in str(refused.value)
        assert refused.value.__cause__ is None
