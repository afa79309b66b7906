"""What a container gets and how it lives: environment, files, probes, init containers, Jobs, ending."""

from __future__ import annotations

import base64
import time

import httpx
import pytest

from tests.local.kubernetes.conftest import Namespace
from tests.local.kubernetes.running import ControlPlane

pytestmark = pytest.mark.xdist_group("kubernetes")


def test_environment_is_computed_as_a_kubelet_does(namespace: Namespace, control_plane: ControlPlane) -> None:
    ports = [{"name": "http", "port": 8081}]
    secret = {"password": base64.b64encode(b"s3cret").decode()}
    namespace.apply(
        namespace.document("Service", "other-service", spec={"selector": {"app": "none"}, "ports": ports}),
        namespace.document("ConfigMap", "settings", data={"colour": "red", "size": "big"}),
        namespace.document("Secret", "secret", data=secret),
    )
    variables = [
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "password"}}},
        {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x", "optional": True}}},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "URL", "value": "http://$(OTHER_SERVICE_SERVICE_HOST):$(OTHER_SERVICE_SERVICE_PORT)/$(COLOUR)"},
        {"name": "LITERAL", "value": "$$(COLOUR) $(UNKNOWN)"},
    ]
    container = namespace.container(
        env=variables,
        envFrom=[{"prefix": "CFG_", "configMapRef": {"name": "settings"}}],
        args=["--from", "$(POD_IP)"],
        resources={"limits": {"memory": "256Mi"}},
    )
    namespace.pod("env", container, metadata={"labels": {"app": "demo"}})
    namespace.await_ready("env")
    address = namespace.address("env")
    seen = control_plane.until(lambda: _get(f"http://{address}:8080/"))
    environment, service = seen["env"], namespace.get("service", "other-service")["spec"]["clusterIP"]
    expected = {
        "COLOUR": "red",
        "PASSWORD": "s3cret",
        "APP": "demo",
        "MEMORY": "256",
        "CFG_size": "big",
        "URL": f"http://127.{service.partition('.')[2]}:8081/red",
        "LITERAL": "$(COLOUR) $(UNKNOWN)",
        "POD_IP": address,
        "HOSTNAME": "env",
        "SSL_CERT_FILE": str(control_plane.instance.ca_bundle),
    }
    assert {name: environment.get(name) for name in expected} == expected
    assert "ABSENT" not in environment
    assert seen["argv"][1:] == ["--from", address]
    assert seen["cwd"] == "/app"
    assert "OF_THE_DAEMONS" not in environment


def _get(url: str) -> dict[str, object] | None:
    try:
        answer = httpx.get(url, timeout=2)
    except httpx.HTTPError:
        return None
    return answer.json() if answer.status_code == 200 else None


def test_files_are_where_the_container_expects_them(namespace: Namespace) -> None:
    namespace.apply(
        namespace.document("ConfigMap", "files", data={"a.txt": "alpha", "b.txt": "beta"}),
        namespace.document("Secret", "hidden", stringData={"key": "k"}),
    )
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    sources = [
        {"secret": {"name": "hidden", "items": [{"key": "key", "path": "deep/key"}]}},
        {"downwardAPI": {"items": items}},
    ]
    volumes = [
        {"name": "files", "configMap": {"name": "files"}},
        {"name": "all", "projected": {"sources": sources}},
        {"name": "work", "emptyDir": {}},
    ]
    mounts = [
        {"name": "files", "mountPath": "/etc/settings"},
        {"name": "files", "mountPath": "/app/b.txt", "subPath": "b.txt"},
        {"name": "all", "mountPath": "/var/run/all"},
        {"name": "work", "mountPath": "/work-dir"},
    ]
    script = (
        "cat /etc/settings/a.txt /app/b.txt /var/run/all/deep/key /var/run/all/labels && ls /app/server.py && "
        "echo x > /work-dir/x && ! touch /etc/settings/new /root-file 2>/dev/null && "
        f"test ! -e {namespace.plane.instance.azure / 'ca.key'} && "
        "test -s /var/run/secrets/kubernetes.io/serviceaccount/token && echo -n last words > /dev/termination-log"
    )
    context = {"readOnlyRootFilesystem": True, "runAsUser": 10001, "runAsNonRoot": True}
    namespace.script(
        "files",
        script,
        container={"volumeMounts": mounts, "securityContext": context},
        volumes=volumes,
        metadata={"labels": {"app": "x"}},
    )
    namespace.plane.until(lambda: namespace.status("files").get("phase") in ("Succeeded", "Failed"))
    log = namespace.kubectl("logs", "files")
    status = namespace.status("files")
    assert status["phase"] == "Succeeded", log
    assert log.startswith('alphabetakapp="x"')
    assert status["containerStatuses"][0]["state"]["terminated"]["message"] == "last words"


def test_a_container_can_read_neither_the_state_nor_other_processes(namespace: Namespace) -> None:
    state = namespace.plane.instance.state
    # One stream: two are logged in the order in which they are read, not written.
    script = f"exec 2>&1; ls {state}; cat {state}/azure/ca.key; ls /proc | grep -c '^[0-9]'"
    namespace.script("spy", script, container={})
    namespace.plane.until(lambda: namespace.status("spy").get("phase") in ("Succeeded", "Failed"))
    log = namespace.kubectl("logs", "spy").splitlines()
    assert log[0] == "ca-bundle.pem"
    assert "No such file" in log[1]
    assert int(log[2]) <= 5, "its own processes only"


def test_probes_gate_and_restart(namespace: Namespace, control_plane: ControlPlane) -> None:
    def probe(kind: str, **fields: object) -> dict[str, object]:
        return {"httpGet": {"path": f"/probe/{kind}", "port": "http"}, "periodSeconds": 1, **fields}

    header = {"httpGet": {"path": "/probe/h", "port": 8080, "httpHeaders": [{"name": "X-Probe", "value": "yes"}]}}
    namespace.pod(
        "probed",
        namespace.container(
            startupProbe=header | {"periodSeconds": 1, "failureThreshold": 10},
            readinessProbe={"exec": {"command": ["sh", "-c", "test $HOSTNAME = probed"]}, "periodSeconds": 1},
            livenessProbe=probe("live", failureThreshold=2),
        ),
    )
    namespace.pod("unready", namespace.container(readinessProbe={"tcpSocket": {"port": 9}, "periodSeconds": 1}))
    namespace.pod(
        "wrong", namespace.container(startupProbe={"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 1})
    )
    namespace.await_ready("probed")
    httpx.get(f"http://{namespace.address('probed')}:8080/break/live")
    control_plane.until(lambda: _restarted(namespace, "probed"), 10)
    namespace.await_ready("probed")
    unhealthy = ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")
    control_plane.until(lambda: unhealthy in namespace.events("probed"))
    namespace.await_events("probed", "Scheduled", "Pulled", "Created", "Started", "Killing")
    status = namespace.status("unready")
    assert status["phase"] == "Running"
    assert not status["containerStatuses"][0]["ready"]
    control_plane.until(lambda: _restarted(namespace, "wrong"), 10, "a failed startup probe restarts")


def _restarted(namespace: Namespace, name: str) -> bool:
    return bool(namespace.status(name)["containerStatuses"][0]["restartCount"])


def test_a_crashing_container_is_backed_off(namespace: Namespace, control_plane: ControlPlane) -> None:
    namespace.script("crash", "echo attempt; exit 3", restartPolicy="Always")
    status = control_plane.until(lambda: _backed_off(namespace.status("crash")), 10)
    assert status["restartCount"] == 1, "the first restart is immediate, the second waits 10 s"
    assert status["lastState"]["terminated"]["exitCode"] == 3
    namespace.await_events("crash", "BackOff")
    assert namespace.kubectl("logs", "crash", "--previous") == "attempt\n"


def _backed_off(status: dict[str, object]) -> dict[str, object] | None:
    containers = status.get("containerStatuses") or [{}]
    waiting = containers[0].get("state", {}).get("waiting", {})  # type: ignore[index]
    return containers[0] if waiting.get("reason") == "CrashLoopBackOff" else None  # type: ignore[index]


def test_a_job_completes_and_another_fails(namespace: Namespace, control_plane: ControlPlane) -> None:
    def job(name: str, script: str, **fields: object) -> dict[str, object]:
        container = {"name": "main", "image": control_plane.image, "command": ["sh", "-c", script]}
        template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        return namespace.document("Job", name, "batch/v1", spec={"template": template, **fields})

    namespace.apply(
        job("good", "python -c 'print(6*7)'"),
        job("bad", "exit 5", backoffLimit=0),
        job("slow", "sleep 60", activeDeadlineSeconds=1),
    )
    namespace.kubectl("wait", "--for=condition=Complete", "job/good", "--timeout=20s")
    assert namespace.kubectl("logs", "job/good") == "42\n"
    namespace.kubectl("wait", "--for=condition=Failed", "job/bad", "job/slow", "--timeout=20s")
    conditions = {each["type"]: each for each in namespace.get("job", "slow")["status"]["conditions"]}
    assert conditions["Failed"]["reason"] == "DeadlineExceeded"


def test_init_containers_run_in_order_and_sidecars_beside(namespace: Namespace, control_plane: ControlPlane) -> None:
    def step(name: str, script: str, **fields: object) -> dict[str, object]:
        mounts = [{"name": "shared", "mountPath": "/shared"}]
        command = ["sh", "-c", script]
        return {"name": name, "image": control_plane.image, "command": command, "volumeMounts": mounts, **fields}

    init = [
        step("first", "echo 1 > /shared/log"),
        step("side", "while :; do sleep 1; done", restartPolicy="Always"),
        step("second", "sleep 0.3; echo 2 >> /shared/log"),
    ]
    volumes = [{"name": "shared", "emptyDir": {}}]
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "volumes": volumes}
    spec |= {"initContainers": init, "containers": [step("main", "cat /shared/log")]}
    namespace.apply(namespace.document("Pod", "init", spec=spec))
    status = namespace.await_phase("init", "Succeeded")
    assert namespace.kubectl("logs", "init", "-c", "main") == "1\n2\n"
    assert [each["name"] for each in status["initContainerStatuses"]] == ["first", "side", "second"]


def test_ending_is_graceful_and_leaves_no_grandchild(namespace: Namespace, control_plane: ControlPlane) -> None:
    hook = {"preStop": {"exec": {"command": ["touch", "/shared/hook"]}}}
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    script = (
        "trap 'test -e /shared/hook && echo hook ran first; sleep 0.3; echo bye; exit 0' TERM; "
        "(trap '' TERM; exec sleep 4711.5) & while :; do sleep 0.1; done"
    )
    volumes = [{"name": "shared", "emptyDir": {}}]
    namespace.script("calm", script, volumes=volumes, container={"lifecycle": hook, "volumeMounts": mounts})
    namespace.script("stubborn", "trap '' TERM; while :; do sleep 0.1; done", terminationGracePeriodSeconds=1)
    namespace.await_ready("calm")
    namespace.await_ready("stubborn")
    follow = control_plane.follow("-n", namespace.name, "logs", "-f", "calm")
    begin = time.monotonic()
    namespace.kubectl("delete", "pod", "calm", "stubborn", "--wait=true")
    assert 1 < time.monotonic() - begin < 4
    assert follow.communicate(timeout=10)[0].decode() == "hook ran first\nbye\n"
    assert not control_plane.commands("sleep 4711.5")
    assert not control_plane.commands("trap '' TERM")


def test_memory_beyond_the_limit_is_ended(namespace: Namespace, control_plane: ControlPlane) -> None:
    script = "python -c 'import time; x = bytearray(120_000_000); time.sleep(60)'"
    namespace.script("greedy", script, container={"resources": {"limits": {"memory": "64Mi"}}})
    ended = namespace.await_phase("greedy", "Failed")["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_root_is_refused_where_the_pod_says_not_root(namespace: Namespace, control_plane: ControlPlane) -> None:
    namespace.script("rooted", "true", securityContext={"runAsNonRoot": True})
    waiting = control_plane.until(
        lambda: namespace.status("rooted").get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {})
    )
    control_plane.until(lambda: any("runAsNonRoot" in message for _, message in namespace.events("rooted")))
    waiting = namespace.status("rooted")["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
