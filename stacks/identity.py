"""Identity: whose tokens the services take, as the settings say or as the tenant is set up by this stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.graph_object import GraphTenant
from components.identity import Identity, IdentityArgs
from components.identity_claims import EnrichmentArgs
from components.identity_directory import DirectoryArgs
from components.workload_identity import subject
from stacks.sections.foundation import ServiceTokens
from stacks.services import NAMESPACE, Service
from stacks.settings import Settings

SCOPES = {
    "accounts.read": "Reads the accounts that you connected, and their history",
    "accounts.write": "Sorts, plans and documents what you spend",
    "consents.read": "Sees which banks you connected",
    "consents.write": "Connects banks for you, and disconnects them",
    "profile.read": "Reads your settings, notifications and questions",
    "profile.write": "Changes your settings, and asks questions for you",
    "privacy.manage": "Takes out everything that is kept of you, and has it erased",
}
"""Rights that people give the app, with the words that consent shows: every one that an operation demands."""


@dataclass(frozen=True)
class Directory:
    """Where people's accounts are, and as which application a service reaches them. graph: base URL."""

    graph: str
    tenant_id: str
    client_id: pulumi.Input[str]


@dataclass(frozen=True)
class Tokens:
    """Whose bearer tokens identify people. audience: whom they are for. client_id: what an app signs in with.

    issuer: as they name it. discovery: where the document is that names it and its keys.
    services: whose identify services; None: the same issuer's, for the same audience.
    directory: where the accounts of these people are changed and deleted; None: not by us.
    """

    issuer: str
    discovery: str
    audience: pulumi.Input[str]
    services: ServiceTokens | None
    client_id: pulumi.Input[str] | None = None
    directory: Directory | None = None


def make_identity(settings: Settings, cluster_issuer: pulumi.Input[str], services: Sequence[Service]) -> Tokens:
    """Sets the tenant up where the settings name one, and says whose tokens are good.

    cluster_issuer: of the tokens by which the service among these proves itself that people's accounts are left to.
    """
    wanted, sign_in = settings.identity, settings.sign_in
    if wanted is None or settings.people_tenant is None:
        return Tokens(sign_in.issuer, sign_in.document, sign_in.audience, sign_in.services)
    tenant = GraphTenant(tenant_id=settings.people_tenant, client_id=wanted.client_id, endpoint=wanted.graph)
    enrichment, website = wanted.enrichment, wanted.redirects.website or [f"https://{settings.app_host}/"]
    identity = Identity(
        f"{pulumi.get_project()}-{pulumi.get_stack()}",
        IdentityArgs(
            tenant=tenant,
            kind=wanted.kind,
            issuer=sign_in.issuer,
            title="Tributary",
            scopes=SCOPES,
            redirects={"spa": website, "publicClient": wanted.redirects.mobile},
            second_factor=wanted.second_factor,
            enrichment=EnrichmentArgs(**enrichment.model_dump()) if enrichment else None,
            directory=_directory(cluster_issuer, services),
        ),
    )
    client_id = identity.directory_client_id
    return Tokens(
        identity.issuer,
        identity.discovery,
        identity.audience,
        sign_in.services,
        identity.client_id,
        Directory(wanted.graph, settings.people_tenant, client_id) if client_id is not None else None,
    )


def _directory(cluster_issuer: pulumi.Input[str], services: Sequence[Service]) -> DirectoryArgs | None:
    account = next((each.name for each in services if each.directory), None)
    return DirectoryArgs(issuer=cluster_issuer, subject=subject(NAMESPACE, account)) if account else None
