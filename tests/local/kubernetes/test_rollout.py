"""Deployments: rolled out, replaced, restarted, reached through their Service, whatever is killed."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import httpx
import psutil
import pytest

from tests.local.kubernetes.conftest import Namespace
from tests.local.kubernetes.running import ControlPlane

pytestmark = pytest.mark.xdist_group("kubernetes")


class Web:
    """A Deployment of two behind a Service."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        probe = {"httpGet": {"path": "/probe/ready", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1}
        container = namespace.container(readinessProbe=probe)
        template = {"metadata": {"labels": {"app": "web"}}, "spec": namespace.pod_spec(container)}
        selector = {"matchLabels": {"app": "web"}}
        ports = [{"name": "http", "port": 8080, "targetPort": "http"}]
        namespace.apply(
            namespace.document("Service", "web", spec={"selector": {"app": "web"}, "ports": ports}),
            namespace.document(
                "Deployment", "web", "apps/v1", spec={"replicas": 2, "selector": selector, "template": template}
            ),
        )
        namespace.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
        address = namespace.get("service", "web")["spec"]["clusterIP"]
        self.url = f"http://127.{address.partition('.')[2]}:8080"

    def pods(self) -> list[dict[str, Any]]:
        items = self.namespace.get("pod")["items"]
        return [each for each in items if "deletionTimestamp" not in each["metadata"]]

    def ready(self) -> bool:
        replicas = self.namespace.get("deployment", "web")["status"].get("readyReplicas")
        return replicas == 2 and [_is_ready(each) for each in self.pods()] == [True, True]

    def processes(self) -> list[psutil.Process]:
        """The processes of this Deployment's containers, as the machine sees them."""
        uids = {each["metadata"]["uid"] for each in self.pods()}
        shims = [each for each in psutil.process_iter(["cmdline"]) if _shim_of(each) in uids]
        return [child for shim in shims for child in shim.children()]

    def host(self) -> str:
        return str(httpx.get(self.url, timeout=5).json()["env"]["HOSTNAME"])


def _shim_of(process: psutil.Process) -> str:
    command = process.info["cmdline"] or []
    return command[-1].split("/")[-4] if "local.kubernetes.node.shim" in command else ""


@pytest.fixture(scope="module")
def shared(namespace: Namespace) -> Web:
    return Web(namespace)


@pytest.fixture
def web(shared: Web, control_plane: ControlPlane) -> Web:
    """Two ready replicas that were never restarted, whatever a test before did."""
    if len(shared.pods()) != 2 or any(_restarts(each) for each in shared.pods()) or not shared.ready():
        shared.namespace.kubectl("scale", "deployment/web", "--replicas=2")
        shared.namespace.kubectl("delete", "pods", "--all", "--wait=true")
        control_plane.until(shared.ready)
    control_plane.until(lambda: len(shared.pods()) == 2)
    return shared


def test_a_service_address_reaches_every_ready_replica_and_only_those(web: Web, control_plane: ControlPlane) -> None:
    names = {each["metadata"]["name"] for each in web.pods()}
    control_plane.until(lambda: {web.host() for _ in range(4)} == names)

    pod = web.pods()[0]
    address = f"http://127.{pod['status']['podIP'].partition('.')[2]}:8080"
    httpx.get(f"{address}/break/ready")
    others = names - {pod["metadata"]["name"]}
    control_plane.until(lambda: {web.host() for _ in range(4)} == others, what="the unready pod is left out")
    httpx.get(f"{address}/mend/ready")
    control_plane.until(web.ready)


def test_deleted_pods_are_replaced(web: Web, control_plane: ControlPlane) -> None:
    before = {each["metadata"]["uid"] for each in web.pods()}
    web.namespace.kubectl("delete", "pods", "--all", "--wait=false")
    control_plane.until(
        lambda: web.ready() and not before & {each["metadata"]["uid"] for each in web.pods()}, 10, "replaced"
    )
    assert web.host() in {each["metadata"]["name"] for each in web.pods()}


def test_a_killed_process_answers_again_within_ten_seconds(web: Web, control_plane: ControlPlane) -> None:
    victim = web.processes()[0]
    victim.kill()
    begin = time.monotonic()
    control_plane.until(lambda: any(_restarts(each) == 1 for each in web.pods()) and web.ready(), 10)
    assert time.monotonic() - begin < 10
    ended = next(each for each in web.pods() if _restarts(each) == 1)["status"]["containerStatuses"][0]["lastState"]
    assert (ended["terminated"]["exitCode"], ended["terminated"]["reason"]) == (137, "Error")


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _restarts(pod: dict[str, Any]) -> int:
    return int(pod["status"]["containerStatuses"][0]["restartCount"])


def test_a_killed_agent_finds_its_processes_again(web: Web, control_plane: ControlPlane) -> None:
    before = {each.pid for each in web.processes()}
    control_plane.kill("node-agent")
    urls = [f"http://127.{each['status']['podIP'].partition('.')[2]}:8080" for each in web.pods()]
    assert [httpx.get(each).status_code for each in urls] == [200, 200]
    control_plane.run("node-agent")
    control_plane.await_ready("node-agent")
    assert {each.pid for each in web.processes()} == before
    assert web.host()
    assert [_restarts(each) for each in web.pods()] == [0, 0]


def test_a_process_that_dies_while_no_agent_runs_is_restarted(web: Web, control_plane: ControlPlane) -> None:
    victim, survivor = web.processes()
    control_plane.kill("node-agent")
    os.kill(victim.pid, signal.SIGKILL)
    control_plane.run("node-agent")
    control_plane.await_ready("node-agent")
    control_plane.until(lambda: sorted(_restarts(each) for each in web.pods()) == [0, 1] and web.ready(), 10)
    assert survivor.pid in {each.pid for each in web.processes()}
    assert len(web.processes()) == 2


def test_processes_of_pods_deleted_while_no_agent_runs_are_ended(web: Web, control_plane: ControlPlane) -> None:
    before = web.processes()
    control_plane.kill("node-agent")
    web.namespace.kubectl("scale", "deployment/web", "--replicas=0")
    web.namespace.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
    assert all(each.is_running() for each in before)
    control_plane.run("node-agent")
    control_plane.await_ready("node-agent")
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in before)


def test_a_killed_api_server_is_watched_again(web: Web, control_plane: ControlPlane) -> None:
    control_plane.kill("kube-apiserver")
    assert web.host(), "traffic does not need the API server"
    control_plane.run("kube-apiserver")
    control_plane.await_ready("kube-apiserver")
    web.namespace.kubectl("scale", "deployment/web", "--replicas=3")
    control_plane.until(lambda: len({web.host() for _ in range(6)}) == 3, 15, "the third replica answers")
