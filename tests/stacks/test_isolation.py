"""Who may talk to whom in the cluster: what services.py declares, and nobody else."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from stacks.environment import PORT, callees
from stacks.services import deployed as services
from tests.components.mocks import Registered
from tests.stacks.program import STACKS, deployed

Spec = dict[str, Any]


def policies(stack: str) -> dict[str, Spec]:
    """Specifications by name."""
    return {
        each.inputs["metadata"]["name"]: each.inputs["spec"]
        for each in deployed(stack).of("networking.k8s.io/v1:NetworkPolicy")
    }


def labels(registered: Registered, name: str) -> dict[str, str]:
    return registered.one(":Deployment", name).inputs["spec"]["template"]["metadata"]["labels"]


def selected(selector: Spec, found: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "this test understands labels only"
    return selector.get("matchLabels", {}).items() <= found.items()


def lets(rules: list[Spec], side: str, found: dict[str, str], port: int) -> bool:
    """Whether a rule lets through a pod with these labels, of the policy's own namespace, at a port."""
    return any(
        any(set(peer) == {"podSelector"} and selected(peer["podSelector"], found) for peer in rule[side])
        and any(each["port"] == port and each["protocol"] == "TCP" for each in rule["ports"])
        for rule in rules
    )


def blocks(spec: Spec) -> dict[str, list[int]]:
    """Ports by CIDR block that a policy lets out to."""
    return {
        peer["ipBlock"]["cidr"]: [each["port"] for each in rule["ports"]]
        for rule in spec.get("egress", ())
        for peer in rule["to"]
        if "ipBlock" in peer
    }


@pytest.mark.parametrize("stack", STACKS)
def test_services_reach_those_that_they_call_and_no_others(stack: str) -> None:
    registered, known = deployed(stack), policies(stack)
    everyone = services(sandbox_banks=stack != "prod")
    for one, other in itertools.permutations(everyone, 2):
        out = lets(known[one.name]["egress"], "to", labels(registered, other.name), PORT)
        into = lets(known[other.name]["ingress"], "from", labels(registered, one.name), PORT)
        called = other.name in callees(one, everyone)
        assert (out, into) == (called, called), f"{one.name} → {other.name}"


@pytest.mark.parametrize("stack", STACKS)
def test_what_no_policy_names_may_do_nothing(stack: str) -> None:
    deny = policies(stack)["default-deny"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, spec in policies(stack).items():
        assert spec["policyTypes"] == ["Ingress", "Egress"], name


@pytest.mark.parametrize("stack", STACKS)
def test_each_policy_is_of_one_services_pods(stack: str) -> None:
    registered = deployed(stack)
    for name in {each.name for each in registered.of(":Deployment")}:
        chosen = policies(stack)[name]["podSelector"]
        matching = [
            each.name for each in registered.of(":Deployment") if selected(chosen, labels(registered, each.name))
        ]
        assert matching == [name]


def test_the_gateway_reaches_the_public_services_alone() -> None:
    for service in services(sandbox_banks=False):
        entrants = [peer for rule in policies("prod")[service.name]["ingress"] for peer in rule["from"]]
        assert any("namespaceSelector" in each for each in entrants) == service.public, service.name


def test_only_the_connector_reaches_the_internet_in_production() -> None:
    known = policies("prod")
    assert [name for name, spec in known.items() if "0.0.0.0/0" in blocks(spec)] == ["connector"]
    (block,) = (
        peer["ipBlock"]
        for rule in known["connector"]["egress"]
        for peer in rule["to"]
        if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    )
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(block["except"])
    assert blocks(known["connector"])["0.0.0.0/0"] == [443]


def test_only_who_owns_a_database_reaches_databases() -> None:
    known = policies("prod")
    endpoints = "10.30.16.0/24"
    for service in services(sandbox_banks=False):
        assert (1433 in blocks(known[service.name])[endpoints]) == service.database
    assert blocks(known["migrations"])[endpoints] == [443, 1433]


@pytest.mark.parametrize("stack", STACKS)
def test_an_upgrade_of_nodes_may_end_one_pod_of_a_service_at_a_time(stack: str) -> None:
    registered = deployed(stack)
    for name in {each.name for each in registered.of(":Deployment")}:
        spec = registered.one(":PodDisruptionBudget", name).inputs["spec"]
        assert spec["maxUnavailable"] == 1
        assert selected(spec["selector"], labels(registered, name))


def test_an_autoscaler_works_where_there_is_room_and_the_program_leaves_it_the_number() -> None:
    assert not deployed("dev").of(":HorizontalPodAutoscaler")
    registered = deployed("prod")
    for deployment in registered.of(":Deployment"):
        spec = registered.one(":HorizontalPodAutoscaler", deployment.name).inputs["spec"]
        assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment.name}
        assert 2 <= spec["minReplicas"] < spec["maxReplicas"]
        assert deployment.inputs["spec"]["replicas"] == spec["minReplicas"]


@pytest.mark.parametrize("stack", STACKS)
def test_replicas_lie_in_different_zones_where_there_are_any(stack: str) -> None:
    registered = deployed(stack)
    for deployment in registered.of(":Deployment"):
        constraints = deployment.inputs["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert constraints[0]["topologyKey"] == "topology.kubernetes.io/zone"
        for each in constraints:
            assert selected(each["labelSelector"], labels(registered, deployment.name))
            assert each["whenUnsatisfiable"] == "ScheduleAnyway"
