"""Environment: what a service is told by environment variables; docs/architecture.md, "What a service is told"."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import pulumi

from components.identity import DISCOVERY
from stacks.data import QSEAL, QWAC
from stacks.identity import Tokens
from stacks.services import Service
from stacks.vault_files import BANK_CERTIFICATE, PUSH_KEYS

PORT = 8080
_QUERY = {
    "postgresql+psycopg": {"sslmode": "verify-full"},
    "mssql+pyodbc": {"driver": "ODBC Driver 18 for SQL Server", "Encrypt": "yes"},
}
"""What the drivers must be told so that they verify the server's certificate."""


_CERTIFICATES = {QWAC: ("QWAC_CERTIFICATE", BANK_CERTIFICATE.path("qwac.pem")), QSEAL: ("QSEAL_CERTIFICATE", QSEAL)}
"""By certificate: the variable, and what it says. A QWAC is mounted with its key, a seal's key stays in the vault."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Addresses that services may be told. Each as in the table of docs/architecture.md."""

    database_scheme: str
    database_fqdn: pulumi.Input[str]
    tokens: Tokens
    connection_string: pulumi.Input[str]
    vault_uri: pulumi.Input[str]
    uploads_url: pulumi.Input[str]
    service_bus_host: pulumi.Input[str]
    certificates: Sequence[str]
    acting_services: pulumi.Input[str]
    holders: pulumi.Input[str]
    push_hub: pulumi.Input[str]


def database_url(scheme: str, fqdn: pulumi.Input[str], database: str) -> pulumi.Output[str]:
    """SQLAlchemy URL without credentials. Raises KeyError for a scheme nothing is known of."""
    return pulumi.Output.concat(f"{scheme}://", fqdn, f"/{database}?{urlencode(_QUERY[scheme])}")


def service_url(name: str) -> str:
    """Base URL of a service of the same namespace; Kubernetes expands the references as the container starts."""
    prefix = name.upper().replace("-", "_")
    return f"http://$({prefix}_SERVICE_HOST):$({prefix}_SERVICE_PORT)"


def callees(service: Service, services: Sequence[Service]) -> tuple[str, ...]:
    """Names of the services whose address a service is told: they must exist before its pods start."""
    banks = tuple(each.name for each in services if each.bank) if service.connects_banks else ()
    listing = tuple(each.name for each in services if each.lists_erasures) if service.erases else ()
    return (*service.calls, *banks, *listing)


def environment(
    service: Service, surroundings: Surroundings, services: Sequence[Service]
) -> Mapping[str, pulumi.Input[str]]:
    """A service's variables, POD_IP apart, which only the pod knows."""
    banks = {each.name: each for each in services if each.bank}
    told: dict[str, pulumi.Input[str]] = {
        "PORT": str(PORT),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": surroundings.connection_string,
    }
    if service.database:
        told["DATABASE_URL"] = database_url(
            surroundings.database_scheme, surroundings.database_fqdn, service.database_name
        )
    if service.users:
        tokens = surroundings.tokens
        told |= {"TOKEN_ISSUER": tokens.discovery.removesuffix(DISCOVERY), "TOKEN_AUDIENCE": tokens.audience}
        if own := tokens.services:
            told |= {"SERVICE_TOKEN_ISSUER": own.issuer, "SERVICE_TOKEN_AUDIENCE": own.audience}
        told["ACTING_SERVICES"] = surroundings.acting_services
    if service.publishes or service.handles:
        told["SERVICE_BUS_HOST"] = surroundings.service_bus_host
    if service.files:
        told["UPLOADS_URL"] = surroundings.uploads_url
    if service.keys:
        told["KEY_VAULT_URL"] = surroundings.vault_uri
    if service.pushes:
        told["PUSH_HUB"] = surroundings.push_hub
        told |= {"PUSH_LISTEN": PUSH_KEYS.path("listen"), "PUSH_SEND": PUSH_KEYS.path("send")}
    if service.directory and (directory := surroundings.tokens.directory):
        told |= {"DIRECTORY_URL": directory.graph, "DIRECTORY_TENANT": directory.tenant_id}
        told["DIRECTORY_CLIENT"] = directory.client_id
    if service.lists_erasures:
        told["HOLDERS"] = surroundings.holders
    for callee in [each for each in callees(service, services) if each not in banks]:
        told[f"{callee.upper().replace('-', '_')}_URL"] = service_url(callee)
    if service.connects_banks:
        told |= dict(said for name, said in _CERTIFICATES.items() if name in surroundings.certificates)
    if service.connects_banks and banks:
        told["BANK_URLS"] = json.dumps({each.bank: service_url(name) + each.api_root for name, each in banks.items()})
    return {**told, **service.environment}
