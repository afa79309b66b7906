"""Microsoft.Network: address ranges that fit, subnets inline and on their own, addresses of public IPs."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError, Behaviour, Body, Resource

_SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(values: Any, path: str) -> list[_Network]:
    """The CIDR ranges of a list; what is unknown is left out. Raises ArmError 400 for a malformed one."""
    found = []
    for index, each in enumerate(values if isinstance(values, list) else []):
        if not isinstance(each, str) or UNKNOWN in each:
            continue
        try:
            found.append(ipaddress.ip_network(each))
        except ValueError:
            raise _refused(
                "InvalidCIDRNotation", f"The address prefix {each!r} is no CIDR range such as 10.0.0.0/16.",
                f"{path}[{index}]",
            ) from None  # fmt: skip
    return found


def _prefixes(properties: Body, path: str) -> list[_Network]:
    if properties.get("addressPrefix") is not None:
        try:
            return _networks([properties["addressPrefix"]], path)
        except ArmError as error:
            raise _refused(error.code, error.message, f"{path}.addressPrefix") from None
    return _networks(properties.get("addressPrefixes"), f"{path}.addressPrefixes")


def _ranges(network: Resource) -> list[_Network]:
    space = network.properties.get("addressSpace")
    listed = space.get("addressPrefixes") if isinstance(space, dict) else None
    return _networks(listed, "properties.addressSpace.addressPrefixes")


class VirtualNetwork(Behaviour):
    """A virtual network. Its inline subnets are resources like those made on their own."""

    type = "Microsoft.Network/virtualNetworks"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse malformed ranges, and subnets outside of them or overlapping."""
        ranges = _ranges(resource)
        taken: list[tuple[str, _Network]] = []
        given = resource.properties.get("subnets")
        for index, subnet in enumerate(given if isinstance(given, list) else ()):
            if not isinstance(subnet, dict) or not isinstance(subnet.get("properties"), dict):
                continue  # not known yet
            path = f"properties.subnets[{index}].properties"
            for network in _prefixes(subnet["properties"], path):
                _fits(network, ranges, taken, str(subnet.get("name")), path)
                taken.append((str(subnet.get("name")), network))

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Make the inline subnets; a list that was given removes those that it leaves out, no list keeps all."""
        outputs: Body = {"resourceGuid": resource.properties.get("resourceGuid") or str(uuid.uuid4())}
        store: Any = self.azure.store
        given = resource.properties.get("subnets")
        existing = {each.name.lower(): each for each in store.list(_SUBNETS, resource.id)}
        for subnet in given or ():
            name = str(subnet["name"])
            old = existing.pop(name.lower(), None)
            properties = {**(subnet.get("properties") or {}), "provisioningState": "Succeeded"}
            store.put(
                Resource(old.id if old else f"{resource.id}/subnets/{name}", name, _SUBNETS, {"properties": properties})
            )
        for left_out in existing.values() if given is not None else ():
            store.remove(left_out.id)
        outputs["subnets"] = _inline(store.list(_SUBNETS, resource.id))
        return outputs


class Subnet(Behaviour):
    """A subnet made on its own; the network shows it inline."""

    type = _SUBNETS

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse a malformed range."""
        _prefixes(resource.properties, "properties")

    async def check_state(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse a range outside of the network's or overlapping another subnet's."""
        wanted = _prefixes(resource.properties, "properties")
        network = self.azure.store.get(_network_id(resource))
        if network is None:
            return
        ranges = _ranges(network)
        taken = [
            (other.name, each)
            for other in self.azure.store.list(_SUBNETS, network.id)
            if other.id.lower() != resource.id.lower()
            for each in _prefixes(other.properties, "properties")
        ]
        for each in wanted:
            _fits(each, ranges, taken, resource.name, "properties.addressPrefix")

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Show it in its network."""
        store = self.azure.store
        done = Resource(
            resource.id,
            resource.name,
            resource.type,
            {**resource.body, "properties": {**resource.properties, "provisioningState": "Succeeded"}},
        )
        others = [
            each for each in store.list(_SUBNETS, _network_id(resource)) if each.id.lower() != resource.id.lower()
        ]
        if store.get(_network_id(resource)) is not None:
            store.merge(_network_id(resource), {"subnets": _inline([*others, done])})
        return {}

    async def delete(self, resource: Resource) -> None:
        """Take it out of its network."""
        store = self.azure.store
        if store.get(_network_id(resource)) is not None:
            others = [
                each for each in store.list(_SUBNETS, _network_id(resource)) if each.id.lower() != resource.id.lower()
            ]
            store.merge(_network_id(resource), {"subnets": _inline(others)})


class PublicIPAddress(Behaviour):
    """A public address out of TEST-NET-3 (RFC 5737): nothing answers there."""

    type = "Microsoft.Network/publicIPAddresses"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give a static one its address."""
        outputs: Body = {"resourceGuid": resource.properties.get("resourceGuid") or str(uuid.uuid4())}
        if resource.properties.get("publicIPAllocationMethod") == "Static":
            number = uuid.uuid5(uuid.NAMESPACE_URL, resource.id.lower()).int % 254 + 1
            outputs["ipAddress"] = resource.properties.get("ipAddress") or f"203.0.113.{number}"
        return outputs


class AzureFirewall(Behaviour):
    """A firewall: stored, and told the first address of its subnet that Azure does not keep; nothing runs there."""

    type = "Microsoft.Network/azureFirewalls"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Tell where it answers."""
        return {"ipConfigurations": [self._addressed(each) for each in resource.properties.get("ipConfigurations", ())]}

    def _addressed(self, configuration: Body) -> Body:
        properties = configuration.get("properties") or {}
        subnet = self.azure.store.get(str((properties.get("subnet") or {}).get("id")))
        blocks = _prefixes(subnet.properties, "properties") if subnet else []
        address = {"privateIPAddress": str(blocks[0][4])} if blocks else {}
        return {**configuration, "properties": {**properties, **address}}


def _network_id(subnet: Resource) -> str:
    return subnet.id.rsplit("/", 2)[0]


def _inline(subnets: list[Resource]) -> list[Body]:
    shown = sorted(subnets, key=lambda each: each.id.lower())
    return [{"id": each.id, "name": each.name, "type": each.type, "properties": each.properties} for each in shown]


def _fits(wanted: _Network, ranges: list[_Network], taken: list[tuple[str, _Network]], name: str, path: str) -> None:
    inside = any(wanted.version == each.version and wanted.subnet_of(each) for each in ranges)  # type: ignore[arg-type]
    if ranges and not inside:
        listed = ", ".join(str(each) for each in ranges)
        raise _refused("NetcfgInvalidSubnet", f"Subnet '{name}' ({wanted}) is not within the network: {listed}.", path)
    for other, each in taken:
        if wanted.overlaps(each):
            raise _refused(
                "NetcfgSubnetRangesOverlap",
                f"Subnet '{name}' ({wanted}) overlaps with subnet '{other}' ({each}).",
                path,
            )


def _refused(code: str, message: str, target: str) -> ArmError:
    return ArmError(400, code, message, target, [{"code": code, "message": message, "target": target}])
