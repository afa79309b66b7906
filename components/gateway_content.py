"""Gateway content: what is put into an API Management service, in the order in which its parts name each other."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
from pulumi_azure_native import apimanagement

from components.common import Site
from components.gateway_apis import ApiArgs, BackendArgs, ProductArgs, VersionArgs, operation_name

_XML = apimanagement.PolicyContentFormat.XML
"""Documents are XML: what is none in an expression is escaped in them. As "rawxml" they would be taken with "&quot;" as
it stands, which is no C# (hashicorp/terraform-provider-azurerm#5426)."""


class Content:
    """Fills one service. label: name of the gateway in Pulumi. Call its methods in the order they are written in."""

    def __init__(
        self, label: str, service: apimanagement.ApiManagementService, site: Site, opts: pulumi.ResourceOptions
    ) -> None:
        self._label, self._opts = label, opts
        self._place = {"service_name": service.name, "resource_group_name": site.resource_group}
        self._usable_in_policies: list[pulumi.Resource] = []
        self._apis: dict[str, dict[str, apimanagement.Api]] = {}

    def telemetry(
        self,
        component_id: pulumi.Input[str],
        connection_string: pulumi.Input[str],
        client_id: pulumi.Input[str],
        percentage: float,
    ) -> None:
        """Sends requests and dependencies to Application Insights, signed in as the identity; errors always."""
        logger = apimanagement.Logger(
            self._label,
            logger_id="application-insights",
            logger_type="applicationInsights",
            resource_id=component_id,
            # No instrumentation key: local authentication is off there
            # (learn.microsoft.com/azure/api-management/api-management-howto-app-insights).
            credentials={"connectionString": connection_string, "identityClientId": client_id},
            **self._place,
            opts=self._opts,
        )
        message = apimanagement.HttpMessageDiagnosticArgs(
            headers=[],
            body=apimanagement.BodyDiagnosticSettingsArgs(bytes=0),
            # Query parameters hold account numbers and codes of the sign-in at the bank.
            data_masking=apimanagement.DataMaskingArgs(
                query_params=[apimanagement.DataMaskingEntityArgs(value="*", mode="Hide")]
            ),
        )
        both = apimanagement.PipelineDiagnosticSettingsArgs(request=message, response=message)
        apimanagement.Diagnostic(
            self._label,
            diagnostic_id="applicationinsights",
            logger_id=logger.id,
            always_log="allErrors",
            http_correlation_protocol="W3C",
            log_client_ip=False,
            operation_name_format="Url",
            sampling=apimanagement.SamplingSettingsArgs(sampling_type="fixed", percentage=percentage),
            verbosity="error",
            frontend=both,
            backend=both,
            **self._place,
            opts=self._opts,
        )

    def named_values(self, secrets: Mapping[str, pulumi.Input[str]]) -> None:
        """References to secrets of the vault, which API Management reads anew every four hours.

        With the service's own identity, as none is named: with a user-assigned one it does not get past a vault's
        firewall (learn.microsoft.com/azure/api-management/api-management-howto-properties).
        """
        for name, identifier in secrets.items():
            self._usable_in_policies.append(
                apimanagement.NamedValue(
                    f"{self._label}-{name}",
                    named_value_id=name,
                    display_name=name,
                    secret=True,
                    key_vault=apimanagement.KeyVaultContractCreatePropertiesArgs(secret_identifier=identifier),
                    **self._place,
                    opts=self._opts,
                )
            )

    def values(self, values: Mapping[str, pulumi.Input[str]]) -> None:
        """What is no secret, and known only after others are there: documents that name it can be read before."""
        self._usable_in_policies += [
            apimanagement.NamedValue(
                f"{self._label}-{name}",
                named_value_id=name,
                display_name=name,
                secret=False,
                value=value,
                **self._place,
                opts=self._opts,
            )
            for name, value in values.items()
        ]

    def backends(self, backends: Mapping[str, BackendArgs]) -> None:
        """Where requests go. A header's named value must be there before."""
        after = self._after(self._usable_in_policies)
        self._usable_in_policies += [
            apimanagement.Backend(
                f"{self._label}-{name}",
                backend_id=name,
                url=each.url,
                protocol="http",
                tls=apimanagement.BackendTlsPropertiesArgs(
                    validate_certificate_chain=True, validate_certificate_name=True
                ),
                credentials=apimanagement.BackendCredentialsContractArgs(
                    header={header: [value] for header, value in each.headers.items()}
                )
                if each.headers
                else None,
                **self._place,
                opts=after,
            )
            for name, each in backends.items()
        ]

    def policy(self, document: str | None) -> None:
        """The policy of all APIs."""
        if document is not None:
            apimanagement.Policy(
                self._label,
                policy_id="policy",
                format=_XML,
                value=document,
                **self._place,
                opts=self._after(self._usable_in_policies),
            )

    def apis(self, apis: Mapping[str, ApiArgs]) -> None:
        """A version set an API, and its versions, told apart by a segment of the path."""
        for name, api in apis.items():
            versions = apimanagement.ApiVersionSet(
                f"{self._label}-{name}",
                version_set_id=name,
                display_name=api.display_name,
                versioning_scheme="Segment",
                **self._place,
                opts=self._opts,
            )
            self._apis[name] = {
                version: self._version(
                    f"{self._label}-{name}-{version}", f"{name}-{version}", version, each, api, versions
                )
                for version, each in api.versions.items()
            }

    def products(self, products: Mapping[str, ProductArgs]) -> None:
        """Products, which of the APIs they hold, and the subscriptions of known consumers."""
        for name, product in products.items():
            label = f"{self._label}-{name}"
            made = apimanagement.Product(
                label,
                product_id=name,
                display_name=product.display_name,
                description=product.description,
                terms=product.terms,
                state=apimanagement.ProductState.PUBLISHED,
                subscription_required=True,
                approval_required=product.approval_required,
                subscriptions_limit=product.subscriptions_limit,
                **self._place,
                opts=self._opts,
            )
            if product.policy is not None:
                apimanagement.ProductPolicy(
                    label,
                    product_id=made.name,
                    policy_id="policy",
                    format=_XML,
                    value=product.policy,
                    **self._place,
                    opts=self._after(self._usable_in_policies),
                )
            for api in product.apis:
                for version, each in self._apis[api].items():
                    apimanagement.ProductApi(
                        f"{label}-{api}-{version}",
                        product_id=made.name,
                        api_id=each.name,
                        **self._place,
                        opts=self._opts,
                    )
            for consumer, display_name in product.subscriptions.items():
                apimanagement.Subscription(
                    f"{label}-{consumer}",
                    sid=f"{name}-{consumer}",
                    display_name=display_name,
                    scope=made.id,
                    allow_tracing=False,
                    state=apimanagement.SubscriptionState.ACTIVE,
                    **self._place,
                    opts=self._opts,
                )

    def _version(
        self,
        label: str,
        api_id: str,
        version: str,
        args: VersionArgs,
        api: ApiArgs,
        versions: apimanagement.ApiVersionSet,
    ) -> apimanagement.Api:
        made = apimanagement.Api(
            label,
            api_id=api_id,
            display_name=f"{api.display_name} {version}",
            path=api.path,
            protocols=[apimanagement.Protocol.HTTPS],
            api_version=version,
            api_version_set_id=versions.id,
            subscription_required=api.subscription_required,
            format=apimanagement.ContentFormat.OPENAPI_JSON,
            value=json.dumps(args.openapi, sort_keys=True),
            **self._place,
            opts=self._opts,
        )
        apimanagement.ApiPolicy(
            label,
            api_id=made.name,
            policy_id="policy",
            format=_XML,
            value=args.effective_policy,
            **self._place,
            opts=self._after(self._usable_in_policies),
        )
        for operation, document in args.operation_policies.items():
            apimanagement.ApiOperationPolicy(
                f"{label}-{operation}",
                api_id=made.name,
                operation_id=operation_name(operation),
                policy_id="policy",
                format=_XML,
                value=document,
                **self._place,
                opts=self._after(self._usable_in_policies),
            )
        return made

    def _after(self, named: list[pulumi.Resource]) -> pulumi.ResourceOptions:
        """Policies name these as text, which Azure resolves when it takes the policy."""
        return pulumi.ResourceOptions.merge(self._opts, pulumi.ResourceOptions(depends_on=list(named)))
