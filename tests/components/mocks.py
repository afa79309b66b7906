"""Runs a Pulumi program against Pulumi's mock monitor and keeps what it registered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func

SUBSCRIPTION = "51b5c9a2-6f0e-4a57-8a3c-2d9e6b8f4402"
TENANT = "7e4a7c11-0c0a-4d5e-9d3b-7f1b0a2c4401"
_OUTPUTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "azure-native:keyvault:Vault": lambda _: {"vaultUri": "https://kv.example/"},
    "azure-native:storage:StorageAccount": lambda _: {"primaryEndpoints": {"blob": "https://st.example/"}},
    "azure-native:servicebus:Namespace": lambda name: {"serviceBusEndpoint": f"https://{name}.servicebus.example:443/"},
    "azure-native:keyvault:Key": lambda name: {"keyUriWithVersion": f"https://kv.example/keys/{name}/0"},
    "azure-native:sql:Server": lambda _: {"fullyQualifiedDomainName": "sql.example"},
    "azure-native:containerregistry:Registry": lambda _: {"loginServer": "cr.example"},
    "azure-native:applicationinsights:Component": lambda _: {"connectionString": "InstrumentationKey=0;"},
    "azure-native:apimanagement:ApiManagementService": lambda name: {
        "privateIPAddresses": ["10.0.3.4"],
        "identity": {"principalId": f"object of the service {name}"},
    },
    "azure-native:eventgrid:SystemTopic": lambda name: {"identity": {"principalId": f"object of the topic {name}"}},
    "azure-native:network:PublicIPAddress": lambda _: {"ipAddress": "192.0.2.1"},
    "azure-native:web:WebApp": lambda name: {
        "defaultHostName": f"{name}.azurewebsites.example",
        "hostNameSslStates": [
            {"name": f"{name}.azurewebsites.example", "hostType": "Standard"},
            {"name": f"{name}.scm.azurewebsites.example", "hostType": "Repository"},
        ],
    },
    "azure-native:managedidentity:UserAssignedIdentity": lambda name: {
        "principalId": f"object of {name}",
        "clientId": f"client of {name}",
    },
    "azure-native:containerservice:ManagedCluster": lambda _: {
        "identityProfile": {"kubeletidentity": {"objectId": "object of the kubelet"}},
        "ingressProfile": {"webAppRouting": {"identity": {"objectId": "object of the ingress"}}},
        "oidcIssuerProfile": {"enabled": True, "issuerURL": "https://issuer.example/"},
    },
    "pulumi-python:dynamic/tributary:Image": lambda name: {
        "digest": "sha256:0",
        "reference": f"cr.example/{name}@sha256:0",
    },
    "pulumi-python:dynamic/tributary:VaultCertificate": lambda name: {"request": f"request of {name}"},
    "pulumi-python:dynamic/tributary:WebPushKey": lambda name: {
        "public_key": f"public key of {name}",
        "private_key": f"private key of {name}",
    },
    "pulumi-python:dynamic/tributary:GraphObject": lambda name: {
        "object_id": f"object of {name}",
        "app_id": f"client of {name}",
    },
    "kubernetes:core/v1:Service": lambda _: {"spec": {"clusterIP": "10.96.0.7"}},
}


@dataclass(frozen=True)
class Registration:
    """One registered resource. after: URNs it waits for, by reference or explicitly."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    urn: str
    parent: str
    after: tuple[str, ...]
    aliases: int


@dataclass
class Registered:
    """Everything a program registered, and what it exported."""

    resources: list[Registration] = field(default_factory=list)

    def of(self, type_: str) -> list[Registration]:
        """Those whose type ends so."""
        return [each for each in self.resources if each.type.endswith(type_)]

    def one(self, type_: str, name: str | None = None) -> Registration:
        """The only one of a type (and name)."""
        found = [each for each in self.of(type_) if name in (None, each.name)]
        assert len(found) == 1, f"{type_} {name or ''}: {[each.name for each in found]}"
        return found[0]


class _Cloud(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        made = _OUTPUTS.get(args.typ, lambda _: {})(args.name)
        outputs = {"name": args.inputs.get(_name_key(args), args.name), **args.inputs}
        for key, value in made.items():
            outputs[key] = {**outputs.get(key, {}), **value} if isinstance(value, dict) else value
        if args.typ == "azure-native:keyvault:Vault":
            outputs["properties"] = {**args.inputs["properties"], **made}
        if isinstance((outputs.get("identity") or {}).get("userAssignedIdentities"), list):  # a list in, a map out
            outputs["identity"] = {**outputs["identity"], "userAssignedIdentities": {}}
        return f"/id/of/{args.typ.rsplit(':', 1)[1]}/{args.name}", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        answers = {
            "azure-native:authorization:getClientConfig": {
                "clientId": "c",
                "objectId": "o",
                "subscriptionId": SUBSCRIPTION,
                "tenantId": TENANT,
            },
            "azure-native:notificationhubs:listNotificationHubKeys": {
                "primaryConnectionString": "Endpoint=sb://hub.example/"
            },
            "azure-native:containerservice:listManagedClusterUserCredentials": {
                "kubeconfigs": [{"name": "clusterUser", "value": "dXNlcnM6IFtdCg=="}]
            },
        }
        return answers[args.token], []


def _name_key(args: mocks.MockResourceArgs) -> str:
    own = args.typ.rsplit(":", 1)[1]
    return next((key for key in args.inputs if key.lower() == f"{own}name".lower()), "resourceName")


class _Monitor(mocks.MockMonitor):
    def __init__(self, registered: Registered) -> None:
        super().__init__(_Cloud())
        self._registered = registered

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self._registered.resources.append(
                Registration(
                    request.type,
                    request.name,
                    rpc.deserialize_properties(request.object),
                    answer.urn,
                    request.parent,
                    tuple(sorted(request.dependencies)),
                    len(request.aliases) + len(request.aliasURNs),
                )
            )
        return answer


def unknown() -> pulumi.Output[Any]:
    """What a resource that is yet to be made answers in a preview."""
    known: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    value: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    known.set_result(False)
    value.set_result(None)
    return pulumi.Output(set(), value, known)


def run(
    program: Callable[[], Any],
    *,
    config: Mapping[str, Any] | None = None,
    stack: str = "test",
    preview: bool = False,
) -> Registered:
    """Runs a program to its end. preview: what the cloud would say is not known yet.

    config: by full key; objects are handed over as the engine does, as JSON.
    """
    registered = Registered()
    flat = {key: value if isinstance(value, str) else json.dumps(value) for key, value in (config or {}).items()}

    async def go() -> None:
        monitor = _Monitor(registered)
        mocks.set_mocks(_Cloud(), project="tributary", stack=stack, preview=preview, monitor=monitor)
        pulumi.runtime.set_all_config(flat, [])
        await run_pulumi_func(program)

    asyncio.run(go())
    return registered
