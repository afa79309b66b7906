"""API Management: how the gateway is reached, how it speaks, whom it lets through to what."""

from policies.frameworks import MCSB
from policies.properties import Property, Truth, every
from policies.regions import ALLOWED_REGIONS
from policies.rule import Example, rule, stack_rule
from policies.subject import Stack, Subject

_SERVICE = "azure-native:apimanagement:ApiManagementService"
_API = "azure-native:apimanagement:Api"
_BACKEND = "azure-native:apimanagement:Backend"
_PRODUCT = "azure-native:apimanagement:Product"
_DOCUMENTS = (
    "azure-native:apimanagement:ApiPolicy",
    "azure-native:apimanagement:ApiOperationPolicy",
    "azure-native:apimanagement:ProductPolicy",
)
_SECURITY = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security"
_OLD = [
    *(f"{_SECURITY}.{side}Protocols.{each}" for side in ("", "Backend.") for each in ("Tls10", "Tls11")),
    f"{_SECURITY}.Ciphers.TripleDes168",
]
_DOCUMENT = (
    "<policies><inbound><base /></inbound><backend><base /></backend>"
    "<outbound><base /></outbound><on-error><base /></on-error></policies>"
)

_ANY_ORIGIN = "<cors><allowed-origins><origin>*</origin></allowed-origins></cors>"

in_network = rule(
    "TRB-APIM-001",
    "The gateway is in a virtual network",
    on=_SERVICE,
    severity="high",
    topic="private networking",
    why="Only from there it reaches services that nobody else reaches.",
    fix='Set virtual_network_type to "Internal" or "External", with a subnet.',
    passes={"virtualNetworkType": "Internal"},
    breaks={"virtualNetworkType": "None"},
    checkov="CKV_AZURE_107",
    azure_policy="ef619a2c",
    demand=lambda service: service["virtualNetworkType"].one_of("Internal", "External"),
)

public_off = rule(
    "TRB-APIM-002",
    "The gateway is reached through the edge only",
    on=_SERVICE,
    severity="medium",
    topic="private networking",
    why="Past the edge there is no firewall that stops the common attacks.",
    fix='Set virtual_network_type="Internal", or public_network_access="Disabled" with a private endpoint.',
    passes={"virtualNetworkType": "Internal"},
    breaks={"virtualNetworkType": "External"},
    checkov="CKV_AZURE_174",
    azure_policy="df73bd95",
    demand=lambda service: (
        (service["virtualNetworkType"] == "Internal") | (service["publicNetworkAccess"] == "Disabled")
    ),
)


def _modern(service: Subject) -> Truth:
    return every(service["customProperties"].key(name).one_of("False", "false") for name in _OLD)


modern_tls = rule(
    "TRB-APIM-003",
    "The gateway speaks no TLS before 1.2, and no 3DES",
    on=_SERVICE,
    severity="high",
    topic="encryption",
    why="Older versions and ciphers have known attacks. What is left out here stays as Azure's portal last had it.",
    fix='Set the custom_properties …Security.{Backend.}Protocols.Tls10, Tls11 and …Ciphers.TripleDes168 to "False".',
    passes={"customProperties": dict.fromkeys(_OLD, "False")},
    breaks={"customProperties": dict.fromkeys(_OLD, "True")},
    remedy={"customProperties": dict.fromkeys(_OLD, "False")},
    checkov="CKV_AZURE_173",
    psrule="Azure.APIM.Protocols Azure.APIM.Ciphers",
    demand=_modern,
)

https_apis = rule(
    "TRB-APIM-004",
    "APIs are offered over HTTPS only",
    on=_API,
    severity="high",
    topic="encryption",
    why="Tokens in the clear are everyone's tokens.",
    fix='Set protocols=["https"].',
    passes={"protocols": ["https"]},
    breaks={"protocols": ["http", "https"]},
    defaults={"protocols": ["https"]},
    psrule="Azure.APIM.HTTPEndpoint",
    azure_policy="ee7495e7",
    controls={MCSB: ["DP-3"]},
    demand=lambda api: api["protocols"].every(lambda each: each.one_of("https", "wss")),
)

https_backends = rule(
    "TRB-APIM-005",
    "Backends are called over HTTPS only",
    on=_BACKEND,
    severity="high",
    topic="encryption",
    why="The inner network is no reason to speak in the clear.",
    fix="Set url to one that starts with https://.",
    passes={"url": "https://consent.example/"},
    breaks={"url": "http://consent.example/"},
    checkov_terraform="CKV_AZURE_215",
    psrule="Azure.APIM.HTTPBackend",
    azure_policy="ee7495e7",
    controls={MCSB: ["DP-3"]},
    demand=lambda backend: backend["url"].matches("(?i)https://.+"),
)

validated_backends = rule(
    "TRB-APIM-006",
    "Backends' certificates are validated: chain and name",
    on=_BACKEND,
    severity="high",
    topic="encryption",
    why="Encryption with an unknown party protects from nobody.",
    fix="Set tls with validate_certificate_chain=True and validate_certificate_name=True.",
    passes={"tls": {"validateCertificateChain": True, "validateCertificateName": True}},
    breaks={"tls.validateCertificateChain": False, "tls.validateCertificateName": False},
    defaults={"tls.validateCertificateChain": True, "tls.validateCertificateName": True},
    azure_policy="92bb331d",
    demand=lambda backend: (
        backend["tls.validateCertificateChain"].is_true & backend["tls.validateCertificateName"].is_true
    ),
)

secrets_in_vault = rule(
    "TRB-APIM-007",
    "Secret named values are in Key Vault",
    on="azure-native:apimanagement:NamedValue",
    severity="high",
    topic="secrets",
    why="Here they would be in Pulumi's state, unrotated, and readable by whoever may read the gateway's settings.",
    fix="Set key_vault with secret_identifier instead of value.",
    passes={"secret": True, "keyVault": {"secretIdentifier": "https://kv.vault.azure.net/secrets/partner"}},
    breaks={"keyVault.secretIdentifier": ""},
    psrule="Azure.APIM.EncryptValues",
    azure_policy="f1cc7827",
    controls={MCSB: ["IM-8"]},
    demand=lambda value: value["keyVault.secretIdentifier"].present | value["secret"].or_default(False).is_false,
)

client_certificates = rule(
    "TRB-APIM-008",
    "The gateway asks clients for a certificate, for all or by host name",
    on=_SERVICE,
    severity="low",
    topic="identity",
    why="PSD2's third parties show a QWAC; what is not asked for can't be checked by a policy.",
    fix="Set enable_client_certificate=True, or negotiate_client_certificate=True on the host names that need it.",
    passes={"enableClientCertificate": True},
    breaks={"enableClientCertificate": False},
    checkov_terraform="CKV_AZURE_152",
    demand=lambda service: (
        service["enableClientCertificate"].is_true
        | service["hostnameConfigurations"].some(lambda host: host["negotiateClientCertificate"].is_true)
    ),
)

product_gate = rule(
    "TRB-APIM-009",
    "Products need a subscription, and somebody who approves it",
    on=_PRODUCT,
    severity="medium",
    topic="identity",
    why="Who calls must be known before the first call.",
    fix="Set subscription_required=True and approval_required=True.",
    passes={"subscriptionRequired": True, "approvalRequired": True},
    breaks={"subscriptionRequired": False, "approvalRequired": False},
    defaults={"subscriptionRequired": True},
    psrule="Azure.APIM.ProductSubscription Azure.APIM.ProductApproval",
    demand=lambda product: product["subscriptionRequired"].is_true & product["approvalRequired"].is_true,
)

no_master_subscription = rule(
    "TRB-APIM-010",
    "No subscription opens all APIs",
    on="azure-native:apimanagement:Subscription",
    severity="high",
    topic="identity",
    why="One leaked key would open everything, what is added tomorrow, too.",
    fix='Set scope to a product or an API, e.g. "/products/partners".',
    passes={"scope": "/products/partners"},
    breaks={"scope": "/apis"},
    azure_policy="3aa03346",
    demand=lambda subscription: subscription["scope"].matches("(?i).*/(products|apis)/[^/]+"),
)

narrow_cors = rule(
    "TRB-APIM-011",
    "CORS names the origins that it lets in",
    on=("azure-native:apimanagement:Policy", *_DOCUMENTS),
    severity="high",
    topic="exposure",
    why="With a star, any page that a user visits calls our APIs as him.",
    fix="List the origins in the cors policy.",
    passes={"value": _DOCUMENT},
    breaks={"value": _DOCUMENT.replace("</inbound>", f"{_ANY_ORIGIN}</inbound>")},
    psrule="Azure.APIM.CORSPolicy",
    demand=lambda policy: policy["value"].lacks(r"<origin>\s*\*\s*</origin>"),
)


def _inherits(value: Property) -> Truth:
    sections = ("inbound", "backend", "outbound", "on-error")
    # A section may be left out; one that is there starts from what is above it.
    return value.lacks("|".join(rf"<{each}\s*/>|<{each}>(?:(?!</{each}>|<base\s*/>).)*</{each}>" for each in sections))


inherits = rule(
    "TRB-APIM-012",
    "Policies inherit what holds above them",
    on=_DOCUMENTS,
    severity="medium",
    topic="hardening",
    why="Without <base />, authentication and limits that hold for all APIs silently don't hold for this one.",
    fix="Put <base /> into every section.",
    passes={"value": _DOCUMENT},
    breaks={"value": _DOCUMENT.replace("<inbound><base />", "<inbound>")},
    psrule="Azure.APIM.PolicyBase",
    demand=lambda policy: policy["value"].present & _inherits(policy["value"]),
)

replicas_in_region = rule(
    "TRB-APIM-013",
    "The gateway stands in the EU or the United Kingdom, wherever else it stands",
    on=_SERVICE,
    severity="high",
    topic="residency",
    why="Whatever is asked and answered passes through it in the clear.",
    fix="Leave additional_locations to the allowed regions.",
    passes={"additionalLocations": [{"location": "northeurope"}]},
    breaks={"additionalLocations.0.location": "eastus"},
    settings={"regions": [*ALLOWED_REGIONS]},
    demand=lambda service: service["additionalLocations"].every(
        lambda each: each["location"].without_spaces().matches(f"(?i){'|'.join(service.settings['regions'])}")
    ),
)

_AUTHENTICATES = r"<(validate-jwt|validate-azure-ad-token|authentication-(managed-identity|certificate))\b"
_GUARD = '<validate-jwt header-name="Authorization" />'
_BACKEND_EXAMPLE = Example(_BACKEND, "services", {"backendId": "services", "url": "https://services.example"})


def _sending(*statements: str) -> Example:
    value = (
        f'<policies><inbound>{"".join(statements)}<set-backend-service backend-id="services" /></inbound></policies>'
    )
    return Example(_DOCUMENTS[0], "accounts", {"value": value})


authenticated_backends = stack_rule(
    "TRB-APIM-014",
    "What reaches a backend was authenticated: by the backend's credentials, or by a policy that sends there",
    severity="high",
    topic="identity",
    why="A service that takes whatever the gateway passes on trusts everyone who can reach the gateway.",
    fix="Put validate-jwt or authentication-managed-identity into the policy, or set the backend's credentials.",
    passes=[
        _BACKEND_EXAMPLE,
        _sending(_GUARD),
        Example(_BACKEND, "partner", {"backendId": "partner", "credentials": {"authorization": {"scheme": "Bearer"}}}),
    ],
    breaks={
        "no credentials and no policy": [_BACKEND_EXAMPLE],
        "a policy that asks nobody": [_BACKEND_EXAMPLE, _sending()],
    },
    demand=lambda stack: stack.each((_BACKEND,), lambda backend: _authenticated(stack, backend)),
)


def _authenticated(stack: Stack, backend: Subject) -> Truth:
    named = f'backend-id="{backend["backendId"].text}"'
    sending = [each["value"] for each in stack.of("azure-native:apimanagement:Policy", *_DOCUMENTS)]
    sending = [each for each in sending if named in each.text]
    asked = every(each.matches(f".*{_AUTHENTICATES}.*") for each in sending) & Truth(bool(sending))
    return (backend["credentials"].present | asked).because("no credentials, and what sends there asks for none")
