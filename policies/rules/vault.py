"""Key Vault: what keeps keys and secrets from being lost, read by others, or living for ever."""

from policies.frameworks import CIS, PCI
from policies.properties import Truth, every, some
from policies.rule import Example, rule, stack_rule
from policies.subject import Stack, Subject

_VAULT = "azure-native:keyvault:Vault"
_KEY = "azure-native:keyvault:Key"
_CERTIFICATE = "pulumi-python:dynamic/tributary:VaultCertificate"
"""The data plane's: azure-native has none. A trust service provider signs each; the program signs none itself."""

purge_protection = rule(
    "TRB-KV-001",
    "The vault has purge protection",
    on=_VAULT,
    severity="high",
    topic="purge protection",
    why="Whoever purges a key makes everything that it encrypts unreadable for ever.",
    fix="Set properties.enable_purge_protection=True; it can't be switched off again.",
    passes={"properties": {"enablePurgeProtection": True}},
    breaks={"properties.enablePurgeProtection": False},
    checkov="CKV_AZURE_110",
    psrule="Azure.KeyVault.PurgeProtect",
    azure_policy="0b60c0b2",
    controls={CIS: ["3.3.5"]},
    demand=lambda vault: vault["properties.enablePurgeProtection"].is_true,
)

soft_delete = rule(
    "TRB-KV-002",
    "Deleted keys and secrets can be had back for 7 days or more",
    on=_VAULT,
    severity="high",
    topic="secrets",
    why="A key that is deleted by mistake takes its data with it.",
    fix="Leave properties.enable_soft_delete on, with soft_delete_retention_in_days of 7 to 90.",
    passes={"properties": {"enableSoftDelete": True, "softDeleteRetentionInDays": 90}},
    breaks={"properties.enableSoftDelete": False, "properties.softDeleteRetentionInDays": 1},
    defaults={"properties.enableSoftDelete": True, "properties.softDeleteRetentionInDays": 90},
    settings={"days": 7},
    checkov="CKV_AZURE_111",
    demand=lambda vault: (
        vault["properties.enableSoftDelete"].is_true
        & vault["properties.softDeleteRetentionInDays"].at_least(vault.settings["days"])
    ),
)

rbac = rule(
    "TRB-KV-003",
    "Role assignments open the vault, not access policies",
    on=_VAULT,
    severity="high",
    topic="identity",
    why="Access policies are outside of Azure's reviews, and whoever may write the vault may grant himself all of it.",
    fix="Set properties.enable_rbac_authorization=True.",
    passes={"properties": {"enableRbacAuthorization": True}},
    breaks={"properties.enableRbacAuthorization": False},
    psrule="Azure.KeyVault.RBAC",
    azure_policy="12d4fa5e",
    controls={CIS: ["3.3.6"]},
    demand=lambda vault: vault["properties.enableRbacAuthorization"].is_true,
)

firewall = rule(
    "TRB-KV-004",
    "The vault refuses networks that it does not know",
    on=_VAULT,
    severity="high",
    topic="exposure",
    why="A stolen token is of no use to one who can't reach the vault.",
    fix='Set properties.network_acls.default_action="Deny", or public_network_access="Disabled".',
    passes={"properties": {"networkAcls": {"defaultAction": "Deny"}}},
    breaks={"properties.networkAcls.defaultAction": "Allow"},
    checkov="CKV_AZURE_109 CKV_AZURE_189",
    psrule="Azure.KeyVault.Firewall",
    azure_policy="55615ac9",
    demand=lambda vault: (
        (vault["properties.networkAcls.defaultAction"] == "Deny")
        | (vault["properties.publicNetworkAccess"].one_of("Disabled", "disabled"))
    ),
)

secrets_expire = rule(
    "TRB-KV-005",
    "Secrets expire",
    on="azure-native:keyvault:Secret",
    severity="medium",
    topic="secrets",
    why="A secret without an end is one that nobody renews and everybody has seen.",
    fix="Set properties.attributes.expires (seconds since 1970).",
    passes={"properties": {"attributes": {"expires": 1900000000}}},
    breaks={"properties.attributes.expires": 0},
    checkov="CKV_AZURE_41",
    azure_policy="98728c90",
    controls={CIS: ["3.3.3", "3.3.4"]},
    demand=lambda secret: secret["properties.attributes.expires"].at_least(1),
)

_LONG = r"P[1-9]\d*[DMY]"
"""A period of days, months or years (ISO 8601)."""

keys_expire = rule(
    "TRB-KV-006",
    "Keys expire",
    on=_KEY,
    severity="medium",
    topic="secrets",
    why="The longer a key lives, the more it opens when it leaks.",
    fix='Set properties.rotation_policy.attributes.expiry_time, e.g. "P730D", or properties.attributes.expires.',
    passes={"properties": {"attributes": {"expires": 1900000000}}},
    breaks={"properties.attributes.expires": 0},
    checkov="CKV_AZURE_40",
    azure_policy="152b15f7",
    controls={CIS: ["3.3.1", "3.3.2"]},
    # A rotation policy gives an end to every version that is made under it.
    demand=lambda key: (
        key["properties.attributes.expires"].at_least(1)
        | key["properties.rotationPolicy.attributes.expiryTime"].matches(_LONG)
    ),
)

hsm = rule(
    "TRB-KV-007",
    "Keys live in hardware",
    on=_KEY,
    severity="medium",
    topic="hsm",
    why="What never leaves an HSM can't be copied, by us or by one who became us.",
    fix='Set properties.kty="RSA-HSM" or "EC-HSM" in a premium vault.',
    passes={"properties": {"kty": "RSA-HSM"}},
    breaks={"properties.kty": "RSA"},
    checkov="CKV_AZURE_112",
    demand=lambda key: key["properties.kty"].one_of("RSA-HSM", "EC-HSM"),
)

strong_keys = rule(
    "TRB-KV-008",
    "RSA keys have 3072 bits or more",
    on=_KEY,
    severity="medium",
    topic="encryption",
    why="2048 bits are advised against for data that is to stay secret beyond 2030 (NIST SP 800-57 part 1).",
    fix="Set properties.key_size=3072 or 4096, or use an elliptic curve.",
    passes={"properties": {"kty": "RSA", "keySize": 3072}},
    breaks={"properties.keySize": 2048},
    settings={"bits": 3072},
    demand=lambda key: (
        key["properties.kty"].one_of("EC", "EC-HSM") | key["properties.keySize"].at_least(key.settings["bits"])
    ),
)

encrypting_keys_rotate = rule(
    "TRB-KV-009",
    "Keys that encrypt data are replaced by themselves",
    on=_KEY,
    severity="medium",
    topic="secrets",
    why="The longer a key lives, the more it opens when it leaks. Signing keys are bound to a certificate.",
    fix='Set properties.rotation_policy.lifetime_actions with an action of type "rotate", or key_ops of signing alone.',
    passes={
        "properties": {
            "keyOps": ["wrapKey", "unwrapKey"],
            "rotationPolicy": {
                "lifetimeActions": [{"trigger": {"timeAfterCreate": "P365D"}, "action": {"type": "rotate"}}]
            },
        }
    },
    breaks={
        "properties.rotationPolicy.lifetimeActions.0.action.type": "notify",
        "properties.rotationPolicy.lifetimeActions": [],
    },
    psrule="Azure.KeyVault.AutoRotationPolicy",
    azure_policy="d8cf8476",
    controls={PCI: ["3.6.1"]},
    demand=lambda key: (
        key["properties.rotationPolicy.lifetimeActions"].some(
            lambda each: each["action.type"].one_of("Rotate", "rotate")
        )
        | (
            key["properties.keyOps"].present
            & key["properties.keyOps"].every(lambda each: each.one_of("sign", "verify"))
        )
    ),
)

certificate_ends = rule(
    "TRB-KV-011",
    "A certificate that is asked for ends after 24 months or sooner",
    on=_CERTIFICATE,
    severity="medium",
    topic="secrets",
    why="A certificate whose key was copied is good until it ends: banks ask only seldom whether it was revoked.",
    fix="Ask for months of 24 at most; a trust service provider may give fewer.",
    passes={"months": 24},
    breaks={"months": 36},
    settings={"months": 24},
    azure_policy="0a075868",
    demand=lambda certificate: certificate["months"].at_most(certificate.settings["months"]),
)

_TOPIC = "azure-native:eventgrid:SystemTopic"
_SUBSCRIPTION = "azure-native:eventgrid:SystemTopicEventSubscription"
_NEAR = tuple(f"Microsoft.KeyVault.{each}NearExpiry" for each in ("Certificate", "Key", "Secret"))
_VAULT_EXAMPLE = Example(_VAULT, "main")
_TOPIC_EXAMPLE = Example(_TOPIC, "main", {}, {"source": [_VAULT_EXAMPLE.reference]})


def _told(*events: str) -> Example:
    uses = {"systemTopicName": [_TOPIC_EXAMPLE.reference]}
    return Example(_SUBSCRIPTION, "main", {"filter": {"includedEventTypes": list(events)}}, uses)


expiry_told = stack_rule(
    "TRB-KV-010",
    "Somebody is told before a vault's keys, secrets and certificates expire",
    severity="medium",
    topic="secrets",
    why="A QWAC that ran out cuts us off from every bank at once; nobody looks at dates.",
    fix="Add an Event Grid system topic of the vault, and a subscription with the three NearExpiry events.",
    passes=[_VAULT_EXAMPLE, _TOPIC_EXAMPLE, _told(*_NEAR)],
    breaks={
        "no topic": [_VAULT_EXAMPLE],
        "a topic that nobody hears": [_VAULT_EXAMPLE, _TOPIC_EXAMPLE],
        "certificates left out": [_VAULT_EXAMPLE, _TOPIC_EXAMPLE, _told(*_NEAR[1:])],
    },
    demand=lambda stack: stack.each((_VAULT,), lambda vault: _heard(stack, vault)),
)


def _heard(stack: Stack, vault: Subject) -> Truth:
    topics = [each for each in stack.of(_TOPIC) if each.from_("source", vault)]
    heard = [each for each in stack.of(_SUBSCRIPTION) if each.from_("systemTopicName", *topics)]
    events = [each["filter.includedEventTypes"] for each in heard]
    return some(every(each.includes(name) for name in _NEAR) for each in events).because(
        "no subscription to its events has those of near expiry"
    )
