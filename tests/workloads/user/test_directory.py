"""A person's name and account change and end at the identity provider, whatever becomes of the way to it."""

from __future__ import annotations

import datetime
import io
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.end_to_end.stores import rows_with
from tests.local.azure.dataplanes.conftest import Embedded, embedded, instance  # noqa: F401  # fixtures
from tests.workloads.servers import Issuer, Postgres
from tests.workloads.user.directory import Service, Tenant, Weather
from workloads.chassis.events.consumer import Handling
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.inbox import AlreadyHandled
from workloads.chassis.events.tables import OutboxEvent
from workloads.services.user import accounts, api
from workloads.services.user.directory import Directory, Unavailable
from workloads.services.user.models import Profile
from workloads.services.user.settings import UserServiceSettings

DATABASE = "directory_user"


@pytest.fixture(scope="module")
def tenant(embedded: Embedded) -> Tenant:  # noqa: F811  # the fixture
    return Tenant(embedded)


@pytest.fixture(scope="module")
def service(server: Postgres, issuer: Issuer, user_settings: dict[str, str], tenant: Tenant) -> Iterator[Service]:
    told = {**user_settings, "database_url": server.service_url("user", DATABASE)}
    told |= {"directory_url": tenant.url, "directory_tenant": str(uuid.uuid4()), "directory_client": str(uuid.uuid4())}
    app = api.build(UserServiceSettings.model_validate(told))
    assert isinstance(app.state.directory, Directory)
    yield Service(app, TestClient(app), issuer)
    app.state.database.close()


@pytest.fixture(autouse=True)
def weather(service: Service, tenant: Tenant) -> Weather:
    """Fair, anew for each test."""
    made = Weather(httpx.HTTPTransport(verify=tenant.tls))
    service.app.state.directory = Directory(tenant.url, tenant.tls, tenant.token)
    service.app.state.directory._http = httpx.Client(base_url=f"{tenant.url}/v1.0", transport=made)
    return made


@pytest.fixture
def person(tenant: Tenant, issuer: Issuer) -> str:
    name = f"someone-{uuid.uuid4()}"
    tenant.join(issuer.object_id(name), "Ada Byron")
    return name


def test_a_name_is_changed_at_the_identity_provider_and_kept_and_logged_nowhere_here(
    service: Service, tenant: Tenant, server: Postgres, person: str, log: io.StringIO
) -> None:
    new = f"Ada Lovelace {uuid.uuid4().hex}"
    service.call(person, "GET", "/profile")
    assert service.call(person, "GET", "/profile/name") == {"name": "Ada Byron"}
    assert service.call(person, "PUT", "/profile/name", json={"name": new}) == {"name": new}
    assert service.call(person, "GET", "/profile/name") == {"name": new}
    account = service.issuer.object_id(person)
    assert tenant.name(account) == new
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname=DATABASE) as connection:
        assert rows_with(connection, [new, str(account)]) == {}
    assert new not in log.getvalue()
    assert str(account) not in log.getvalue()


def test_what_is_no_name_never_reaches_the_identity_provider(service: Service, weather: Weather, person: str) -> None:
    for wrong in ({"name": "Ada\u202e"}, {"name": ""}, {"name": " "}, {"name": "x" * 257}, {}, {"name": 1}):
        refused = service.call(person, "PUT", "/profile/name", 422, json=wrong)
        assert "Ada" not in str(refused)
    assert weather.asked == []


def test_nobody_reads_or_changes_anothers_name(service: Service, tenant: Tenant, person: str) -> None:
    other = f"other-{uuid.uuid4()}"
    account = service.issuer.object_id(other)
    tenant.join(account, "Somebody Else")
    service.call(person, "PUT", "/profile/name", json={"name": "Ada Lovelace"})
    assert service.call(other, "GET", "/profile/name") == {"name": "Somebody Else"}
    assert tenant.name(account) == "Somebody Else"


def test_an_account_that_is_gone_has_no_name_and_gets_none(service: Service) -> None:
    nobody = f"nobody-{uuid.uuid4()}"
    assert service.call(nobody, "GET", "/profile/name") == {"name": None}
    assert service.call(nobody, "PUT", "/profile/name", 404, json={"name": "Ada"})["type"] == "/problems/not-found"


def test_a_service_that_acts_for_a_person_names_no_account() -> None:
    from workloads.chassis.identity import User

    assert accounts.of(User(uuid.uuid4(), "token", acting=True)) is None
    assert accounts.of(User(uuid.uuid4(), "token", subject="a pairwise subject")) is None


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_while_the_identity_provider_can_not_be_asked_that_is_said(
    service: Service, tenant: Tenant, weather: Weather, person: str, method: str
) -> None:
    options: dict[str, Any] = {"json": {"name": "Ada Lovelace"}} if method == "PUT" else {}
    weather.answers = [httpx.Response(429, headers={"Retry-After": "7"})]
    answer = service.client.request(
        method,
        "/profile/name",
        headers={"Authorization": f"Bearer {service.issuer.token(person)}"},
        **options,
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert len(weather.asked) == 1, "who is told to wait waits"
    weather.answers = [httpx.Response(500)] * 3
    assert service.call(person, method, "/profile/name", 503, **options)["type"] == "/problems/directory-unreachable"
    weather.answers = [httpx.Response(502)]
    service.call(person, method, "/profile/name", **options)
    weather.down = True
    service.call(person, method, "/profile/name", 503, **options)
    weather.down = False
    weather.lost = 1
    service.call(person, method, "/profile/name", **options)
    service.app.state.directory._token = no_token
    service.call(person, method, "/profile/name", 503, **options)


def no_token() -> str:
    raise FileNotFoundError("/var/run/secrets/azure/tokens/azure-identity-token")


def test_without_the_permission_a_name_stays(service: Service, tenant: Tenant, person: str) -> None:
    tenant.permit("User.ReadWrite.All", allowed=False)
    try:
        service.call(person, "PUT", "/profile/name", 503, json={"name": "Ada Lovelace"})
    finally:
        tenant.permit("User.ReadWrite.All")
    assert tenant.name(service.issuer.object_id(person)) == "Ada Byron"


def answered(service: Service, event: Event) -> list[int]:
    """What privacy was told of an erasure: things outside the database, by round."""
    with service.app.state.database.session() as session:
        rows = list(session.scalars(select(OutboxEvent.envelope)))
    told = [each.data for each in map(Event.decode, rows) if each.type == "erasure.done"]
    return [each["elsewhere"] for each in told if each["erasure_id"] == event.data["erasure_id"]]


def test_an_erasure_deletes_the_account_for_good_in_the_last_round(
    service: Service, tenant: Tenant, server: Postgres, person: str
) -> None:
    account, user = service.issuer.object_id(person), service.issuer.pseudonym(person)
    service.call(person, "GET", "/profile")
    first = service.requested(person, 1)
    service.erase(first)
    assert tenant.name(account) == "Ada Byron", "the person can still sign in, and see what is waited for"
    last = service.requested(person, 2, uuid.UUID(first.data["erasure_id"]))
    service.erase(last)
    assert not tenant.knows(account)
    assert answered(service, last)[-1] == 1
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname=DATABASE) as connection:
        left = rows_with(connection, [str(user), str(account)])
    assert set(left) == {"outbox_event"}, "what tells privacy that it is done"


def test_an_event_that_comes_twice_or_after_the_account_went_otherwise_is_done(
    service: Service, tenant: Tenant, weather: Weather, person: str
) -> None:
    account = service.issuer.object_id(person)
    service.call(person, "GET", "/profile")
    assert tenant.graph.delete(f"/users/{account}").status_code == 204
    event = service.requested(person)
    service.erase(event)
    assert not tenant.knows(account)
    asked = len(weather.asked)
    with pytest.raises(AlreadyHandled):
        service.erase(event)
    service.erase(service.requested(person))
    assert len(weather.asked) == asked, "nothing is known any more that could be deleted"


@pytest.mark.parametrize(
    "fault",
    [
        [httpx.Response(429, headers={"Retry-After": "7"})],
        [httpx.Response(503)] * 3,
        [httpx.Response(403)],
        [httpx.Response(401)],
        [httpx.Response(204), httpx.Response(404)],
        [httpx.Response(204), httpx.Response(429)],
    ],
    ids=["throttled", "down", "not permitted", "token refused", "not yet among the deleted", "throttled half way"],
)
def test_while_the_account_can_not_be_deleted_the_erasure_waits_and_nothing_is_lost(
    service: Service, tenant: Tenant, weather: Weather, person: str, fault: list[httpx.Response]
) -> None:
    account = service.issuer.object_id(person)
    service.call(person, "GET", "/profile")
    event = service.requested(person)
    weather.answers = list(fault)
    with pytest.raises(Unavailable) as waits:
        service.erase(event)
    if fault[0].headers.get("Retry-After"):
        assert waits.value.after == datetime.timedelta(seconds=7)
    assert str(account) not in str(waits.value)
    assert answered(service, event) == []
    with service.app.state.database.session(service.issuer.pseudonym(person)) as session:
        assert session.scalar(select(Profile.account)), "it is known when it is tried again"
    weather.down = True
    with pytest.raises(Unavailable):
        service.erase(event)
    weather.down = False
    weather.lost = 1
    service.erase(event)
    assert not tenant.knows(account)
    assert answered(service, event) == [1]


def test_a_restored_backup_deletes_no_account_that_was_made_anew(service: Service, tenant: Tenant, person: str) -> None:
    service.call(person, "GET", "/profile")
    with service.app.state.database.session(service.issuer.pseudonym(person)) as session:
        cipher = service.app.state.keys.cipher(session, service.issuer.pseudonym(person))
        before = session.scalars(select(Profile)).one()
        kept = {each: getattr(before, each) for each in ("registered", "language", "timezone", "currency")}
    service.erase(service.requested(person))
    again = uuid.uuid4()
    tenant.join(again, "Ada Byron")
    with service.app.state.database.session(service.issuer.pseudonym(person)) as session:
        cipher = service.app.state.keys.cipher(session, service.issuer.pseudonym(person))
        sealed = cipher.seal(str(service.issuer.object_id(person)), "account")
        session.add(Profile(account=sealed, **kept))
    event = service.requested(person)
    service.erase(event)
    assert answered(service, event) == [1]
    assert tenant.name(again) == "Ada Byron"


def test_where_accounts_are_not_ours_an_erasure_leaves_them(service: Service, tenant: Tenant, person: str) -> None:
    service.call(person, "GET", "/profile")
    service.app.state.directory = None
    event = service.requested(person)
    service.erase(event)
    assert answered(service, event) == [0]
    assert tenant.name(service.issuer.object_id(person)) == "Ada Byron"
    stranger = f"unasked-{uuid.uuid4()}"
    service.call(stranger, "GET", "/profile")
    with service.app.state.database.session(service.issuer.pseudonym(stranger)) as session:
        assert session.scalar(select(Profile.account)) is None, "nothing is kept that is of no use"


def test_what_is_known_by_hand_is_deleted_alone(service: Service, tenant: Tenant, person: str) -> None:
    bystander = uuid.uuid4()
    tenant.join(bystander, "By Stander")
    service.call(person, "GET", "/profile")
    assert accounts.delete(Handling(service.requested(person), service.app.state.database, service.app.state)) == 1
    assert tenant.name(bystander) == "By Stander"
