"""A package is deployed whatever the site answers on the way, and what can't be deployed is told with what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from components import one_deploy
from components.one_deploy import DeploymentFailed, Site

HOST, APP = "app.scm.example", "/subscriptions/0/sites/app"
Answer = tuple[int, Any]
LOST = (0, "lost")
STORAGE = "InaccessibleStorageException: BlobUploadFailedException: 403"


class Scm:
    """A site's answers by what is asked, one after the other; the last one stays. Keeps what it was asked."""

    def __init__(self, **answers: list[Answer]) -> None:
        self.answers = {
            "publish": [(202, "one")],
            "one": [(200, {"status": 4})],
            "latest": [(404, {})],
            "app": [(200, {})],
        } | answers
        self.asked: list[httpx.Request] = []
        self.site = Site(
            httpx.Client(base_url="https://arm.example", transport=httpx.MockTransport(self._answer)), HOST
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        which = request.url.path.rsplit("/", 1)[1]
        waiting = self.answers[which]
        status, said = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if status == 0:
            raise httpx.ReadTimeout(str(said))
        return (
            httpx.Response(status, json=said) if not isinstance(said, bytes) else httpx.Response(status, content=said)
        )

    def publish(self) -> str:
        return self.site.publish(b"zip", remote_build=True)

    def count(self, which: str) -> int:
        return len([each for each in self.asked if each.url.path.endswith(f"/{which}")])


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes by waiting alone."""
    now = [0.0]
    monkeypatch.setattr(one_deploy.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(one_deploy.time, "monotonic", lambda: now[0])


def test_the_package_goes_to_the_deployment_site_as_azures_own_tools_send_it() -> None:
    scm = Scm()
    assert scm.publish() == "one"
    sent = scm.asked[0]
    assert (sent.method, str(sent.url)) == (
        "POST", f"https://{HOST}/api/publish?RemoteBuild=true&Deployer=tributary"
    )  # fmt: skip
    assert (sent.headers["content-type"], sent.content) == ("application/zip", b"zip")


PASSING: dict[str, tuple[str, list[Answer]]] = {
    "conflict": ("publish", [(409, {})]),
    "throttled": ("publish", [(429, {}), (429, {})]),
    "5xx": ("publish", [(500, {}), (502, b"<html>"), (503, {})]),
    "timeout": ("publish", [(408, {}), (504, {})]),
    "lost": ("publish", [LOST, LOST]),
    "rights under way": ("publish", [(401, {}), (403, {}), (404, {})]),
    "storage under way": ("publish", [(400, {"Message": STORAGE})]),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_by_itself_is_waited_for(name: str) -> None:
    which, answers = PASSING[name]
    scm = Scm(**{which: [*answers, (202, "one")]})
    assert scm.publish() == "one"
    assert scm.count("publish") == len(answers) + 1


def test_a_lost_answer_is_recovered_once_the_deployment_that_it_was_of_is_over() -> None:
    """The site has taken the package, and refuses another one while it deploys it; the same again changes nothing."""
    scm = Scm(
        publish=[LOST, (409, {}), (202, "one")],
        latest=[(200, {"status": 1}), (200, {"status": 2}), (200, {"status": 4})],
    )
    assert scm.publish() == "one"
    assert (scm.count("publish"), scm.count("latest")) == (3, 3)


@pytest.mark.parametrize(
    "answers", [[(404, {})], [(503, {}), (200, {}), LOST, (200, b"<html>")], [(200, {"status": 0})]]
)
def test_a_deployment_is_looked_at_until_it_is_over(answers: list[Answer]) -> None:
    scm = Scm(one=[*answers, (200, {"status": 4})])
    assert scm.publish() == "one"
    assert scm.count("publish") == 1


@pytest.mark.parametrize(
    "failed",
    [
        {"one": [(200, {"status": 3, "status_text": STORAGE}), (200, {"status": 4})]},
        {"one": [(200, {"status": 3}), (200, {"status": 4})], "log": [(200, [{"message": STORAGE}])]},
        {"one": [(200, {"status": 5}), (200, {"status": 4})]},
    ],
)
def test_a_deployment_that_another_try_may_bring_about_is_tried_again(failed: dict[str, list[Answer]]) -> None:
    scm = Scm(**({"log": [(404, {})]} | failed))
    assert scm.publish() == "one"
    assert scm.count("publish") == 2


@pytest.mark.parametrize("status", [3, 6, -1])
def test_a_deployment_that_failed_is_told_with_its_log(status: int) -> None:
    scm = Scm(one=[(200, {"status": status})], log=[(200, [{"message": "pip: no such package"}])])
    with pytest.raises(
        DeploymentFailed, match=rf"one of {HOST} ended with status {status}: pip: no such package.*/log"
    ):
        scm.publish()


NEVER: dict[str, tuple[Answer, str]] = {
    "no right": ((403, {}), r"answered 403. That needs Microsoft.Web/sites/publish/action"),
    "not signed in": ((401, {}), r"answered 401. Sign in anew"),
    "not reached": (LOST, r"can't be reached: ReadTimeout"),
    "always another": ((409, {}), r"another deployment was under way. Another deployment of the app does not end"),
    "no storage": ((400, {"Message": STORAGE}), r"may not write to the container of its packages"),
}


@pytest.mark.parametrize("name", NEVER)
def test_what_never_passes_is_told_after_twenty_minutes_with_what_to_do(name: str) -> None:
    answer, why = NEVER[name]
    with pytest.raises(DeploymentFailed, match=f"The code of {HOST} is not deployed after 1200 s: .*{why}"):
        Scm(publish=[answer]).publish()


def test_a_package_that_is_refused_is_not_sent_again() -> None:
    scm = Scm(publish=[(415, {"Message": "unsupported"})])
    with pytest.raises(DeploymentFailed, match=r"refuses the package: 415, .*unsupported.*Flex Consumption"):
        scm.publish()
    assert scm.count("publish") == 1


def test_a_deployment_that_does_not_end_is_told() -> None:
    with pytest.raises(DeploymentFailed, match="does not end within 1200 s"):
        Scm(one=[(200, {"status": 1})]).publish()


@pytest.mark.parametrize(
    ("latest", "has"), [((404, {}), False), ((200, {"status": 4}), True), ((200, {"status": 3}), True)]
)
def test_an_app_has_code_once_something_was_deployed(latest: Answer, has: bool) -> None:
    assert Scm(latest=[(503, {}), latest]).site.has_code(APP) is has


def test_an_app_that_is_gone_has_none_and_its_site_is_not_asked() -> None:
    scm = Scm(app=[LOST, (404, {})])
    assert scm.site.has_code(APP) is False
    assert scm.count("latest") == 0


def test_a_site_that_does_not_say_is_told() -> None:
    with pytest.raises(DeploymentFailed, match=f"{HOST} does not say what is deployed there: .*ReadTimeout"):
        Scm(latest=[LOST]).site.has_code(APP)


def test_triggers_are_told_to_the_platform_until_it_takes_them() -> None:
    scm = Scm(syncfunctiontriggers=[LOST, (400, {"Message": "ServiceUnavailable from host runtime"}), (204, b"")])
    scm.site.sync_triggers(APP)
    assert {str(each.url.copy_with(query=None)) for each in scm.asked} == {
        f"https://arm.example{APP}/syncfunctiontriggers"
    }
    with pytest.raises(DeploymentFailed, match="triggers are not known to the platform: it answered 400"):
        Scm(syncfunctiontriggers=[(400, {})]).site.sync_triggers(APP)


def test_no_error_shows_more_than_the_end_of_a_long_answer() -> None:
    check: Callable[[], str] = Scm(publish=[(400, b"x" * 5000)]).publish
    with pytest.raises(DeploymentFailed) as refused:
        check()
    assert len(str(refused.value)) < 900
