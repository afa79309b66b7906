"""Pods: which of them there are, what network policies let them reach, and which roles their identity has.

Overlay pods share their nodes' subnet, so that security groups can't tell them apart: policies do (NetworkPolicy v1).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from policies.reachability.plan import Plan, at
from policies.reachability.subnets import INTERNET, Block

_EVERYWHERE = ipaddress.IPv4Network("0.0.0.0/0")


@dataclass(frozen=True)
class Pod:
    """The pods of a Deployment. account: URN of their service account."""

    name: str
    labels: Mapping[str, str]
    account: str


def pods(plan: Plan) -> list[Pod]:
    """Pods of every Deployment."""
    found = []
    for each in plan.of("apps:Deployment"):
        labels = at(each.inputs, "spec.template.metadata.labels") or {}
        accounts = [urn for urn in each.uses.get("spec") or () if ":ServiceAccount::" in urn]
        found.append(Pod(each.name, labels, next(iter(accounts), "")))
    return found


def may_send(plan: Plan, pod: Pod, to: Pod | Block | str, port: int) -> bool:
    """Whether policies let a pod send to a pod, an address block, or any address of the internet (INTERNET)."""
    policies = _policies(plan, pod.labels, "Egress")
    peers = (peer for each in policies for rule in each.get("egress") or () for peer in _peers(rule, "to", port))
    return not policies or any(peer is None or _is(peer, to) for peer in peers)


def may_receive(plan: Plan, pod: Pod, sender: Pod | str, port: int) -> bool:
    """Whether policies let a pod receive from a pod, or from pods of a namespace of that name."""
    policies = _policies(plan, pod.labels, "Ingress")
    peers = (peer for each in policies for rule in each.get("ingress") or () for peer in _peers(rule, "from", port))
    return not policies or any(peer is None or _is(peer, sender) for peer in peers)


def _policies(plan: Plan, labels: Mapping[str, str], direction: str) -> list[Mapping[str, Any]]:
    specs = [each.inputs.get("spec") or {} for each in plan.of("networking.k8s.io:NetworkPolicy")]
    return [
        each
        for each in specs
        if direction in (each.get("policyTypes") or ()) and _selects(each.get("podSelector"), labels)
    ]


def _peers(rule: Mapping[str, Any], side: str, port: int) -> Iterator[Mapping[str, Any] | None]:
    """Whom a rule is about at a port: None is everybody."""
    ports = rule.get("ports")
    if ports and not any(each.get("port") == port and each.get("protocol", "TCP") == "TCP" for each in ports):
        return
    yield from rule.get(side) or (None,)


def _is(peer: Mapping[str, Any], other: Pod | Block | str) -> bool:
    if isinstance(other, Pod):
        return (
            "ipBlock" not in peer
            and "namespaceSelector" not in peer
            and _selects(peer.get("podSelector"), other.labels)
        )
    block = peer.get("ipBlock")
    if block is None:
        name = at(peer, "namespaceSelector.matchLabels") or {}
        return isinstance(other, str) and name.get("kubernetes.io/metadata.name") == other
    allowed = ipaddress.IPv4Network(block["cidr"])
    if other == INTERNET:
        return allowed == _EVERYWHERE
    if isinstance(other, str):
        return False
    denied = [ipaddress.IPv4Network(each) for each in block.get("except") or ()]
    return other.subnet_of(allowed) and not any(other.overlaps(each) for each in denied)


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    wanted = (selector or {}).get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def scopes(plan: Plan, pod: Pod) -> Sequence[str]:
    """Ids at which the pods' identity has a role: by service account, federated credential, identity, assignment."""
    account = pod.account.rsplit("::", 1)[-1]
    credentials = plan.of("managedidentity:FederatedIdentityCredential")
    trusted = [each for each in credentials if str(each.inputs.get("subject", "")).endswith(f":{account}")]
    identities = {urn for each in trusted for urn in each.uses.get("resourceName") or ()}
    return granted(plan, identities) if account else []


def granted(plan: Plan, identities: AbstractSet[str]) -> Sequence[str]:
    """Ids at which identities have a role. identities: URNs of what has them."""
    assignments = plan.of("authorization:RoleAssignment")
    return [
        str(each.inputs.get("scope", ""))
        for each in assignments
        if not identities.isdisjoint(each.uses.get("principalId") or ())
    ]
