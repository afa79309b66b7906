"""Identity's flows: how people sign up and in, reset a password, and what a second factor is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.graph_object import GraphObject, GraphObjectArgs, GraphTenant
from components.identity_applications import Application

_FLOW = "externalUsersSelfServiceSignUp"
_METHODS = "v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
_TYPE = "#microsoft.graph."


def sign_up_and_in(
    name: str,
    tenant: GraphTenant,
    title: str,
    application: Application,
    attributes: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> None:
    """External ID's user flow: e-mail and password, and the attributes that a person gives on signing up.

    attributes: label by attribute, e.g. {"displayName": "Name"}. The e-mail address is asked for anyway.
    """
    flow = GraphObject(
        f"{name}-flow",
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/identity/authenticationEventsFlows",
            body={
                "@odata.type": f"{_TYPE}{_FLOW}EventsFlow",
                "displayName": title,
                "onAuthenticationMethodLoadStart": {
                    "@odata.type": f"{_TYPE}onAuthenticationMethodLoadStartExternalUsersSelfServiceSignUp",
                    "identityProviders": [{"id": "EmailPassword-OAUTH"}],
                },
                "onInteractiveAuthFlowStart": {
                    "@odata.type": f"{_TYPE}onInteractiveAuthFlowStartExternalUsersSelfServiceSignUp",
                    "isSignUpAllowed": True,
                },
                "onAttributeCollection": {
                    "@odata.type": f"{_TYPE}onAttributeCollectionExternalUsersSelfServiceSignUp",
                    "attributes": [_attribute(each) for each in ("email", *attributes)],
                    "attributeCollectionPage": {"views": [{"inputs": [_EMAIL, *_inputs(attributes)]}]},
                },
            },
            found_by=["displayName"],
        ),
        opts,
    )
    GraphObject(
        f"{name}-flow-app",
        GraphObjectArgs(
            tenant=tenant,
            path=pulumi.Output.concat(
                "v1.0/identity/authenticationEventsFlows/",
                flow.object_id,
                "/conditions/applications/includeApplications",
            ),
            body={
                "@odata.type": f"{_TYPE}authenticationConditionApplication",
                "appId": application.principal.app_id,
            },
            found_by=["appId"],
            fixed=["appId", "@odata.type"],
        ),
        opts,
    )


def b2c_user_flows(name: str, tenant: GraphTenant, flows: Mapping[str, str], opts: pulumi.ResourceOptions) -> None:
    """User flows of an Azure AD B2C tenant (Graph beta). flows: type by name, e.g. {"signin": "signUpOrSignIn"}."""
    for flow, kind in flows.items():
        body = {"id": f"B2C_1_{flow}", "userFlowType": kind, "userFlowTypeVersion": 3}
        GraphObject(
            f"{name}-{flow}",
            GraphObjectArgs(
                tenant=tenant,
                path="beta/identity/b2cUserFlows",
                body=body,
                found_by=["id"],
                fixed=["id", "userFlowType", "userFlowTypeVersion"],
            ),
            opts,
        )


def code_by_email(name: str, tenant: GraphTenant, opts: pulumi.ResourceOptions) -> None:
    """One-time codes by e-mail: the second factor, and what a password is reset by (External ID has no other way)."""
    GraphObject(
        f"{name}-email-code",
        GraphObjectArgs(
            tenant=tenant,
            path=f"{_METHODS}/email",
            body={
                "@odata.type": f"{_TYPE}emailAuthenticationMethodConfiguration",
                "state": "enabled",
                "includeTargets": [{"targetType": "group", "id": "all_users"}],
            },
            kind="setting",
        ),
        opts,
    )


def second_factor(
    name: str, tenant: GraphTenant, title: str, applications: Sequence[Application], opts: pulumi.ResourceOptions
) -> None:
    """A Conditional Access policy that asks everybody for a second factor (strong customer authentication)."""
    GraphObject(
        f"{name}-second-factor",
        GraphObjectArgs(
            tenant=tenant,
            path="v1.0/identity/conditionalAccess/policies",
            body={
                "displayName": title,
                "state": "enabled",
                "conditions": {
                    "clientAppTypes": ["all"],
                    "applications": {"includeApplications": [each.principal.app_id for each in applications]},
                    "users": {"includeUsers": ["All"]},
                },
                "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
            },
            found_by=["displayName"],
        ),
        opts,
    )


def _attribute(name: str) -> dict[str, str]:
    return {"id": name, "userFlowAttributeType": "builtIn", "dataType": "string"}


_EMAIL = {
    "attribute": "email",
    "label": "Email address",
    "inputType": "text",
    "hidden": True,
    "editable": False,
    "writeToDirectory": True,
    "required": True,
}
"""Was given and proven before the page is shown."""


def _inputs(attributes: Mapping[str, str]) -> list[dict[str, object]]:
    return [
        {
            "attribute": attribute,
            "label": label,
            "inputType": "text",
            "hidden": False,
            "editable": True,
            "writeToDirectory": True,
            "required": True,
        }
        for attribute, label in attributes.items()
    ]
