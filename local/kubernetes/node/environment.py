"""A container's environment, command and arguments as a kubelet computes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from local.instance import Instance
from local.kubernetes.network import loopback
from local.kubernetes.node import downward
from local.kubernetes.node.client import Object
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.sources import Sources

_REFERENCE = re.compile(r"\$(?:(\$)|\(([^()]+)\))")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace ``$(NAME)``; ``$$`` stands for ``$``, an unknown name stays as it is."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[1] else values.get(match[2], match[0])

    return _REFERENCE.sub(replacement, text)


def service_variables(instance: Instance, services: Iterable[Object], namespace: str, links: bool) -> dict[str, str]:
    """Variables that lead to Services: the API server always, those of the namespace when ``links``.

    The API server is named by its own address, as AKS does too, since port 443 is not everyone's to listen on.
    """
    port = str(instance.port("kube-apiserver"))
    found = _variables("KUBERNETES", "127.0.0.1", [{"name": "https", "port": port, "protocol": "TCP"}])
    if links:
        for service in services:
            metadata, spec = service["metadata"], service["spec"]
            address = spec.get("clusterIP", "")
            if metadata["namespace"] != namespace or address in ("", "None") or metadata["name"] == "kubernetes":
                continue
            name = metadata["name"].upper().replace("-", "_")
            found |= _variables(name, loopback(address), spec.get("ports") or [])
    return found


def _variables(name: str, host: str, ports: list[Object]) -> dict[str, str]:
    if not ports:
        return {f"{name}_SERVICE_HOST": host}
    first = ports[0]
    found = {
        f"{name}_SERVICE_HOST": host,
        f"{name}_SERVICE_PORT": str(first["port"]),
        f"{name}_PORT": f"{first.get('protocol', 'TCP').lower()}://{host}:{first['port']}",
    }
    for each in ports:
        if each.get("name"):
            found[f"{name}_SERVICE_PORT_{each['name'].upper().replace('-', '_')}"] = str(each["port"])
        protocol, port = each.get("protocol", "TCP"), str(each["port"])
        stem = f"{name}_PORT_{port}_{protocol}"
        found |= {
            stem: f"{protocol.lower()}://{host}:{port}",
            f"{stem}_PROTO": protocol.lower(),
            f"{stem}_PORT": port,
            f"{stem}_ADDR": host,
        }
    return found


class Environment:
    """Computes environments for the containers of one pod.

    allocatable: what the node offers, for resourceFieldRef.
    """

    def __init__(self, sources: Sources, pod: Object, pod_ip: str, allocatable: Object) -> None:
        self.sources, self.pod, self.pod_ip, self.allocatable = sources, pod, pod_ip, allocatable
        self.namespace = pod["metadata"]["namespace"]

    async def compute(self, container: Object, services: Mapping[str, str]) -> dict[str, str]:
        """The variables of a container without its image's. Raises ConfigError; ApiError as the API server does."""
        found: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            found |= await self._all_of(source)
        for variable in container.get("env") or ():
            name = variable["name"]
            if "valueFrom" in variable:
                value = await self._from(variable["valueFrom"], container)
                if value is not None:
                    found[name] = value
            else:
                found[name] = expand(variable.get("value", ""), {**services, **found})
        return {**services, **found}

    async def _all_of(self, source: Object) -> dict[str, str]:
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if key in source:
                reference = source[key]
                data = await self.sources.data(
                    kind, self.namespace, reference["name"], optional=bool(reference.get("optional"))
                )
                return {source.get("prefix", "") + name: value.decode() for name, value in (data or {}).items()}
        raise ConfigError(f"envFrom {', '.join(source)} is not known here (known: configMapRef, secretRef)")

    async def _from(self, source: Object, container: Object) -> str | None:
        if "fieldRef" in source:
            return downward.field(self.pod, source["fieldRef"]["fieldPath"], self.pod_ip)
        if "resourceFieldRef" in source:
            reference = source["resourceFieldRef"]
            owner = _container(self.pod, reference.get("containerName")) or container
            return downward.resource(owner, reference["resource"], reference.get("divisor", ""), self.allocatable)
        for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if key in source:
                return await self._key(kind, source[key])
        raise ConfigError(f"valueFrom {', '.join(source)} is not known here")

    async def _key(self, kind: str, reference: Object) -> str | None:
        optional = bool(reference.get("optional"))
        data = await self.sources.data(kind, self.namespace, reference["name"], optional=optional)
        value = (data or {}).get(reference["key"])
        if value is None and not optional:
            raise ConfigError(f"couldn't find key {reference['key']} in {kind} {self.namespace}/{reference['name']}")
        return None if value is None else value.decode()


def _container(pod: Object, name: str | None) -> Object | None:
    every = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    return next((each for each in every if each["name"] == name), None)
