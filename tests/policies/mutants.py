"""What the mutation gate breaks beside what rules declare themselves, and which further rules must fire with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class StackMutant:
    """A change of one resource that a rule about the whole stack must notice.

    type, name: which resource, the first whose URN has the name in it. changes: new values by dotted path; `...`
    removes. also: other rules that must fire with it.
    """

    what: str
    type: str
    name: str = ""
    changes: Mapping[str, Any]
    also: Sequence[str] = ()


ALSO: dict[tuple[str, str], Sequence[str]] = {
    ("TRB-AZURE-004", "publicNetworkAccess"): ["TRB-ACR-003"],
    ("TRB-AZURE-025", "virtualNetworkType"): ["TRB-APIM-001"],
    ("TRB-AZURE-026", "enableClientCertificate"): ["TRB-APIM-008"],
    ("TRB-AZURE-053", "isLedgerOn"): ["TRB-SQL-014"],
    ("TRB-AZURE-062", "properties.softDeleteRetentionInDays"): ["TRB-KV-002"],
    ("TRB-AZURE-063", "properties.enablePurgeProtection"): ["TRB-KV-001"],
    ("TRB-AZURE-064", "properties.enablePurgeProtection"): ["TRB-KV-001"],
    ("TRB-AZURE-067", "properties.keySize"): ["TRB-KV-008"],
    ("TRB-AZURE-077", "encryption.requireInfrastructureEncryption"): ["TRB-ST-008"],
    ("TRB-AZURE-081", "sku.name"): ["TRB-ST-009"],
    ("TRB-AZURE-095", "aadProfile"): ["TRB-AKS-002"],
    ("TRB-AZURE-096", "enableRBAC"): ["TRB-AKS-002"],
    ("TRB-AZURE-097", "oidcIssuerProfile.enabled"): ["TRB-AKS-012"],
    ("TRB-AZURE-105", "oidcIssuerProfile.enabled"): ["TRB-AKS-012"],
    ("TRB-AZURE-106", "apiServerAccessProfile.enablePrivateCluster"): ["TRB-AKS-003"],
    ("TRB-AZURE-112", "sku.tier"): ["TRB-NET-006"],
    ("TRB-AZURE-113", "sku.tier"): ["TRB-NET-006"],
    ("TRB-AZURE-115", "sku.tier"): ["TRB-NET-006"],
    ("TRB-AZURE-120", "sku.name"): ["TRB-NET-008"],
    ("TRB-AZURE-121", "sku.name"): ["TRB-NET-008"],
    ("TRB-AZURE-130", "sku.name"): ["TRB-WEB-010"],
    ("TRB-AZURE-131", "sku.capacity"): ["TRB-WEB-010"],
    ("TRB-AZURE-146", "workspaceId"): ["TRB-MON-006", "TRB-STACK-002"],
    ("TRB-ACR-006", "location"): ["TRB-ALL-001"],
    ("TRB-APIM-001", "virtualNetworkType"): ["TRB-APIM-002"],
    ("TRB-ID-001", "location"): ["TRB-ALL-001"],
    ("TRB-K8S-011", "spec.template.spec.containers.0.image"): ["TRB-K8S-010"],
    ("TRB-MON-006", "workspaceId"): ["TRB-STACK-002"],
    ("TRB-PSD2-002", "properties.keyOps"): ["TRB-KV-009"],
    ("TRB-PSD2-002", "properties.kty"): ["TRB-KV-007"],
    ("TRB-PSD2-003", "keyName"): ["TRB-PSD2-002"],
    ("TRB-ST-011", "containerName"): ["TRB-ST-012"],
    ("TRB-STACK-001", "no zone group"): ["TRB-STACK-006"],
    ("TRB-STACK-006", "a nameless endpoint"): ["TRB-STACK-001"],
    ("TRB-STACK-009", "a scaler of nothing"): ["TRB-STACK-008"],
    ("TRB-STACK-009", "a budget of nothing"): ["TRB-STACK-008"],
}
"""(rule, path that is broken) → other rules that must fire, too; those about what Azure takes need not be named."""

INSTEAD: dict[tuple[str, str], Mapping[str, Any]] = {
    ("TRB-KV-006", "properties.attributes.expires"): {"properties.rotationPolicy.attributes.expiryTime": ""},
}
"""(rule, path) → what to change instead, where a resource may comply in another way than the rule's example."""

STACK_MUTANTS: dict[str, Sequence[StackMutant]] = {
    "TRB-KV-010": [
        StackMutant(
            what="certificates that expire unheard",
            type="azure-native:eventgrid:SystemTopicEventSubscription",
            name="expiry",
            changes={"filter.includedEventTypes": ["Microsoft.KeyVault.KeyNearExpiry"]},
        )
    ],
    "TRB-ST-012": [
        StackMutant(
            what="retention of another account's container",
            type="azure-native:storage:BlobContainerImmutabilityPolicy",
            changes={"accountName": "another"},
        )
    ],
    "TRB-STACK-001": [
        StackMutant(
            what="private zone of another service",
            type="azure-native:privatedns:PrivateZone",
            name="database",
            changes={"privateZoneName": "privatelink.example"},
        ),
        StackMutant(
            what="private endpoint of nothing",
            type="azure-native:network:PrivateEndpoint",
            name="sql",
            changes={"privateLinkServiceConnections": []},
        ),
    ],
    "TRB-STACK-002": [
        StackMutant(
            what="diagnostic setting without workspace",
            type="azure-native:monitor:DiagnosticSetting",
            name="vault",
            changes={"workspaceId": ...},
            also=["TRB-MON-006"],
        )
    ],
    "TRB-STACK-003": [
        StackMutant(
            what="budget that tells nobody", type="azure-native:consumption:Budget", changes={"notifications": {}}
        )
    ],
    "TRB-STACK-004": [
        StackMutant(
            what="key in an output",
            type="pulumi:pulumi:Stack",
            changes={"files": "AccountName=files;AccountKey=c2VjcmV0;"},
        )
    ],
    "TRB-STACK-006": [
        StackMutant(
            what="subnet without group",
            type="azure-native:network:Subnet",
            changes={"networkSecurityGroup": ...},
            also=["TRB-NET-004"],
        )
    ],
    "TRB-STACK-008": [
        StackMutant(
            what="disruption budget that lets none go",
            type="kubernetes:policy/v1:PodDisruptionBudget",
            changes={"spec.minAvailable": 99},
        )
    ],
    "TRB-STACK-009": [
        StackMutant(
            what="autoscaler of nothing",
            type="kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
            changes={"spec.scaleTargetRef.name": "nothing"},
        )
    ],
}
"""Rule about the whole stack → changes of the prod stack that break it.

TRB-APIM-014 has none: whether the backend has credentials is an answer of Azure's, not known in a preview.
TRB-ID-003 has none: prod as committed leaves the directory to its own deployment.
TRB-STACK-005 has none: what holds data in prod is both protected and locked, so that one change leaves it kept.
TRB-STACK-007 has none: beside each service's own policy one denies all pods of the namespace everything, and what a
pod elsewhere would be covered by is not known in a preview. Their examples kill them.
"""
