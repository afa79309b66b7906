"""What a person is told reaches their devices once each, whatever becomes of the hub, and nobody else's."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from tests.end_to_end.stores import rows_with
from tests.local.azure.dataplanes.conftest import Embedded, embedded, instance  # noqa: F401  # fixtures
from tests.local.azure.dataplanes.hubs import Hub, make_hub
from tests.workloads.called import Called
from tests.workloads.servers import Issuer, Postgres
from workloads.chassis import clock, erasure
from workloads.chassis.events.consumer import Handling
from workloads.chassis.events.envelope import Event
from workloads.chassis.events.tables import OutboxEvent
from workloads.chassis.settings import SettingsError
from workloads.chassis.tasks import Task, Worker
from workloads.services.notification import api, domain, texts
from workloads.services.notification.handlers import HANDLERS
from workloads.services.notification.models import Device, Notification, Push
from workloads.services.notification.push import Unavailable
from workloads.services.notification.pushing import Patience
from workloads.services.notification.settings import NotificationSettings

AWAKE = {"timezone": "UTC", "quiet_from": "00:00", "quiet_to": "00:00"}
BROWSER = {"endpoint": "https://push.example/sub", "p256dh": "B" * 87, "auth": "A" * 22}


@dataclass
class Weather(httpx.BaseTransport):
    """The way to the hub. lost: how many answers to sends are lost; status: what is answered in the hub's place."""

    to: httpx.BaseTransport
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    down: bool = False
    lost: int = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused")
        if self.status:
            return httpx.Response(self.status, headers=self.headers)
        answer = self.to.handle_request(request)
        if self.lost and request.method == "POST":
            self.lost -= 1
            raise httpx.ReadTimeout("lost")
        return answer


class Service(Called):
    """The notification service without threads of its own: what is due is done when a test says so."""

    def device(self, person: str, channel: Any, platform: str = "fcmv1") -> str:
        return self.call(person, "POST", "/devices", 201, json={"platform": platform, "channel": channel})["id"]

    def devices(self, person: str) -> list[dict[str, Any]]:
        return self.call(person, "GET", "/devices")["devices"]

    def happens(self, person: str, type_: str = "budget.threshold.crossed", **data: Any) -> None:
        told = {"budget_id": str(uuid.uuid4()), "month": "2026-11", "percent": 80, "period": "one", **data}
        event = Event.new("test", type_, self.issuer.pseudonym(person), told)
        HANDLERS[type_](Handling(event, self.app.state.database, self.app.state))

    def work(self) -> None:
        """Do what is due."""
        worker = Worker(api.TASKS, self.app.state.database, self.app.state)
        while worker.do_one():
            pass

    def later(self) -> None:
        """Do what is due after a while."""
        self.app.state.patience.until = None
        with self.app.state.database.session() as session:
            session.execute(update(Task).values(due=clock.now()))
        self.work()

    def published(self, person: str, channel: str = "push") -> list[str]:
        """Types of the events that tell of the person's pushes."""
        with self.app.state.database.session() as session:
            rows = session.scalars(
                select(OutboxEvent.envelope).where(OutboxEvent.key == str(self.issuer.pseudonym(person)))
            )
            events = [Event.decode(each) for each in rows]
        return [each.type for each in events if each.data.get("channel") == channel]


@pytest.fixture(scope="module")
def hub(embedded: Embedded) -> Iterator[Hub]:  # noqa: F811  # the fixture
    made = make_hub(embedded)
    yield made
    embedded.delete(made.namespace)


@pytest.fixture(scope="module")
def keys(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the connection strings are mounted."""
    folder = tmp_path_factory.mktemp("push")
    mount(hub, folder)
    return folder


def mount(hub: Hub, folder: Path) -> None:
    for rule in ("listen", "send"):
        (folder / rule).write_text(hub.keys(rule)["primaryConnectionString"])


@pytest.fixture(scope="module")
def told(server: Postgres, hub: Hub, user_settings: dict[str, str]) -> dict[str, str]:
    url = server.service_url("notification", "push_notification")
    return {**user_settings, "database_url": url, "ssl_cert_file": str(hub.embedded.instance.ca_bundle)}


@pytest.fixture(scope="module")
def running(told: dict[str, str], keys: Path, issuer: Issuer) -> Iterator[Service]:
    push = {"push_hub": "ntf", "push_listen": str(keys / "listen"), "push_send": str(keys / "send")}
    app = api.build(NotificationSettings.model_validate(told | push))
    yield Service(app, TestClient(app), issuer)
    app.state.database.close()


@pytest.fixture
def service(running: Service) -> Service:
    running.later()
    running.app.state.patience = Patience()
    return running


@pytest.fixture
def weather(service: Service) -> Iterator[Weather]:
    state = service.app.state
    before = state.push._http
    made = Weather(httpx.HTTPTransport(verify=state.tls))
    state.push._http = httpx.Client(transport=made)
    yield made
    state.push._http = before


@pytest.fixture
def person(service: Service) -> str:
    name = f"pushed-{uuid.uuid4()}"
    service.call(name, "PUT", "/preferences", json=AWAKE)
    return name


@pytest.fixture
def phone() -> str:
    return f"phone-{uuid.uuid4()}"


def shown(hub: Hub, channel: Any) -> list[dict[str, Any]]:
    """Bodies that a device has got."""
    return [each.body for each in hub.pushed() if each.channel == channel and each.outcome == "Success"]


def test_each_device_is_told_once_and_shows_a_title_alone(service: Service, hub: Hub, person: str, phone: str) -> None:
    apple, browser = "a" * 40 + uuid.uuid4().hex, BROWSER | {"endpoint": f"https://push.example/{phone}"}
    service.call(person, "PUT", "/preferences", json=AWAKE | {"language": "de"})
    for channel, platform in ((phone, "fcmv1"), (apple, "apns"), (browser, "browser")):
        service.device(person, channel, platform)
    service.work()
    assert [each["registered"] for each in service.devices(person)] == [True] * 3
    for _ in range(2):
        service.happens(person)
        service.work()
    [notification] = service.call(person, "GET", "/notifications")["notifications"]
    title, id_ = "Ein Budget wird knapp", notification["id"]
    android = {"collapse_key": id_, "notification": {"tag": id_}}
    message = {"notification": {"title": title}, "data": {"notification_id": id_}, "android": android}
    assert shown(hub, phone) == [{"message": message}]
    assert shown(hub, apple) == [{"aps": {"alert": {"title": title}}, "notification_id": id_}]
    assert shown(hub, browser) == [{"title": title, "notification_id": id_}]
    [sent] = [each for each in hub.pushed() if each.channel == apple]
    assert sent.headers == {"apns-push-type": "alert", "apns-collapse-id": id_}
    assert service.published(person) == ["notification.sent"] * 3
    assert service.published(person, "inbox") == ["notification.sent"]


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_no_title_on_a_locked_screen_is_made_of_anything(language: str) -> None:
    titles = [texts.on_a_locked_screen(kind, language) for kind in domain.KINDS]
    assert not [each for each in titles if "{" in each or any(letter.isdigit() for letter in each)]
    assert texts.on_a_locked_screen("budget-threshold", "it") == texts.on_a_locked_screen("budget-threshold", "en")


def test_a_device_is_known_by_its_address_which_is_kept_sealed(service: Service, person: str, phone: str) -> None:
    first = service.device(person, phone)
    assert service.device(person, phone) == first
    [listed] = service.devices(person)
    assert phone not in str(listed)
    with service.app.state.database.session(service.issuer.pseudonym(person)) as session:
        row = session.scalars(select(Device)).one()
        assert phone.encode() not in row.channel
        assert phone not in row.channel_index
    stranger = f"stranger-{person}"
    assert service.devices(stranger) == []
    service.call(stranger, "DELETE", f"/devices/{first}", 404)


def test_the_hub_knows_a_person_by_pseudonym_alone(service: Service, hub: Hub, person: str, phone: str) -> None:
    device = service.device(person, phone)
    service.work()
    [known] = [each for each in hub.installations() if each["pushChannel"] == phone]
    assert known["tags"] == [f"user:{service.issuer.pseudonym(person)}", f"device:{device}"]
    assert "userId" not in known


def test_a_removed_device_is_told_nothing_more(service: Service, hub: Hub, person: str, phone: str) -> None:
    device = service.device(person, phone)
    service.work()
    service.happens(person)
    service.call(person, "DELETE", f"/devices/{device}", 204)
    service.call(person, "DELETE", f"/devices/{device}", 404)
    service.work()
    service.happens(person, period="two")
    service.work()
    assert shown(hub, phone) == []
    assert phone not in [each["pushChannel"] for each in hub.installations()]
    assert service.devices(person) == []


def test_a_device_is_its_last_users_alone(service: Service, hub: Hub, person: str, phone: str) -> None:
    service.device(person, phone)
    service.work()
    other = f"other-{person}"
    service.call(other, "PUT", "/preferences", json=AWAKE)
    service.device(other, phone)
    service.work()
    service.happens(person)
    service.work()
    assert shown(hub, phone) == [], "it is another's now"
    assert service.devices(person) == []
    assert service.published(person) == ["notification.failed"]
    service.happens(other)
    service.work()
    assert len(shown(hub, phone)) == 1, "the first user's removal has left the second's"


def test_a_device_whose_app_is_gone_is_forgotten(service: Service, hub: Hub, person: str, phone: str) -> None:
    service.device(person, phone)
    service.work()
    [known] = [each for each in hub.installations() if each["pushChannel"] == phone]

    async def expire() -> None:
        hub.store.put(hub.resource.id.lower(), known["installationId"], known | {"expiredPushChannel": True})

    hub.embedded.run(expire())
    service.happens(person)
    service.work()
    assert service.devices(person) == []
    assert phone not in [each["pushChannel"] for each in hub.installations()]
    assert service.published(person) == ["notification.failed"]


def test_a_device_that_the_hub_has_lost_is_told_to_it_again(
    service: Service, hub: Hub, person: str, phone: str
) -> None:
    service.device(person, phone)
    service.work()
    [known] = [each for each in hub.installations() if each["pushChannel"] == phone]
    hub.call("listen", "DELETE", f"installations/{known['installationId']}")
    service.happens(person)
    service.work()
    service.later()
    assert len(shown(hub, phone)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"down": True},
        {"status": 401},
        {"status": 403},
        {"status": 404},
        {"status": 429},
        {"status": 500},
        {"status": 503},
    ],
    ids=lambda fault: str(next(iter(fault.values()))),
)
def test_while_the_hub_can_not_be_asked_nothing_is_lost(
    service: Service, hub: Hub, person: str, phone: str, weather: Weather, fault: dict[str, Any]
) -> None:
    for name, value in fault.items():
        setattr(weather, name, value)
    service.device(person, phone)
    service.happens(person)
    for _ in range(3):
        service.later()
    assert shown(hub, phone) == []
    assert [each["registered"] for each in service.devices(person)] == [False]
    weather.down, weather.status = False, None
    for _ in range(2):
        service.later()
    assert len(shown(hub, phone)) == 1
    assert service.published(person) == ["notification.sent"]


def test_a_hub_that_is_busy_is_left_alone_for_as_long_as_it_says(
    service: Service, person: str, phone: str, weather: Weather
) -> None:
    weather.status, weather.headers = 429, {"Retry-After": "90"}
    service.device(person, phone)
    service.device(person, f"{phone}-2")
    service.work()
    until = service.app.state.patience.until
    assert until > clock.now() + datetime.timedelta(seconds=60)
    with service.app.state.database.session() as session:
        query = select(Task.due).where(Task.subject == service.issuer.pseudonym(person))
        assert list(session.scalars(query)) == [until] * 2, "the second did not ask"


def test_a_hub_that_is_down_is_asked_less_and_less(monkeypatch: pytest.MonkeyPatch) -> None:
    now, patience = clock.now(), Patience()
    monkeypatch.setattr(clock, "now", lambda: now)
    waits = [(patience.failed(None) - now).total_seconds() for _ in range(9)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    assert patience.failed(datetime.timedelta(days=3)) == now + datetime.timedelta(minutes=10)
    patience.answered()
    assert patience.failed(datetime.timedelta(seconds=90)) == now + datetime.timedelta(seconds=90)


def test_when_an_answer_is_lost_a_device_may_get_it_again_under_the_same_id(
    service: Service, hub: Hub, person: str, phone: str, weather: Weather
) -> None:
    service.device(person, phone)
    service.work()
    weather.lost = 1
    service.happens(person)
    service.work()
    service.later()
    first, second = shown(hub, phone)
    assert first == second
    assert service.published(person) == ["notification.sent"]


def test_a_key_that_was_changed_is_read_anew(service: Service, hub: Hub, keys: Path, person: str, phone: str) -> None:
    for rule in ("listen", "send"):
        hub.embedded.act(hub.rules[rule], "regenerateKeys", {"policyKey": "PrimaryKey"})
    service.device(person, phone)
    service.happens(person)
    service.work()
    assert shown(hub, phone) == []
    mount(hub, keys)
    for _ in range(2):
        service.later()
    assert len(shown(hub, phone)) == 1


def test_a_key_that_is_not_there_is_waited_for_and_told_to_nobody(
    service: Service, keys: Path, person: str, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (keys / "listen").read_text()
    (keys / "listen").write_text("SharedAccessKey=very-secret")
    service.device(person, phone)
    with pytest.raises(Unavailable, match="listen is no connection string: KeyError") as error:
        service.app.state.push._installation(api.devices.address(_device(service, person)))
    assert "very-secret" not in str(error.value)
    (keys / "listen").write_text(content)
    service.later()
    assert service.devices(person)[0]["registered"]


def _device(service: Service, person: str) -> Device:
    with service.app.state.database.session(service.issuer.pseudonym(person)) as session:
        return session.scalars(select(Device)).one()


def test_what_is_tried_again_in_quiet_hours_waits_for_their_end(
    service: Service, hub: Hub, person: str, phone: str, weather: Weather
) -> None:
    service.device(person, phone)
    service.work()
    weather.down = True
    service.happens(person)
    service.work()
    weather.down, now = False, clock.now()
    quiet = {
        "timezone": "UTC", "quiet_from": f"{now - datetime.timedelta(hours=1):%H:%M}",
        "quiet_to": f"{now + datetime.timedelta(hours=2):%H:%M}",
    }  # fmt: skip
    service.call(person, "PUT", "/preferences", json=quiet)
    service.later()
    assert shown(hub, phone) == []
    service.call(person, "PUT", "/preferences", json=AWAKE)
    service.later()
    assert len(shown(hub, phone)) == 1


@pytest.mark.parametrize("why", ["read", "muted", "old"])
def test_what_is_of_no_use_any_more_is_not_pushed(
    service: Service, hub: Hub, person: str, phone: str, weather: Weather, why: str
) -> None:
    service.device(person, phone)
    service.work()
    weather.down = True
    service.happens(person)
    service.work()
    weather.down = False
    [told] = service.call(person, "GET", "/notifications")["notifications"]
    if why == "read":
        service.call(person, "POST", f"/notifications/{told['id']}/read")
    elif why == "muted":
        service.call(person, "PUT", "/preferences", json=AWAKE | {"muted": ["budget-threshold"]})
    else:
        with service.app.state.database.session(service.issuer.pseudonym(person)) as session:
            session.execute(update(Notification).values(delivered=clock.now() - datetime.timedelta(days=2)))
    service.later()
    assert shown(hub, phone) == []
    with service.app.state.database.session(service.issuer.pseudonym(person)) as session:
        assert session.scalars(select(Push)).one().dropped


def test_a_device_that_the_hub_refuses_is_forgotten(
    service: Service, person: str, phone: str, weather: Weather
) -> None:
    weather.status = 400
    service.device(person, phone)
    service.work()
    assert service.devices(person) == []


def erase(service: Service, person: str, round_: int) -> None:
    data = {"erasure_id": str(uuid.uuid4()), "round": round_}
    event = Event.new("privacy", erasure.REQUESTED, service.issuer.pseudonym(person), data)
    HANDLERS[erasure.REQUESTED](Handling(event, service.app.state.database, service.app.state))


def test_after_an_erasure_neither_hub_nor_database_holds_the_person(
    service: Service, hub: Hub, server: Postgres, person: str, phone: str, weather: Weather
) -> None:
    service.device(person, phone)
    service.device(person, f"{phone}-not-yet-told")
    service.work()
    service.happens(person)
    service.work()
    user = str(service.issuer.pseudonym(person))
    assert held(hub, user, phone) == {user, phone}
    weather.down = True
    with pytest.raises(Unavailable):
        erase(service, person, 1)
    weather.down = False
    service.later()
    assert held(hub, user, phone), "nothing is lost, and nothing is told to the hub again"
    for round_ in (1, 2):
        erase(service, person, round_)
    service.later()
    assert held(hub, user, phone) == set()
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="push_notification") as connection:
        left = rows_with(connection, [user, phone])
    assert set(left) == {"outbox_event"}, "what tells privacy that it is done"


def held(hub: Hub, *needles: str) -> set[str]:
    """Which of these texts the hub's files hold, what was deleted among them."""

    async def fold() -> None:
        hub.store._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    hub.embedded.run(fold())
    content = b"".join(each.read_bytes() for each in hub.embedded.instance.azure.glob("notification-hubs.db*"))
    return {each for each in needles if each.encode() in content}


def test_without_a_hub_people_are_told_in_the_app_alone(told: dict[str, str], issuer: Issuer, phone: str) -> None:
    app = api.build(NotificationSettings.model_validate(told))
    service, person = Service(app, TestClient(app), issuer), f"alone-{phone}"
    service.call(person, "PUT", "/preferences", json=AWAKE)
    device = service.device(person, phone)
    service.work()
    service.happens(person)
    service.work()
    assert len(service.call(person, "GET", "/notifications")["notifications"]) == 1
    assert [each["registered"] for each in service.devices(person)] == [False]
    service.call(person, "DELETE", f"/devices/{device}", 204)
    service.work()
    assert service.published(person) == []
    erase(service, person, 1)
    app.state.database.close()


def test_a_hub_is_named_whole_or_not_at_all() -> None:
    given = {"PUSH_HUB": "ntf", "PUSH_SEND": "/push/send", "DATABASE_URL": "postgresql+psycopg://h/d"}
    with pytest.raises(SettingsError, match="PUSH_HUB, PUSH_LISTEN and PUSH_SEND come together"):
        NotificationSettings.load(given | {"TOKEN_ISSUER": "https://i", "TOKEN_AUDIENCE": "a"})
