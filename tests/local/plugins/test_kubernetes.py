"""What the kubernetes stand-in tells the engine, object by object, against a real API server and our node."""

from __future__ import annotations

import base64
import threading
import time
from typing import Any

import pytest
import yaml
from pulumi.runtime.proto import provider_pb2 as rpc

from local.plugins.values import UNKNOWN, Secret, encode
from tests.local.kubernetes.running import ControlPlane
from tests.local.plugins.plugin import Plugin, Refused

pytestmark = pytest.mark.xdist_group("kubernetes")
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"
QUOTA = "kubernetes:core/v1:ResourceQuota"
SECRET = "kubernetes:core/v1:Secret"
SERVICE = "kubernetes:core/v1:Service"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"


def named(name: str, namespace: str, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, **fields}


def quota(namespace: str, cpu: str) -> dict[str, Any]:
    return named("quota", namespace, spec={"hard": {"cpu": cpu}})


def job(plane: ControlPlane, namespace: str, script: str) -> dict[str, Any]:
    container = {"name": "main", "image": plane.image, "command": ["/bin/sh", "-c", script]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    return named("job", namespace, spec={"backoffLimit": 0, "template": {"spec": pod}})


def deployment(plane: ControlPlane, namespace: str, **fields: Any) -> dict[str, Any]:
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    container = {"name": "main", "image": plane.image, "env": [address], "ports": [{"containerPort": 8080}]}
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container | fields.pop("container", {})]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    return named("web", namespace, spec={"selector": {"matchLabels": {"app": "web"}}, "template": template, **fields})


def test_a_name_is_chosen_once_kept_and_marked(kubernetes: Plugin, namespace: str) -> None:
    said = {"metadata": {"namespace": namespace}, "data": {"a": "1"}}
    first = kubernetes.checked(CONFIG_MAP, said)
    assert first["metadata"]["name"].startswith("it-")
    assert first["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert kubernetes.check(CONFIG_MAP, said, first, seed=b"other")[0] == first


def test_an_object_without_a_namespace_goes_into_the_default_one(kubernetes: Plugin) -> None:
    assert kubernetes.checked(CONFIG_MAP, {"metadata": {"name": "a"}})["metadata"]["namespace"] == "default"
    namespaced = kubernetes.checked("kubernetes:core/v1:Namespace", {"metadata": {"name": "a"}})["metadata"]
    assert "namespace" not in namespaced


def test_an_object_lives_from_create_to_delete(kubernetes: Plugin, control_plane: ControlPlane, namespace: str) -> None:
    inputs = kubernetes.checked(ACCOUNT, named("robot", namespace))
    identity, state = kubernetes.create(ACCOUNT, inputs)
    assert identity == f"{namespace}/robot"
    changed = kubernetes.checked(ACCOUNT, {**inputs, "automountServiceAccountToken": False}, inputs)
    difference = kubernetes.diff(ACCOUNT, identity, inputs, state, changed)
    assert (list(difference.detailedDiff), list(difference.replaces)) == (["automountServiceAccountToken"], [])
    state = kubernetes.update(ACCOUNT, identity, state, changed)
    assert control_plane.get("serviceaccount", "robot", namespace)["automountServiceAccountToken"] is False
    state = kubernetes.update(ACCOUNT, identity, state, inputs)
    assert "automountServiceAccountToken" not in control_plane.get("serviceaccount", "robot", namespace)
    assert kubernetes.read(ACCOUNT, identity, state, inputs)[0] == identity
    kubernetes.delete(ACCOUNT, identity, state)
    assert control_plane.get("serviceaccount", "robot", namespace) is None
    assert kubernetes.read(ACCOUNT, identity, state, inputs)[0] == ""


def test_another_spelling_of_the_same_amount_is_no_change(kubernetes: Plugin, namespace: str) -> None:
    inputs = kubernetes.checked(QUOTA, quota(namespace, "1000m"))
    identity, state = kubernetes.create(QUOTA, inputs)
    same = kubernetes.diff(QUOTA, identity, inputs, state, kubernetes.checked(QUOTA, quota(namespace, "1"), inputs))
    assert same.changes == rpc.DiffResponse.DIFF_NONE
    more = kubernetes.diff(QUOTA, identity, inputs, state, kubernetes.checked(QUOTA, quota(namespace, "2"), inputs))
    assert list(more.detailedDiff) == ["spec.hard.cpu"]


def test_what_can_not_be_changed_is_replaced(kubernetes: Plugin, control_plane: ControlPlane, namespace: str) -> None:
    inputs = kubernetes.checked(CONFIG_MAP, named("settings", namespace, data={"a": "1"}))
    identity, state = kubernetes.create(CONFIG_MAP, inputs)
    changed = kubernetes.checked(CONFIG_MAP, named("settings", namespace, data={"a": "2"}), inputs)
    difference = kubernetes.diff(CONFIG_MAP, identity, inputs, state, changed)
    assert (list(difference.replaces), difference.deleteBeforeReplace) == (["data.a"], True)

    # Not in any list of ours: only the server knows that a Job's completion mode stays.
    said = job(control_plane, namespace, "exit 0")
    inputs = kubernetes.checked(JOB, {**said, "spec": {**said["spec"], "suspend": True, "completions": 1}})
    identity, state = kubernetes.create(JOB, inputs)
    other = {**inputs, "spec": {**inputs["spec"], "completionMode": "Indexed"}}
    assert list(kubernetes.diff(JOB, identity, inputs, state, other).replaces) == ["spec.completionMode"]


def test_a_property_that_the_server_does_not_know_is_refused(kubernetes: Plugin, namespace: str) -> None:
    inputs = kubernetes.checked(SERVICE, named("web", namespace, spec={"ports": [{"prot": 80, "port": 80}]}))
    with pytest.raises(Refused, match="prot"):
        kubernetes.create(SERVICE, inputs, preview=True)


def test_an_object_of_somebody_else_is_not_taken_over(
    kubernetes: Plugin, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("-n", namespace, "create", "configmap", "theirs")
    inputs = kubernetes.checked(CONFIG_MAP, named("theirs", namespace))
    with pytest.raises(Refused, match="already exists in the cluster"):
        kubernetes.create(CONFIG_MAP, inputs)


def test_a_creation_whose_answer_was_lost_is_simply_repeated(kubernetes: Plugin, namespace: str) -> None:
    inputs = kubernetes.checked(CONFIG_MAP, named("mine", namespace, data={"a": "1"}))
    _, first = kubernetes.create(CONFIG_MAP, inputs)
    _, second = kubernetes.create(CONFIG_MAP, inputs)
    assert first["metadata"]["uid"] == second["metadata"]["uid"]


def test_a_secret_is_never_in_clear(kubernetes: Plugin, namespace: str) -> None:
    inputs = kubernetes.checked(SECRET, named("hidden", namespace, stringData={"password": "hunter2"}))
    assert isinstance(inputs["stringData"], Secret)
    identity, state = kubernetes.create(SECRET, inputs)
    hidden = base64.b64encode(b"hunter2").decode()
    assert state["data"] == Secret({"password": hidden})
    assert state["__inputs"]["stringData"] == Secret({"password": "hunter2"})
    _, _, refreshed = kubernetes.read(SECRET, identity, state, inputs)
    assert refreshed == inputs


def test_a_service_is_ready_without_pods(kubernetes: Plugin, namespace: str) -> None:
    spec = {"selector": {"app": "none"}, "ports": [{"port": 80}]}
    inputs = kubernetes.checked(SERVICE, named("early", namespace, spec=spec))
    _, expected = kubernetes.create(SERVICE, inputs, preview=True)
    assert expected["spec"]["clusterIP"] == UNKNOWN
    _, state = kubernetes.create(SERVICE, inputs)
    assert state["spec"]["clusterIP"].startswith("10.")


def test_a_deployment_is_waited_for(kubernetes: Plugin, control_plane: ControlPlane, namespace: str) -> None:
    inputs = kubernetes.checked(DEPLOYMENT, deployment(control_plane, namespace))
    identity, state = kubernetes.create(DEPLOYMENT, inputs)
    assert state["status"]["availableReplicas"] == 1
    nowhere = control_plane.image[:-8] + "00000000"
    news = deployment(control_plane, namespace, container={"image": nowhere})
    broken = kubernetes.checked(DEPLOYMENT, {**news, "spec": {**news["spec"], "progressDeadlineSeconds": 2}}, inputs)
    with pytest.raises(Refused, match=r"(?s)progress.*pod web-.*container main waiting.*Pull") as refused:
        kubernetes.update(DEPLOYMENT, identity, state, broken)
    assert refused.value.partial


def test_a_job_is_done_when_it_is_complete_and_failed_with_its_pods_reason(
    kubernetes: Plugin, control_plane: ControlPlane, namespace: str
) -> None:
    good = kubernetes.checked(JOB, job(control_plane, namespace, "exit 0"))
    identity, state = kubernetes.create(JOB, good)
    assert state["status"]["succeeded"] == 1
    changed = kubernetes.checked(JOB, job(control_plane, namespace, "exit 7"), good)
    assert kubernetes.diff(JOB, identity, good, state, changed).replaces
    kubernetes.delete(JOB, identity, state)
    with pytest.raises(Refused, match=r"(?s)BackoffLimitExceeded.*exit code 7") as refused:
        kubernetes.create(JOB, changed)
    assert refused.value.partial


def test_a_timeout_says_what_is_missing(kubernetes: Plugin, control_plane: ControlPlane, namespace: str) -> None:
    inputs = kubernetes.checked(JOB, job(control_plane, namespace, "sleep 60"))
    with pytest.raises(Refused, match="not ready within the timeout: 1 pods running"):
        kubernetes.create(JOB, inputs, timeout=1.5)


def test_who_gives_up_does_not_wait(control_plane: ControlPlane, namespace: str) -> None:
    plugin = Plugin("kubernetes", {}, {"kubeconfig": control_plane.instance.kubeconfig.read_text()})
    try:
        inputs = plugin.checked(JOB, job(control_plane, namespace, "sleep 60"))
        threading.Timer(1, plugin.cancel).start()
        start = time.monotonic()
        with pytest.raises(Refused, match="the update was cancelled"):
            plugin.create(JOB, inputs)
        assert time.monotonic() - start < 10
    finally:
        plugin.stop()


def test_skip_await_does_not_wait(kubernetes: Plugin, control_plane: ControlPlane, namespace: str) -> None:
    said = job(control_plane, namespace, "sleep 60")
    said["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    _, state = kubernetes.create(JOB, kubernetes.checked(JOB, said))
    assert not state["status"].get("succeeded")


def test_a_cluster_that_is_not_known_yet_can_be_previewed() -> None:
    plugin = Plugin("kubernetes", {}, {"kubeconfig": UNKNOWN})
    try:
        inputs = plugin.checked(SERVICE, named("web", UNKNOWN, spec={"ports": [{"port": 80}]}))
        _, state = plugin.create(SERVICE, inputs, preview=True)
        assert state["status"] == UNKNOWN
        with pytest.raises(Refused, match="known only after deployment"):
            plugin.create(SERVICE, inputs)
    finally:
        plugin.stop()


def test_a_cluster_that_does_not_answer_is_named(control_plane: ControlPlane) -> None:
    kubeconfig = yaml.safe_load(control_plane.instance.kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    plugin = Plugin("kubernetes", {}, {"kubeconfig": yaml.safe_dump(kubeconfig)})
    try:
        inputs = plugin.checked(CONFIG_MAP, named("a", "b"))
        with pytest.raises(Refused, match=r"https://127\.0\.0\.1:9 does not answer"):
            plugin.create(CONFIG_MAP, inputs)
    finally:
        plugin.stop()


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("kubernetes:helm.sh/v3:Release", "single objects only"),
        ("kubernetes:yaml/v2:ConfigFile", "single objects only"),
        ("kubernetes:core/v1:ServiceList", "neither patches nor lists"),
        ("kubernetes:core/v1:ServicePatch", "neither patches nor lists"),
    ],
)
def test_what_is_no_single_object_is_refused(kubernetes: Plugin, token: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        kubernetes.check(token, {})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"kubeconfig": "/no/such/file"}, "/no/such/file is not there"),
        ({"kubeconfig": "a:\n  b: 1\n"}, "malformed"),
        ({"kubeconfig": "/no/such/file", "enableServerSideApply": "false"}, "server-side only"),
        ({"kubeconfig": "/no/such/file", "renderYamlToDirectory": "x"}, "renderYamlToDirectory"),
        ({"kubeconfig": "/no/such/file", "namepsace": "x"}, "does not know the setting kubernetes:namepsace"),
    ],
)
def test_a_configuration_that_it_can_not_serve_is_refused(config: dict[str, str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        Plugin("kubernetes", {}, config)


def test_only_another_cluster_replaces_a_provider(kubernetes: Plugin, control_plane: ControlPlane) -> None:
    kubeconfig = control_plane.instance.kubeconfig.read_text()
    elsewhere = kubeconfig.replace("127.0.0.1:", "127.0.0.2:")

    def replaces(old: dict[str, str], new: dict[str, str]) -> list[str]:
        request = rpc.DiffRequest(old_inputs=encode(old), news=encode(new))
        return list(kubernetes.call("DiffConfig", request).replaces)

    same = {"clusterIdentifier": "one"}
    assert replaces({"kubeconfig": kubeconfig, **same}, {"kubeconfig": elsewhere, **same}) == []
    assert replaces({"kubeconfig": kubeconfig, **same}, {"kubeconfig": kubeconfig, "clusterIdentifier": "two"}) == [
        "clusterIdentifier"
    ]
    assert replaces({"kubeconfig": kubeconfig}, {"kubeconfig": elsewhere}) == ["kubeconfig"]
    assert replaces({"kubeconfig": kubeconfig}, {"kubeconfig": kubeconfig + "# a comment\n"}) == []
