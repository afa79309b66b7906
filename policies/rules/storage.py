"""Storage accounts: how they are reached, by whom, and what can be had back."""

from policies.frameworks import CIS, PCI
from policies.properties import Truth, every, some
from policies.rule import Example, rule, stack_rule
from policies.subject import Stack, Subject

_ACCOUNT = "azure-native:storage:StorageAccount"
_BLOBS = "azure-native:storage:BlobServiceProperties"

https = rule(
    "TRB-ST-001",
    "The storage account speaks HTTPS only",
    on=_ACCOUNT,
    severity="high",
    topic="encryption",
    why="Over HTTP everyone on the way reads along.",
    fix="Set enable_https_traffic_only=True.",
    passes={"enableHttpsTrafficOnly": True},
    breaks={"enableHttpsTrafficOnly": False},
    defaults={"enableHttpsTrafficOnly": True},
    checkov="CKV_AZURE_3",
    psrule="Azure.Storage.SecureTransfer",
    azure_policy="404c3081",
    controls={CIS: ["4.1"]},
    demand=lambda account: account["enableHttpsTrafficOnly"].is_true,
)

tls = rule(
    "TRB-ST-002",
    "The storage account accepts TLS 1.2 or newer only",
    on=_ACCOUNT,
    severity="high",
    topic="encryption",
    why="Older versions have known attacks.",
    fix='Set minimum_tls_version="TLS1_2".',
    passes={"minimumTlsVersion": "TLS1_2"},
    breaks={"minimumTlsVersion": "TLS1_0"},
    remedy={"minimumTlsVersion": "TLS1_2"},
    checkov="CKV_AZURE_44",
    psrule="Azure.Storage.MinTLS",
    azure_policy="fe83a0eb",
    controls={CIS: ["4.15"]},
    demand=lambda account: account["minimumTlsVersion"].one_of("TLS1_2", "TLS1_3"),  # absent fails: TLS 1.0
)

no_public_blobs = rule(
    "TRB-ST-003",
    "No container of the account can be made public",
    on=_ACCOUNT,
    severity="critical",
    topic="exposure",
    why="One wrong setting of a container would publish people's documents.",
    fix="Set allow_blob_public_access=False.",
    passes={"allowBlobPublicAccess": False},
    breaks={"allowBlobPublicAccess": True},
    checkov="CKV_AZURE_59",
    psrule="Azure.Storage.BlobPublicAccess",
    azure_policy="4fa4b6c0",
    controls={CIS: ["4.6"]},
    demand=lambda account: account["allowBlobPublicAccess"].is_false,  # absent fails: it was true in older versions
)

private_container = rule(
    "TRB-ST-004",
    "Blob containers are private",
    on="azure-native:storage:BlobContainer",
    severity="critical",
    topic="exposure",
    why="A public container is read by everyone who guesses its name.",
    fix='Set public_access="None".',
    passes={"publicAccess": "None"},
    breaks={"publicAccess": "Blob"},
    defaults={"publicAccess": "None"},
    checkov="CKV_AZURE_34",
    demand=lambda container: container["publicAccess"] == "None",
)

shared_key_off = rule(
    "TRB-ST-005",
    "Only Entra identities reach the account: shared keys are off",
    on=_ACCOUNT,
    severity="high",
    topic="identity",
    why="A shared key opens everything, for everyone who has it, without a name in the log.",
    fix="Set allow_shared_key_access=False.",
    passes={"allowSharedKeyAccess": False},
    breaks={"allowSharedKeyAccess": True},
    checkov_terraform="CKV2_AZURE_40",
    psrule="Azure.Storage.LocalAuth",
    azure_policy="8c6a50c6",
    controls={PCI: ["7.2.1"]},
    demand=lambda account: account["allowSharedKeyAccess"].is_false,  # absent fails: it is on
)

default_deny = rule(
    "TRB-ST-006",
    "The account refuses networks that it does not know",
    on=_ACCOUNT,
    severity="high",
    topic="exposure",
    why="A stolen token is of no use to one who can't reach the account.",
    fix='Set network_rule_set.default_action="Deny", or public_network_access="Disabled".',
    passes={"networkRuleSet": {"defaultAction": "Deny"}},
    breaks={"networkRuleSet.defaultAction": "Allow"},
    checkov="CKV_AZURE_35",
    psrule="Azure.Storage.Firewall",
    azure_policy="34c877ad",
    controls={CIS: ["4.7"]},
    demand=lambda account: (
        (account["networkRuleSet.defaultAction"] == "Deny") | (account["publicNetworkAccess"] == "Disabled")
    ),
)

soft_delete = rule(
    "TRB-ST-007",
    "Deleted blobs and containers can be had back for 7 days or more",
    on=_BLOBS,
    severity="medium",
    topic="availability",
    why="People delete the wrong thing, and so does ransomware.",
    fix="Set delete_retention_policy and container_delete_retention_policy, enabled, with days of at least 7.",
    passes={
        "deleteRetentionPolicy": {"enabled": True, "days": 30},
        "containerDeleteRetentionPolicy": {"enabled": True, "days": 30},
    },
    breaks={
        "deleteRetentionPolicy.enabled": False,
        "deleteRetentionPolicy.days": 1,
        "containerDeleteRetentionPolicy.enabled": False,
        "containerDeleteRetentionPolicy.days": 1,
    },
    settings={"days": 7},
    checkov_terraform="CKV2_AZURE_38",
    psrule="Azure.Storage.SoftDelete",
    demand=lambda blobs: (
        blobs["deleteRetentionPolicy.enabled"].is_true
        & blobs["deleteRetentionPolicy.days"].at_least(blobs.settings["days"])
        & blobs["containerDeleteRetentionPolicy.enabled"].is_true
        & blobs["containerDeleteRetentionPolicy.days"].at_least(blobs.settings["days"])
    ),
)

encrypted_twice = rule(
    "TRB-ST-008",
    "The account's data is encrypted a second time by the infrastructure",
    on=_ACCOUNT,
    severity="low",
    topic="encryption",
    why="It guards against one broken cipher or one lost key; only possible at creation.",
    fix="Set encryption.require_infrastructure_encryption=True.",
    passes={"encryption": {"requireInfrastructureEncryption": True}},
    breaks={"encryption.requireInfrastructureEncryption": False},
    azure_policy="4733ea7b",
    controls={CIS: ["4.2"]},
    demand=lambda account: account["encryption.requireInfrastructureEncryption"].is_true,
)

replicated = rule(
    "TRB-ST-009",
    "The account's data is in more than one data centre",
    on=_ACCOUNT,
    severity="medium",
    topic="availability",
    why="One data centre may burn. Copies in three zones count, too, which checkov does not accept.",
    fix='Set sku.name to a zone- or geo-redundant one, e.g. "Standard_ZRS" or "Standard_GZRS".',
    passes={"sku": {"name": "Standard_ZRS"}},
    breaks={"sku.name": "Standard_LRS"},
    checkov="CKV_AZURE_206",
    psrule="Azure.Storage.UseReplication",
    azure_policy="bf045164",
    demand=lambda account: account["sku.name"].matches(
        r"(Standard|Premium|StandardV2|PremiumV2)_(ZRS|GRS|RAGRS|GZRS|RAGZRS)"
    ),
)

no_cross_tenant = rule(
    "TRB-ST-010",
    "Blobs are not replicated into other organisations' accounts",
    on=_ACCOUNT,
    severity="medium",
    topic="residency",
    why="Object replication would carry data out of our tenant without anyone reading a blob.",
    fix="Set allow_cross_tenant_replication=False.",
    passes={"allowCrossTenantReplication": False},
    breaks={"allowCrossTenantReplication": True},
    defaults={"allowCrossTenantReplication": False},
    demand=lambda account: account["allowCrossTenantReplication"].is_false,
)

audit_immutable = rule(
    "TRB-ST-011",
    "Audit evidence can't be changed for five years, and nothing else is immutable",
    on="azure-native:storage:BlobContainerImmutabilityPolicy",
    severity="high",
    topic="immutability",
    why="Evidence that can be edited proves nothing; personal data that can't be erased breaks article 17 of the GDPR.",
    fix="Set immutability_period_since_creation_in_days to 1826 or more, on the containers for audit evidence only.",
    passes={"containerName": "audit", "immutabilityPeriodSinceCreationInDays": 1826},
    breaks={"containerName": "uploads", "immutabilityPeriodSinceCreationInDays": 365},
    settings={"containers": ["audit"], "days": 1826},
    demand=lambda policy: (
        policy["containerName"].one_of(*policy.settings["containers"])
        & policy["immutabilityPeriodSinceCreationInDays"].at_least(policy.settings["days"])
    ),
)

_CONTAINER = "azure-native:storage:BlobContainer"
_RETENTION = "azure-native:storage:BlobContainerImmutabilityPolicy"
_LOCK = "pulumi-python:dynamic/tributary:ImmutabilityLock"
"""azure-native has no resource that locks: it is an action."""
_EVIDENCE = Example(_CONTAINER, "audit", {"accountName": "evidence", "containerName": "audit"})
_RETAINED = Example(_RETENTION, "audit", {"accountName": "evidence", "containerName": "audit"})
_LOCKED = Example(_LOCK, "audit", {}, {"policy": [_RETAINED.reference]})

audit_retained = stack_rule(
    "TRB-ST-012",
    "Every container for audit evidence has an immutability policy, and that is locked",
    severity="high",
    topic="immutability",
    why="Until it is locked, whoever may write the policy may shorten or remove it.",
    fix="Add a BlobContainerImmutabilityPolicy for the container, and lock it.",
    passes=[_EVIDENCE, _RETAINED, _LOCKED],
    breaks={
        "no policy": [_EVIDENCE],
        "a policy that is not locked": [_EVIDENCE, _RETAINED],
        "another container's": [
            _EVIDENCE,
            Example(_RETENTION, "audit", {"accountName": "files", "containerName": "audit"}),
            _LOCKED,
        ],
    },
    settings={"containers": ["audit"]},
    demand=lambda stack: stack.each((_CONTAINER,), lambda container: _retained(stack, container)),
)


def _retained(stack: Stack, container: Subject) -> Truth:
    names = stack.settings["containers"]
    if container["containerName"].or_default("").one_of(*names).value is False:
        return Truth(True)
    own = [(each, _of(container, each)) for each in stack.of(_RETENTION)]
    locked = some(
        found & Truth(any(lock.from_("policy", each) for lock in stack.of(_LOCK)), "it is not locked")
        for each, found in own
    )
    return locked.because("no immutability policy of it is locked")


def _of(container: Subject, policy: Subject) -> Truth:
    return every(~policy[name].unlike(container[name]) for name in ("accountName", "containerName"))
