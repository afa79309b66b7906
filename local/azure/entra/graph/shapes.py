"""Objects of Graph that can be written here: every property that is taken, anything else is refused.

Source: the resource types of Microsoft Graph v1.0 (learn.microsoft.com/graph/api/resources), a subset of each.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


def _claims_mapping(text: str) -> str:
    if "ClaimsMappingPolicy" not in json.loads(text):
        raise ValueError("it holds no ClaimsMappingPolicy")
    return text


Text = Annotated[str, Field(min_length=1, max_length=256)]
Https = Annotated[str, Field(pattern=r"^https://[^\s]+$")]
Redirect = Annotated[
    str, Field(pattern=r"^(https://|http://localhost|http://127\.0\.0\.1|[a-z][a-z0-9.+-]*://)[^\s]*$")
]
Claims = Annotated[str, AfterValidator(_claims_mapping)]
_TYPE: Any = Field(alias="@odata.type")


class Shape(BaseModel):
    """An object closed to names it does not know, in Graph's camelCase."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=False)


class Scope(Shape):
    """oauth2PermissionScope: a right that users give an application."""

    id: UUID
    value: Annotated[str, Field(pattern=r"^[\w!#$%&'()*+,./:;=?@\[\]^`{|}~-]{1,120}$")]
    type: Literal["User", "Admin"] = "User"
    is_enabled: bool = True
    admin_consent_display_name: Text
    admin_consent_description: Text
    user_consent_display_name: str | None = None
    user_consent_description: str | None = None


class Known(Shape):
    """preAuthorizedApplication: a client that needs no consent."""

    app_id: UUID
    delegated_permission_ids: list[UUID]


class Api(Shape):
    """apiApplication: what an application offers as an API."""

    requested_access_token_version: Literal[1, 2] | None = None
    accept_mapped_claims: bool | None = None
    oauth2_permission_scopes: Annotated[list[Scope], Field(alias="oauth2PermissionScopes")] = []
    pre_authorized_applications: list[Known] = []

    @model_validator(mode="after")
    def _once(self) -> Api:
        values = [each.value for each in self.oauth2_permission_scopes]
        if len(set(values)) < len(values):
            raise ValueError("two permission scopes have the same value")
        offered = {each.id for each in self.oauth2_permission_scopes}
        if any(set(each.delegated_permission_ids) - offered for each in self.pre_authorized_applications):
            raise ValueError("a preauthorized application has a permission that the API does not offer")
        return self


class Redirects(Shape):
    """Where tokens and codes are sent to."""

    redirect_uris: list[Redirect] = []


class Access(Shape):
    """resourceAccess: one permission that is asked for."""

    id: UUID
    type: Literal["Scope", "Role"]


class Required(Shape):
    """requiredResourceAccess: what an application asks of an API."""

    resource_app_id: UUID
    resource_access: list[Access]


class Application(Shape):
    """application."""

    display_name: Text
    description: str | None = None
    sign_in_audience: Literal["AzureADMyOrg", "AzureADMultipleOrgs"] = "AzureADMyOrg"
    identifier_uris: list[Annotated[str, Field(pattern=r"^(api|https)://[^\s]+$")]] = []
    tags: list[Text] = []
    api: Api = Api()
    spa: Redirects = Redirects()
    web: Redirects = Redirects()
    public_client: Redirects = Redirects()
    is_fallback_public_client: bool | None = None
    required_resource_access: list[Required] = []


class FederatedCredential(Shape):
    """federatedIdentityCredential: an outside token that stands for the application."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$")]
    issuer: Https
    subject: Annotated[str, Field(min_length=1, max_length=600)]
    audiences: Annotated[list[str], Field(min_length=1, max_length=1)]
    description: str | None = None


class ServicePrincipal(Shape):
    """servicePrincipal: an application's presence in the tenant."""

    app_id: UUID
    account_enabled: bool = True
    app_role_assignment_required: bool = False
    tags: list[Text] = []


class AppRoleAssignment(Shape):
    """appRoleAssignment: a permission of an API that an application has."""

    principal_id: UUID
    resource_id: UUID
    app_role_id: UUID


class PermissionGrant(Shape):
    """oAuth2PermissionGrant: consent of an administrator for everybody, or for one user."""

    client_id: UUID
    consent_type: Literal["AllPrincipals", "Principal"]
    principal_id: UUID | None = None
    resource_id: UUID
    scope: str


class ConditionApplication(Shape):
    """authenticationConditionApplication."""

    odata_type: Literal["#microsoft.graph.authenticationConditionApplication"] = _TYPE
    app_id: UUID


class ConditionApplications(Shape):
    """authenticationConditionsApplications."""

    include_all_applications: bool = False
    include_applications: list[ConditionApplication] = []


class Conditions(Shape):
    """authenticationConditions."""

    applications: ConditionApplications = ConditionApplications()


class Provider(Shape):
    """identityProviderBase by id: what the tenant has from the start."""

    id: Literal["EmailPassword-OAUTH", "EmailOtpSignup-OAUTH"]


class Methods(Shape):
    """onAuthenticationMethodLoadStartExternalUsersSelfServiceSignUp."""

    odata_type: Literal["#microsoft.graph.onAuthenticationMethodLoadStartExternalUsersSelfServiceSignUp"] = _TYPE
    identity_providers: Annotated[list[Provider], Field(min_length=1)]


class Interaction(Shape):
    """onInteractiveAuthFlowStartExternalUsersSelfServiceSignUp."""

    odata_type: Literal["#microsoft.graph.onInteractiveAuthFlowStartExternalUsersSelfServiceSignUp"] = _TYPE
    is_sign_up_allowed: bool


class Attribute(Shape):
    """identityUserFlowAttribute."""

    id: Text
    display_name: str | None = None
    description: str | None = None
    user_flow_attribute_type: Literal["builtIn", "custom"] | None = None
    data_type: Literal["string", "boolean", "int64"] | None = None


class Input(Shape):
    """authenticationAttributeCollectionInputConfiguration."""

    attribute: Text
    label: Text
    input_type: Literal["text", "radioSingleSelect", "checkboxMultiSelect", "boolean"]
    hidden: bool = False
    editable: bool = True
    write_to_directory: bool = True
    required: bool = False
    default_value: str | None = None
    validation_reg_ex: str | None = None


class View(Shape):
    """authenticationAttributeCollectionPageViewConfiguration."""

    title: str | None = None
    description: str | None = None
    inputs: list[Input]


class Page(Shape):
    """authenticationAttributeCollectionPage."""

    views: list[View]


class Collection(Shape):
    """onAttributeCollectionExternalUsersSelfServiceSignUp."""

    odata_type: Literal["#microsoft.graph.onAttributeCollectionExternalUsersSelfServiceSignUp"] = _TYPE
    attributes: list[Attribute]
    attribute_collection_page: Page

    @model_validator(mode="after")
    def _same(self) -> Collection:
        asked = {each.attribute for view in self.attribute_collection_page.views for each in view.inputs}
        if asked - {each.id for each in self.attributes}:
            raise ValueError("a view asks for an attribute that is not collected")
        return self


class UserFlow(Shape):
    """externalUsersSelfServiceSignUpEventsFlow: how users sign up and in (External ID)."""

    odata_type: Literal["#microsoft.graph.externalUsersSelfServiceSignUpEventsFlow"] = _TYPE
    display_name: Text
    description: str | None = None
    priority: int | None = None
    conditions: Conditions = Conditions()
    on_authentication_method_load_start: Methods
    on_interactive_auth_flow_start: Interaction
    on_attribute_collection: Collection


class B2CUserFlow(Shape):
    """b2cIdentityUserFlow (beta): how users sign up, in, reset a password, or edit their profile in a B2C tenant."""

    id: Annotated[str, Field(pattern=r"^(B2C_1_)?[A-Za-z0-9_]{1,64}$")]
    user_flow_type: Literal["signUpOrSignIn", "passwordReset", "profileUpdate"]
    user_flow_type_version: float
    is_language_customization_enabled: bool = False
    default_language_tag: str | None = None


class Endpoint(Shape):
    """httpRequestEndpoint."""

    odata_type: Literal["#microsoft.graph.httpRequestEndpoint"] = _TYPE
    target_url: Https


class TokenAuthentication(Shape):
    """azureAdTokenAuthentication."""

    odata_type: Literal["#microsoft.graph.azureAdTokenAuthentication"] = _TYPE
    resource_id: Annotated[str, Field(pattern=r"^api://[^\s]+$")]


class Client(Shape):
    """customExtensionClientConfiguration."""

    timeout_in_milliseconds: Annotated[int, Field(ge=200, le=2000)] = 1000
    maximum_retries: Annotated[int, Field(ge=0, le=1)] = 1


class ReturnedClaim(Shape):
    """onTokenIssuanceStartReturnClaim."""

    claim_id_in_api_response: Text


class Extension(Shape):
    """onTokenIssuanceStartCustomExtension: whom Entra asks for more claims."""

    odata_type: Literal["#microsoft.graph.onTokenIssuanceStartCustomExtension"] = _TYPE
    display_name: Text
    description: str | None = None
    endpoint_configuration: Endpoint
    authentication_configuration: TokenAuthentication
    client_configuration: Client = Client()
    claims_for_token_configuration: list[ReturnedClaim] = []


class ExtensionReference(Shape):
    """The extension of a handler, by id."""

    id: UUID


class Handler(Shape):
    """onTokenIssuanceStartCustomExtensionHandler."""

    odata_type: Literal["#microsoft.graph.onTokenIssuanceStartCustomExtensionHandler"] = _TYPE
    custom_extension: ExtensionReference


class Listener(Shape):
    """onTokenIssuanceStartListener: for which applications the extension is asked."""

    odata_type: Literal["#microsoft.graph.onTokenIssuanceStartListener"] = _TYPE
    priority: int | None = None
    conditions: Conditions
    handler: Handler


class PolicyUsers(Shape):
    """conditionalAccessUsers."""

    include_users: list[Text] = []
    exclude_users: list[Text] = []


class PolicyApplications(Shape):
    """conditionalAccessApplications."""

    include_applications: Annotated[list[Text], Field(min_length=1)]
    exclude_applications: list[Text] = []


class PolicyConditions(Shape):
    """conditionalAccessConditionSet."""

    client_app_types: list[Literal["all", "browser", "mobileAppsAndDesktopClients"]] = ["all"]
    applications: PolicyApplications
    users: PolicyUsers


class GrantControls(Shape):
    """conditionalAccessGrantControls."""

    operator: Literal["AND", "OR"]
    built_in_controls: Annotated[list[Literal["mfa", "block"]], Field(min_length=1)]


class ConditionalAccessPolicy(Shape):
    """conditionalAccessPolicy."""

    display_name: Text
    state: Literal["enabled", "disabled", "enabledForReportingButNotEnforced"]
    conditions: PolicyConditions
    grant_controls: GrantControls


class ClaimsMappingPolicy(Shape):
    """claimsMappingPolicy: which claims of the extension come into tokens."""

    display_name: Text
    definition: Annotated[list[Claims], Field(min_length=1, max_length=1)]
    is_organization_default: bool = False


class Target(Shape):
    """authenticationMethodTarget."""

    target_type: Literal["group"]
    id: Text
    is_registration_required: bool = False


class EmailMethod(Shape):
    """emailAuthenticationMethodConfiguration: one-time codes by e-mail, also for resetting a password."""

    odata_type: Literal["#microsoft.graph.emailAuthenticationMethodConfiguration"] = _TYPE
    state: Literal["enabled", "disabled"]
    allow_external_id_to_use_email_otp: Literal["default", "enabled", "disabled"] = "default"
    include_targets: list[Target] = []


class SmsMethod(Shape):
    """smsAuthenticationMethodConfiguration: one-time codes by text message."""

    odata_type: Literal["#microsoft.graph.smsAuthenticationMethodConfiguration"] = _TYPE
    state: Literal["enabled", "disabled"]
    include_targets: list[Target] = []
