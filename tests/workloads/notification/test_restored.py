"""The drill: a backup of the notification service is restored after a person was erased, with the hub as it is now."""

from __future__ import annotations

import uuid
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import func, select

from tests.end_to_end.stores import rows_with
from tests.local.azure.dataplanes.conftest import embedded, instance  # noqa: F401  # fixtures
from tests.local.azure.dataplanes.hubs import Hub
from tests.workloads.chassis.test_restoration import Listing
from tests.workloads.memory_bus import MemoryBus
from tests.workloads.notification.test_push import (
    AWAKE,
    Service,
    Weather,
    erase,
    held,
    hub,  # noqa: F401  # a fixture
    keys,  # noqa: F401  # a fixture
    running,  # noqa: F401  # a fixture
    shown,
)
from tests.workloads.platform import wait_until_ready
from tests.workloads.servers import ADMINISTRATOR, AUDIENCE, Issuer, Postgres, Servers
from workloads.chassis.acting import ActingIdentity
from workloads.services.notification import api
from workloads.services.notification.models import Device
from workloads.services.notification.pushing import Patience
from workloads.services.notification.settings import NotificationSettings

NAME, BACKUP = "restored_notification", "restored_notification_backup"


@pytest.fixture(scope="module")
def told(server: Postgres, hub: Hub, user_settings: dict[str, str]) -> dict[str, str]:  # noqa: F811  # a fixture
    """What the service is told, with a database of this file's own."""
    url = server.service_url("notification", NAME)
    return {**user_settings, "database_url": url, "ssl_cert_file": str(hub.embedded.instance.ca_bundle)}


def back_up(server: Postgres, service: Service) -> None:
    service.app.state.database.engine.dispose()
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="postgres", autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [NAME])
        owner.execute(f'CREATE DATABASE "{BACKUP}" TEMPLATE "{NAME}" OWNER {ADMINISTRATOR}')  # type: ignore[arg-type]  # psycopg wants literals; the name is ours


def restored(told: dict[str, str], keys: Path, privacy: str, issuer: Issuer) -> Service:  # noqa: F811  # a fixture
    """The service on the backup, with all that it does by itself."""
    push = {"push_hub": "ntf", "push_listen": str(keys / "listen"), "push_send": str(keys / "send")}
    url = told["database_url"].replace(NAME, BACKUP)
    app = api.build(NotificationSettings.model_validate(told | push | {"database_url": url, "privacy_url": privacy}))
    app.state.bus = MemoryBus({"notification": api.HANDLERS})
    app.state.acting = ActingIdentity(AUDIENCE, lambda: issuer.token("service notification"))
    return Service(app, None, issuer)  # type: ignore[arg-type]  # asked over HTTP


def test_a_restored_backup_brings_back_no_device_of_who_was_erased_neither_here_nor_at_the_hub(
    running: Service,  # noqa: F811  # a fixture
    hub: Hub,  # noqa: F811  # a fixture
    keys: Path,  # noqa: F811  # a fixture
    told: dict[str, str],
    server: Postgres,
    servers: Servers,
    issuer: Issuer,
) -> None:
    person, other, phone = f"erased-{uuid.uuid4()}", f"other-{uuid.uuid4()}", f"phone-{uuid.uuid4()}"
    for each in (person, other):
        running.call(each, "PUT", "/preferences", json=AWAKE)
    running.device(person, phone)
    running.device(person, shared := f"{phone}-shared")
    running.work()
    running.device(person, f"{phone}-not-yet-told")
    running.happens(person)
    back_up(server, running)

    running.work()
    assert len(shown(hub, phone)) == 1
    for round_ in (1, 2):
        erase(running, person, round_)
    running.device(other, shared)
    running.work()
    user = issuer.pseudonym(person)
    assert held(hub, str(user), f'"{phone}"') == set()

    due = {"id": str(uuid.uuid4()), "subject": str(user), "round": 2, "answered": True}
    service = restored(told, keys, Listing([[due]]).serve(servers), issuer)
    weather = Weather(httpx.HTTPTransport(verify=service.app.state.tls), down=True)
    service.app.state.push._http = httpx.Client(transport=weather)
    url = servers.serve(service.app)
    with service.app.state.database.session(user) as session:
        assert session.scalar(select(func.count(Device.platform))) == 3, "the backup holds them"
    asks = {"Authorization": f"Bearer {issuer.token(person)}"}
    assert httpx.get(f"{url}/devices", headers=asks).status_code == 503
    assert httpx.get(f"{url}/healthz/ready").status_code == 503, "while the hub does not answer nobody is let in"

    weather.down = False
    wait_until_ready([url])
    service.app.state.patience = Patience()
    service.later()
    assert held(hub, str(user), f'"{phone}"') == set()
    [installation] = [each for each in hub.installations() if each["pushChannel"] == shared]
    assert f"user:{issuer.pseudonym(other)}" in installation["tags"], "it is another's now, and stays so"
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname=BACKUP) as connection:
        assert set(rows_with(connection, [str(user), phone])) <= {"outbox_event"}, "what tells privacy that it is done"
    assert httpx.get(f"{url}/devices", headers=asks).json() == {"devices": []}
