"""Isolation: which pods may talk to whom. Nothing may, but what services.py declares and what every service needs.

Kubernetes' policies know addresses, no names: which hosts of the internet the connector reaches, the firewall decides
(network.allowedHosts).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import meta, networking

from stacks.environment import PORT, callees
from stacks.pods import selector
from stacks.services import Service

Peer = networking.v1.NetworkPolicyPeerArgs
_INGRESS_NAMESPACE = "app-routing-system"
"""Where AKS runs the ingress controller of its application routing add-on."""
_ENTRA = ("20.20.32.0/19", "20.190.128.0/18", "20.231.128.0/19", "40.126.0.0/18")
"""Addresses of sign-in and of Microsoft Graph (learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges,
id 56)."""
_NEVER = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
"""No address of the internet: private networks (RFC 1918, RFC 6598) and the node's metadata (RFC 3927)."""
_HTTPS, _SQL, _AMQP = 443, 1433, 5671


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What there is to reach. endpoints: CIDR block of private endpoints.

    private: whether data, secrets and telemetry are there alone; else they are at public addresses, too.
    """

    endpoints: str
    private: bool


def isolate(
    services: Sequence[Service],
    reach: Reach,
    metadata: Callable[[str], meta.v1.ObjectMetaArgs],
    opts: pulumi.ResourceOptions,
) -> None:
    """Default deny for the namespace, a policy a service, and one for the migrations."""
    policies = {
        "default-deny": networking.v1.NetworkPolicySpecArgs(
            pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
        )
    }
    policies |= {each.name: _service(each, services, reach) for each in services}
    policies["migrations"] = networking.v1.NetworkPolicySpecArgs(
        pod_selector=meta.v1.LabelSelectorArgs(match_labels={"app.kubernetes.io/component": "migration"}),
        policy_types=["Ingress", "Egress"],
        egress=[_dns(), *_platform(reach, [_SQL])],
    )
    for name, spec in policies.items():
        networking.v1.NetworkPolicy(f"{name}-policy", metadata=metadata(name), spec=spec, opts=opts)


def _service(service: Service, services: Sequence[Service], reach: Reach) -> networking.v1.NetworkPolicySpecArgs:
    callers = [each for each in services if service.name in callees(each, services)]
    entrants = [_pods(selector(each.name)) for each in callers]
    if service.public:
        namespace = meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": _INGRESS_NAMESPACE})
        entrants.append(Peer(namespace_selector=namespace))
    data = [
        port for port, needed in ((_SQL, service.database), (_AMQP, service.publishes or service.handles)) if needed
    ]
    egress = [_dns(), *_platform(reach, data)]
    called = [_pods(selector(each)) for each in callees(service, services)]
    if called:
        egress.append(_to(called, [PORT]))
    if service.connects_banks:
        egress.append(_to([_internet()], [_HTTPS]))
    return networking.v1.NetworkPolicySpecArgs(
        pod_selector=meta.v1.LabelSelectorArgs(match_labels=selector(service.name)),
        policy_types=["Ingress", "Egress"],
        ingress=[networking.v1.NetworkPolicyIngressRuleArgs(from_=entrants, ports=[_port(PORT)])] if entrants else [],
        egress=egress,
    )


def _platform(reach: Reach, ports: Sequence[int]) -> list[networking.v1.NetworkPolicyEgressRuleArgs]:
    """Sign-in, secrets and telemetry, which every pod needs, and its data at these ports."""
    endpoints = _to([Peer(ip_block=networking.v1.IPBlockArgs(cidr=reach.endpoints))], [_HTTPS, *ports])
    if not reach.private:
        return [endpoints, _to([_internet()], [_HTTPS, *ports])]
    sign_in = [Peer(ip_block=networking.v1.IPBlockArgs(cidr=each)) for each in _ENTRA]
    return [endpoints, _to(sign_in, [_HTTPS])]


def _dns() -> networking.v1.NetworkPolicyEgressRuleArgs:
    system = meta.v1.LabelSelectorArgs(match_labels={"kubernetes.io/metadata.name": "kube-system"})
    dns = meta.v1.LabelSelectorArgs(match_labels={"k8s-app": "kube-dns"})
    return networking.v1.NetworkPolicyEgressRuleArgs(
        to=[Peer(namespace_selector=system, pod_selector=dns)], ports=[_port(53, "UDP"), _port(53)]
    )


def _to(peers: Sequence[Peer], ports: Sequence[int]) -> networking.v1.NetworkPolicyEgressRuleArgs:
    return networking.v1.NetworkPolicyEgressRuleArgs(to=list(peers), ports=[_port(each) for each in ports])


def _pods(labels: Mapping[str, str]) -> Peer:
    return Peer(pod_selector=meta.v1.LabelSelectorArgs(match_labels=dict(labels)))


def _internet() -> Peer:
    return Peer(ip_block=networking.v1.IPBlockArgs(cidr="0.0.0.0/0", except_=list(_NEVER)))


def _port(number: int, protocol: str = "TCP") -> networking.v1.NetworkPolicyPortArgs:
    return networking.v1.NetworkPolicyPortArgs(port=number, protocol=protocol)
