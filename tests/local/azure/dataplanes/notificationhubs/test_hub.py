"""Notification hubs: who may register and send, whom a notification is for, and what is refused."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError, Resource
from local.azure.dataplanes import pushes
from local.azure.dataplanes.notificationhubs.errors import HubError
from local.azure.dataplanes.notificationhubs.store import HubStore
from local.azure.dataplanes.notificationhubs.tags import expression
from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.hubs import CREDENTIALS, NAMESPACE, Hub, make_hub, token

conforms = pytest.mark.conforms
BROWSER = {"endpoint": "https://push.example/x", "p256dh": "p", "auth": "a"}


@pytest.fixture(scope="module")
def hub(embedded: Embedded) -> Iterator[Hub]:
    made = make_hub(embedded)
    yield made
    embedded.delete(made.namespace)


@pytest.fixture
def name() -> str:
    return f"device-{uuid.uuid4()}"


def detail(answer: httpx.Response, status: int) -> str:
    """The detail of a refusal, in Azure's form."""
    assert answer.status_code == status, answer.text
    error = ElementTree.fromstring(answer.text)
    assert error.findtext("Code") == str(status)
    assert ".TrackingId:" in (error.findtext("Detail") or "")
    return error.findtext("Detail") or ""


@conforms("installations", "read-modify-write", "patch")
def test_an_installation_is_kept_read_changed_and_removed(hub: Hub, name: str) -> None:
    made = hub.install(name, "user:1", "user:1", "news")
    assert (made.status_code, made.content) == (200, b"")
    assert made.headers["content-location"].startswith(f"{hub.url}/installations/{name}")
    kept = hub.call("listen", "GET", f"installations/{name}").json()
    assert kept["tags"] == ["user:1", "news"]
    assert (kept["pushChannel"], kept["platform"]) == (f"channel of {name}", "fcmv1")
    assert kept["expiredPushChannel"] is False
    again = hub.call("listen", "PUT", f"installations/{name}", json=kept | {"userID": "u"})
    assert again.status_code == 200, "what was read can be written"
    patch = [
        {"op": "add", "path": "/tags", "value": "sport"}, {"op": "remove", "path": "/tags/news"},
        {"op": "replace", "path": "/pushChannel", "value": "moved"}, {"op": "remove", "path": "/userId"},
    ]  # fmt: skip
    assert hub.call("listen", "PATCH", f"installations/{name}", json=patch).status_code == 200
    kept = hub.call("listen", "GET", f"installations/{name}").json()
    assert (kept["tags"], kept["pushChannel"], "userId" in kept) == (["user:1", "sport"], "moved", False)
    assert [hub.call("listen", "DELETE", f"installations/{name}").status_code for _ in range(2)] == [204, 204]
    for method, body in (("GET", None), ("PATCH", patch)):
        detail(hub.call("listen", method, f"installations/{name}", json=body), 404)


@conforms("send", "headers", "own-tags", "nobody")
def test_a_notification_reaches_the_installations_of_its_tags_and_its_platform_once_each(hub: Hub, name: str) -> None:
    for device, platform, channel in (("a", "fcmv1", None), ("b", "apns", None), ("c", "browser", BROWSER)):
        assert hub.install(f"{name}-{device}", name, platform=platform, channel=channel).status_code == 200
    hub.install(f"{name}-other", "else")
    before = len(hub.pushed())
    bodies = {
        "fcmv1": {"message": {"notification": {"title": "For a"}}}, "apple": {"aps": {"alert": {"title": "For b"}}},
        "browser": {"title": "For c"},
    }  # fmt: skip
    for form, body in bodies.items():
        answer = hub.send(name, body, form, **{"apns-collapse-id": "one", "X-Other": "no"})
        assert answer.status_code == 201
        assert answer.headers["location"].startswith(f"{hub.url}/messages/")
    found = hub.pushed()[before:]
    assert [(each.installation, each.body, each.outcome) for each in found] == [
        (f"{name}-{device}", body, "Success") for device, body in zip("abc", bodies.values(), strict=True)
    ]
    assert found[2].channel == BROWSER
    assert found[1].headers == {"apns-collapse-id": "one"}
    hub.send(f"$InstallationId:{{{name}-a}}")
    hub.send(f"{name} && !else")
    assert [each.installation for each in hub.pushed()[before + 3 :]] == [f"{name}-a"] * 2
    assert hub.send("nobody").status_code == 201, "nobody is no error"
    assert len(hub.pushed()) == before + 5


@conforms("forgotten")
def test_what_was_pushed_to_an_installation_goes_with_it(hub: Hub, name: str) -> None:
    hub.install(name, name)
    hub.send(name)
    assert [each.installation for each in hub.pushed()].count(name) == 1
    hub.call("listen", "DELETE", f"installations/{name}")
    assert name not in [each.installation for each in hub.pushed()]


@conforms("expired-channel", "list")
def test_a_channel_that_is_gone_is_told_and_gets_nothing(
    hub: Hub, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.install(name, name)
    hub.send(name)
    state = ["--state", str(hub.embedded.instance.state)]
    assert pushes.main([*state, "--expire", name]) == 0
    assert pushes.main([*state, "--expire", "nobody"]) == 1
    assert hub.call("listen", "GET", f"installations/{name}").json()["expiredPushChannel"] is True
    hub.send(name)
    capsys.readouterr()
    assert pushes.main([*state, "--last", "2"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (name in first, "Success" in first, "ExpiredChannel" in second) == (True, True, True)
    assert "channel of" not in first, "a device's address is told on request alone"
    hub.install(name, name)
    assert hub.call("listen", "GET", f"installations/{name}").json()["expiredPushChannel"] is False


@conforms("no-credentials", "too-large", "location", "deleted")
def test_a_platform_without_credentials_gets_nothing(embedded: Embedded, name: str) -> None:
    bare = make_hub(embedded, "Free", browserCredential={"properties": {}})
    bare.install(name, name)
    answer = bare.send(name)
    assert answer.status_code == 201
    assert "location" not in answer.headers, "told by Standard alone"
    assert [each.outcome for each in bare.pushed()] == ["InvalidCredentials"]
    bare.install(name, name, platform="browser", channel=BROWSER)
    bare.send(name, {"text": "x" * 5000}, "browser")
    assert bare.pushed()[-1].outcome == "InvalidNotificationSize"
    embedded.delete(bare.namespace)
    assert bare.pushed() == []
    with pytest.raises(httpx.TransportError):
        bare.http.get(bare.address)


@conforms("rights")
def test_a_rule_may_do_what_its_rights_say_and_no_more(hub: Hub, name: str) -> None:
    told = hub.call("send", "PUT", f"installations/{name}", json={})
    assert "'Listen' claim(s) are required" in detail(told, 401)
    for method in ("GET", "PATCH", "DELETE"):
        detail(hub.call("send", method, f"installations/{name}"), 401)
    assert "'Send' claim(s) are required" in detail(hub.call("listen", "POST", "messages/"), 401)


@conforms("namespace-rules", "manage")
def test_manage_and_rules_of_the_namespace_are_for_all_its_hubs(hub: Hub, embedded: Embedded, name: str) -> None:
    rule = embedded.put(
        f"{NAMESPACE}/authorizationRules", f"{hub.namespace.name}/all", {"properties": {"rights": ["Manage"]}}
    )
    key = embedded.act(rule, "listKeys")["primaryKey"]
    path = f"{hub.url}/installations/{name}?api-version=2020-06"
    for audience in (f"{hub.address}/", hub.url, f"sb://{hub.url.partition('//')[2]}".upper()):
        answer = hub.http.get(path, headers={"Authorization": token(audience, "all", key)})
        detail(answer, 404)
    own = token(f"{hub.address}/", "listen", hub.keys("listen")["primaryKey"])
    detail(hub.http.get(path, headers={"Authorization": own}), 404)
    elsewhere = f"{hub.address}/another/installations/{name}?api-version=2020-06"
    assert "InvalidSignature" in detail(hub.http.get(elsewhere, headers={"Authorization": own}), 401)


@conforms("signature", "expiry", "audience", "no-tokens")
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda hub: None, "MissingToken"),
        (lambda hub: "Bearer x", "MalformedToken"),
        (lambda hub: "SharedAccessSignature sr=x", "MalformedToken"),
        (lambda hub: hub.token("listen") + "&sr=x", "MalformedToken"),
        (lambda hub: hub.token("listen", expires=int(time.time()) - 1), "ExpiredToken"),
        (lambda hub: hub.token("listen", expires=-1), "ExpiredToken"),
        (lambda hub: hub.token("listen", "https://other.example/ntf"), "InvalidAudience"),
        (lambda hub: hub.token("listen", f"{hub.address}/other"), "InvalidAudience"),
        (lambda hub: hub.token("listen", f"{hub.url}/installations/other"), "InvalidAudience"),
        (lambda hub: hub.token("listen", f"{hub.url}/inst"), "InvalidAudience"),
        (lambda hub: token(hub.url, "listen", "another key"), "InvalidSignature"),
        (lambda hub: token(hub.url, "unknown", hub.keys("listen")["primaryKey"]), "InvalidSignature"),
        (lambda hub: hub.token("listen").replace("se=", "se=9"), "InvalidSignature"),
    ],
)  # fmt: skip
def test_a_signature_that_does_not_hold_is_refused(hub: Hub, wrong: Any, code: str) -> None:
    given = wrong(hub)
    headers = {"Authorization": given} if given else {}
    answer = hub.http.get(f"{hub.url}/installations/x?api-version=2020-06", headers=headers)
    assert detail(answer, 401).startswith(code)


@conforms("rotation")
def test_a_key_that_was_regenerated_opens_nothing_any_more_and_the_other_one_does(embedded: Embedded, hub: Hub) -> None:
    old = {name: hub.token("listen", key=name) for name in ("primaryKey", "secondaryKey")}
    made = embedded.act(hub.rules["listen"], "regenerateKeys", {"policyKey": "PrimaryKey"})

    def answers(authorization: str) -> int:
        url = f"{hub.url}/installations/x?api-version=2020-06"
        return hub.http.get(url, headers={"Authorization": authorization}).status_code

    assert [answers(old["primaryKey"]), answers(old["secondaryKey"])] == [401, 404]
    assert answers(hub.token("listen")) == 404
    assert made["primaryKey"] == hub.keys("listen")["primaryKey"]


@conforms("installation-refusals")
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"platform": "wns"}, "platform"),
        ({"templates": {}}, "templates"),
        ({"pushChannel": ""}, "pushChannel"),
        ({"pushChannel": BROWSER}, "pushChannel"),
        ({"platform": "browser", "pushChannel": {"endpoint": "http://x", "p256dh": "p", "auth": "a"}}, "pushChannel"),
        ({"tags": ["ä"]}, "tags"),
        ({"tags": "one"}, "tags"),
        ({"tags": [f"t{n}" for n in range(61)]}, "tags"),
        ({"installationId": "another"}, "installationId"),
        ([], "installation"),
    ],
)
def test_an_installation_that_is_not_known_here_is_refused(hub: Hub, name: str, body: Any, named: str) -> None:
    whole = {"installationId": name, "platform": "fcmv1", "pushChannel": "c"}
    given = {**whole, **body} if isinstance(body, dict) else body
    assert named in detail(hub.call("listen", "PUT", f"installations/{name}", json=given), 400)


@conforms("patch-refusals")
@pytest.mark.parametrize(
    ("patch", "named"),
    [
        ([{"op": "move", "path": "/tags"}], "op"),
        ([{"op": "add", "path": "/templates/x", "value": {}}], "path"),
        ([{"op": "remove", "path": "/tags/unknown"}], "path"),
        ([{"op": "add", "path": "/tags", "value": 1}], "tags"),
        ({}, "patch"),
    ],
)
def test_a_patch_that_is_not_known_here_is_refused_and_changes_nothing(
    hub: Hub, name: str, patch: Any, named: str
) -> None:
    hub.install(name, "one")
    good = [{"op": "replace", "path": "/tags", "value": ["changed"]}]
    given = [*good, *patch] if patch else patch
    assert named in detail(hub.call("listen", "PATCH", f"installations/{name}", json=given), 400)
    assert hub.call("listen", "GET", f"installations/{name}").json()["tags"] == ["one"]


@conforms("send-refusals")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"form": "template"}, 400),
        ({"form": "windows"}, 400),
        ({"Content-Type": "text/plain"}, 400),
        ({"ServiceBusNotification-DeviceHandle": "handle"}, 400),
        ({"tags": "a ||"}, 400),
        ({"body": [1]}, 400),
        ({"body": {}}, 400),
        ({"body": {"message": {"token": "t"}}}, 400),
        ({"body": {"alert": "x"}, "form": "apple"}, 400),
        ({"body": {"message": {"x": "x" * 65_536}}}, 413),
    ],
)
def test_a_notification_that_is_not_known_here_is_refused(hub: Hub, changes: dict[str, Any], status: int) -> None:
    before = len(hub.pushed())
    detail(hub.send(**{"tags": "a", **changes}), status)
    assert len(hub.pushed()) == before


@conforms("versions", "operations")
def test_other_addresses_versions_and_questions_are_refused(hub: Hub, name: str) -> None:
    for params, named in (
        ({"api-version": "2013-08"}, "api-version"),
        ({"direct": "true"}, "direct"),
        ({"test": "true"}, "test"),
    ):
        assert named in detail(hub.call("send", "POST", "messages/", params=params), 400)
    older = {"installationId": name, "platform": "browser", "pushChannel": BROWSER}
    asked = hub.call("listen", "PUT", f"installations/{name}", json=older, params={"api-version": "2015-01"})
    assert "2020-06" in detail(asked, 400)
    for path in ("registrations", "schedulednotifications", f"installations/{name}/x"):
        detail(hub.call("listen", "GET", path), 404)
    unknown = f"{hub.address}/other"
    headers = {"Authorization": hub.token("listen", unknown)}
    answer = hub.http.get(f"{unknown}/installations/x?api-version=2020-06", headers=headers)
    assert detail(answer, 401).startswith("InvalidSignature"), "no rule is told from no hub"


@conforms("time-to-live")
def test_an_installation_that_nobody_writes_again_is_forgotten_in_time(embedded: Embedded, name: str) -> None:
    hub = make_hub(embedded, registrationTtl="90.00:00:00", **CREDENTIALS)
    hub.install(name, name)
    kept = hub.call("listen", "GET", f"installations/{name}").json()
    ends = datetime.datetime.fromisoformat(kept["expirationTime"])
    assert abs(ends - datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=90)) < datetime.timedelta(hours=1)

    async def age() -> None:
        over = {**kept, "expirationTime": kept["lastUpdate"]}
        hub.store.put(hub.resource.id.lower(), name, over)

    hub.embedded.run(age())
    assert hub.send(name).status_code == 201
    assert hub.pushed() == []
    detail(hub.call("listen", "GET", f"installations/{name}"), 404)
    assert hub.installations() == []
    embedded.delete(hub.namespace)


def test_a_time_to_live_that_is_no_time_span_is_refused(embedded: Embedded, hub: Hub) -> None:
    def check(told: str) -> None:
        hub_like = Resource(hub.resource.id, "ntf", hub.resource.type, {"properties": {"registrationTtl": told}})
        embedded.run(embedded.daemon.lifecycle.behaviour(hub.resource.type).check(hub_like, None))

    for allowed in ("90.00:00:00", "10675199.02:48:05.4775807", UNKNOWN):
        check(allowed)
    with pytest.raises(ArmError, match="registrationTtl: 'P90D' is no time span"):
        check("P90D")


@conforms("durable")
def test_what_a_hub_holds_survives_the_daemon(hub: Hub, name: str) -> None:
    hub.install(name, name)
    hub.send(name)
    apart = HubStore(hub.embedded.instance.azure)
    assert apart.get(hub.resource.id.lower(), name) == hub.call("listen", "GET", f"installations/{name}").json()
    assert apart.pushed()[-1].installation == name
    apart.close()

    async def again() -> None:
        lifecycle = hub.embedded.daemon.lifecycle
        await hub.embedded.daemon.azure.stop_serving(int(hub.address.rpartition(":")[2]))
        await lifecycle.behaviour(hub.namespace.type).restore(hub.namespace)

    hub.embedded.run(again())
    assert hub.call("listen", "GET", f"installations/{name}").status_code == 200


TAGS = ("a", "b", "c")
_EXPRESSIONS = st.recursive(
    st.sampled_from(TAGS),
    lambda inner: st.one_of(
        inner.map(lambda each: f"!({each})"),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda each: f"({each[0]}) {each[1]} ({each[2]})"),
    ),
    max_leaves=6,
)


@conforms("expressions")
@given(_EXPRESSIONS, st.sets(st.sampled_from(TAGS)))
def test_an_expression_means_what_its_operators_say(text: str, tags: set[str]) -> None:
    asked = text.replace("&&", " and ").replace("||", " or ").replace("!", " not ")
    assert expression(text)(tags) == eval(asked, {each: each in tags for each in TAGS})


def test_and_binds_closer_than_or() -> None:
    assert expression("a || b && c")({"a"})
    assert not expression("a || b && c")({"b"})


@conforms("expression-refusals")
@pytest.mark.parametrize(
    "text", ["", "a b", "a &&", "&& a", "(a", "a)", "a & b", "x" * 121, "$InstallationId:{}", "a || ! "]
)
def test_an_expression_that_can_not_be_read_is_refused(text: str) -> None:
    with pytest.raises(HubError, match="can't be read"):
        expression(text)


@conforms("expression-limits")
@pytest.mark.parametrize(("joined", "most"), [(" || ", 20), (" && ", 10), (" || !", 6)])
def test_expressions_have_as_many_tags_as_azure_allows(joined: str, most: int) -> None:
    expression(joined.join("t" * most))
    with pytest.raises(HubError, match=f"allowed with its operators are {most}"):
        expression(joined.join("t" * (most + 1)))
