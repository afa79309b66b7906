"""Key Vault: what keeps keys and secrets from being lost, read by others, or living for ever."""

from policies.frameworks import CIS, PCI
from policies.rule import rule

_VAULT = "azure-native:keyvault:Vault"
_KEY = "azure-native:keyvault:Key"

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

keys_rotate_or_expire = rule(
    "TRB-KV-006",
    "Keys expire or are rotated",
    on=_KEY,
    severity="medium",
    topic="secrets",
    why="The longer a key lives, the more it opens when it leaks.",
    fix="Set properties.attributes.expires, or a rotation_policy whose lifetime_actions rotate.",
    passes={"properties": {"attributes": {"expires": 1900000000}}},
    breaks={"properties.attributes.expires": 0},
    checkov="CKV_AZURE_40",
    psrule="Azure.KeyVault.AutoRotationPolicy",
    azure_policy="152b15f7 d8cf8476",
    controls={CIS: ["3.3.1", "3.3.2"], PCI: ["3.6.1"]},
    demand=lambda key: (
        key["properties.attributes.expires"].at_least(1)
        | key["properties.rotationPolicy.lifetimeActions"].some(
            lambda action: action["action.type"].one_of("Rotate", "rotate")
        )
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
