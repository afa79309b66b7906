"""People's tokens are Entra External ID's (or B2C's), services' are Entra ID's: none is good in the other's place.

Claims as in learn.microsoft.com/entra/identity-platform/access-token-claims-reference and
learn.microsoft.com/azure/active-directory-b2c/tokens-overview.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.workloads.servers import Issuer
from workloads.chassis import token_issuer
from workloads.chassis.calls import trust
from workloads.chassis.identity import Authenticator
from workloads.chassis.problems import Problem
from workloads.chassis.token_issuer import TokenIssuer

PEOPLE, SUBSCRIPTION = "22222222-3333-4444-8555-666666666666", "33333333-4444-4555-8666-777777777777"
API, SERVICES = "44444444-5555-4666-8777-888888888888", "55555555-6666-4777-8888-999999999999"
"""Application ids: that people's tokens are for, and services'."""
SERVICE, ANNA, FOR = (uuid.uuid5(uuid.NAMESPACE_DNS, each) for each in ("service", "anna", "somebody"))

EXTERNAL_ID: dict[str, Any] = {
    "aud": API, "tid": PEOPLE, "oid": str(ANNA), "sub": "pairwise-f3Zk", "azp": str(uuid.uuid4()), "azpacr": "0",
    "scp": "accounts.read consents.write", "ver": "2.0", "aio": "x", "rh": "x", "uti": "x", "name": "Anna",
}  # fmt: skip
B2C: dict[str, Any] = {
    "aud": API, "sub": str(ANNA), "oid": None, "tid": None, "azp": str(uuid.uuid4()), "scp": "accounts.read",
    "tfp": "B2C_1_signin", "ver": "1.0",
}  # fmt: skip
WORKLOAD_V2: dict[str, Any] = {
    "aud": SERVICES, "tid": SUBSCRIPTION, "oid": str(SERVICE), "sub": str(SERVICE), "azp": str(uuid.uuid4()),
    "azpacr": "2", "ver": "2.0", "idtyp": "app",
}  # fmt: skip
WORKLOAD_V1: dict[str, Any] = {
    "aud": "api://services", "tid": SUBSCRIPTION, "oid": str(SERVICE), "sub": str(SERVICE),
    "appid": str(uuid.uuid4()), "appidacr": "2", "idp": f"https://sts.windows.net/{SUBSCRIPTION}/", "ver": "1.0",
}  # fmt: skip


@dataclass
class Two:
    """Both issuers, and who asks them."""

    people: Issuer
    services: Issuer
    audience: str = SERVICES

    @property
    def authenticator(self) -> Authenticator:
        tls = trust(None)
        return Authenticator(
            TokenIssuer(self.people.url, API, tls), TokenIssuer(self.services.url, self.audience, tls), [SERVICE]
        )


@pytest.fixture(scope="module")
def issuers() -> Iterator[tuple[Issuer, Issuer]]:
    made = (
        Issuer(f"https://{PEOPLE}.ciamlogin.com/{PEOPLE}/v2.0"),
        Issuer(f"https://login.microsoftonline.com/{SUBSCRIPTION}/v2.0"),
    )
    yield made
    for each in made:
        each.close()


@pytest.fixture
def two(issuers: tuple[Issuer, Issuer]) -> Two:
    return Two(*issuers)


def test_a_person_of_external_id_is_known_by_object_id_in_that_tenant(two: Two) -> None:
    found = two.authenticator.user(two.people.token("anna", **EXTERNAL_ID))
    assert (found.id, found.acting) == (uuid.uuid5(uuid.NAMESPACE_URL, f"{PEOPLE}/{ANNA}"), False)
    again = two.people.token("anna", **EXTERNAL_ID | {"sub": "pairwise-of-another-app", "azp": str(uuid.uuid4())})
    assert two.authenticator.user(again).id == found.id, "whatever app it was that they signed in with"


def test_a_person_of_b2c_is_known_by_subject_and_issuer(two: Two) -> None:
    found = two.authenticator.user(two.people.token("anna", **B2C))
    assert found.id == uuid.uuid5(uuid.NAMESPACE_URL, f"{two.people.name}/{ANNA}")


def test_a_service_acts_with_a_token_of_version_2_for_an_application_id(two: Two) -> None:
    token = two.services.token("service", **WORKLOAD_V2)
    assert two.authenticator.service(token) == SERVICE
    acting = two.authenticator.user(token, str(FOR))
    assert (acting.id, acting.acting) == (FOR, True)


def test_a_service_acts_with_a_token_of_version_1_for_an_application_uri(two: Two) -> None:
    v1 = Issuer(f"https://sts.windows.net/{SUBSCRIPTION}/")
    two.services, two.audience = v1, "api://services"
    try:
        assert two.authenticator.user(v1.token("service", **WORKLOAD_V1), str(FOR)).id == FOR
        with pytest.raises(Problem, match="401"):
            two.authenticator.user(v1.token("service", **WORKLOAD_V2), str(FOR))
    finally:
        v1.close()


@pytest.mark.parametrize("claims", [WORKLOAD_V2, WORKLOAD_V2 | {"aud": API}], ids=["its own audience", "the API's"])
def test_a_services_token_is_no_persons(two: Two, claims: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="401"):
        two.authenticator.user(two.services.token("service", **claims))


@pytest.mark.parametrize(
    "claims",
    [EXTERNAL_ID, EXTERNAL_ID | {"oid": str(SERVICE)}, EXTERNAL_ID | {"oid": str(SERVICE), "aud": SERVICES},
     WORKLOAD_V2],
    ids=["a person's", "with a service's id", "and audience", "all of a service's claims"],
)  # fmt: skip
def test_nobody_of_the_peoples_tenant_acts_for_others(two: Two, claims: dict[str, Any]) -> None:
    token = two.people.token("anna", **claims)
    for asks in (lambda: two.authenticator.user(token, str(FOR)), lambda: two.authenticator.service(token)):
        with pytest.raises(Problem, match="401"):
            asks()


def test_an_employee_or_another_identity_of_the_subscriptions_tenant_acts_for_nobody(two: Two) -> None:
    token = two.services.token("other", **WORKLOAD_V2 | {"oid": str(uuid.uuid4())})
    with pytest.raises(Problem, match="403"):
        two.authenticator.user(token, str(FOR))


def test_another_tenant_of_the_same_authority_is_refused(two: Two) -> None:
    claims = WORKLOAD_V2 | {"iss": f"https://login.microsoftonline.com/{PEOPLE}/v2.0"}
    with pytest.raises(Problem, match="401"):
        two.authenticator.service(two.services.token("service", **claims))


def test_keys_of_each_are_rotated_by_themselves(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_issuer, "_REFRESH_SECONDS", 0.0)
    asked = two.authenticator
    asked.user(two.people.token("anna", **EXTERNAL_ID))
    asked.service(two.services.token("service", **WORKLOAD_V2))
    before = two.people.key_requests
    two.services.rotate()
    assert asked.service(two.services.token("service", **WORKLOAD_V2)) == SERVICE
    two.people.rotate()
    assert asked.user(two.people.token("anna", **EXTERNAL_ID))
    assert two.people.key_requests == before + 1, "the other's rotation is none of its"


def test_services_go_on_while_the_peoples_issuer_is_away(two: Two) -> None:
    away = TokenIssuer("http://127.0.0.1:9", API, trust(None))
    asked = Authenticator(away, TokenIssuer(two.services.url, SERVICES, trust(None)), [SERVICE])
    assert asked.user(two.services.token("service", **WORKLOAD_V2), str(FOR)).id == FOR
