"""Identity's claims: asks an endpoint of ours for more claims as a token is issued, and puts them into the token.

Source: learn.microsoft.com/entra/identity-platform/custom-extension-tokenissuancestart-configuration.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.graph_object import GraphObject, GraphObjectArgs, GraphTenant
from components.identity_applications import Application

_TYPE = "#microsoft.graph."


@dataclass(frozen=True, kw_only=True)
class EnrichmentArgs:
    """Where claims come from.

    url: public HTTPS address of the function that answers; Entra waits for it: keep an instance ready.
    resource_id: identifier ("api://<host>/<app id>") of the application whose tokens Entra shows there. It needs
    Graph's permission CustomAuthenticationExtension.Receive.Payload, which an administrator gives (bootstrap/).
    claims: names in the answer, and in tokens. timeout: milliseconds, 200 to 2000.
    """

    url: pulumi.Input[str]
    resource_id: pulumi.Input[str]
    claims: Sequence[str]
    timeout: int = 1000

    def __post_init__(self) -> None:
        if not 200 <= self.timeout <= 2000:
            raise ValueError(f"timeout: {self.timeout} is not allowed; allowed are 200 to 2000 milliseconds.")
        if not self.claims:
            raise ValueError("claims: none are named; name at least one, or leave enrichment out.")


def enrich_tokens(
    name: str,
    tenant: GraphTenant,
    args: EnrichmentArgs,
    applications: Sequence[Application],
    opts: pulumi.ResourceOptions,
) -> None:
    """Registers the extension, has it asked for the applications' tokens, and maps its claims into them."""
    extension = GraphObject(
        f"{name}-claims",
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/identity/customAuthenticationExtensions",
            body={
                "@odata.type": f"{_TYPE}onTokenIssuanceStartCustomExtension",
                "displayName": f"{name} claims",
                "endpointConfiguration": {"@odata.type": f"{_TYPE}httpRequestEndpoint", "targetUrl": args.url},
                "authenticationConfiguration": {
                    "@odata.type": f"{_TYPE}azureAdTokenAuthentication",
                    "resourceId": args.resource_id,
                },
                "clientConfiguration": {"timeoutInMilliseconds": args.timeout, "maximumRetries": 1},
                "claimsForTokenConfiguration": [{"claimIdInApiResponse": each} for each in args.claims],
            },
            found_by=["displayName"],
        ),
        opts,
    )
    included = [
        {"@odata.type": f"{_TYPE}authenticationConditionApplication", "appId": each.principal.app_id}
        for each in applications
    ]
    GraphObject(
        f"{name}-claims-listener",
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/identity/authenticationEventListeners",
            body={
                "@odata.type": f"{_TYPE}onTokenIssuanceStartListener",
                "conditions": {"applications": {"includeAllApplications": False, "includeApplications": included}},
                "handler": {
                    "@odata.type": f"{_TYPE}onTokenIssuanceStartCustomExtensionHandler",
                    "customExtension": {"id": extension.object_id},
                },
            },
            found_by=["handler.customExtension.id"],
        ),
        opts,
    )
    policy = GraphObject(
        f"{name}-claims-mapping",
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/policies/claimsMappingPolicies",
            body={"displayName": f"{name} claims", "definition": [_mapping(args.claims)]},
            found_by=["displayName"],
        ),
        opts,
    )
    for index, each in enumerate(applications):
        GraphObject(
            f"{name}-claims-mapped-{index}",
            GraphObjectArgs(
                tenant=tenant,
                path=pulumi.Output.concat(
                    "v1.0/servicePrincipals/", each.principal.object_id, "/claimsMappingPolicies"
                ),
                body={
                    "@odata.id": pulumi.Output.concat(
                        f"{tenant.endpoint}/v1.0/policies/claimsMappingPolicies/", policy.object_id
                    )
                },
                kind="link",
            ),
            opts,
        )


def _mapping(claims: Sequence[str]) -> str:
    schema = [{"Source": "CustomClaimsProvider", "ID": each, "JwtClaimType": each} for each in claims]
    return json.dumps(
        {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": schema}},
        separators=(",", ":"),
    )
