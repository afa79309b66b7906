"""Whole stack, Azure: what only shows when all resources are looked at together."""

from policies.frameworks import CIS, DORA, MCSB, PCI
from policies.properties import Property, Truth, some
from policies.rule import Example, stack_rule
from policies.subject import Stack, Subject

_ENDPOINT = "azure-native:network:PrivateEndpoint"
_ZONE_GROUP = "azure-native:network:PrivateDnsZoneGroup"
_ZONES = ("azure-native:privatedns:PrivateZone", "azure-native:network:PrivateZone")
_DIAGNOSTICS = "azure-native:monitor:DiagnosticSetting"
_LOCKS = (
    "azure-native:authorization:ManagementLockByScope",
    "azure-native:authorization:ManagementLockAtResourceLevel",
)
_SQL, _STORAGE, _VAULT, _REGISTRY, _BUS = (
    "azure-native:sql:Server",
    "azure-native:storage:StorageAccount",
    "azure-native:keyvault:Vault",
    "azure-native:containerregistry:Registry",
    "azure-native:servicebus:Namespace",
)
_ZONE_OF = {
    _SQL: "privatelink.database.windows.net",
    _STORAGE: "privatelink.blob.core.windows.net",
    _VAULT: "privatelink.vaultcore.azure.net",
    _REGISTRY: "privatelink.azurecr.io",
    _BUS: "privatelink.servicebus.windows.net",
}
"""Private DNS zone of each kind of data store: learn.microsoft.com/azure/private-link/private-endpoint-dns."""
_RECORDED = (
    "azure-native:sql:Database",
    _STORAGE,
    _VAULT,
    _REGISTRY,
    _BUS,
    "azure-native:containerservice:ManagedCluster",
    "azure-native:apimanagement:ApiManagementService",
    "azure-native:web:WebApp",
)
_STATEFUL = (_SQL, "azure-native:sql:Database", _STORAGE, _VAULT)


def _reached_privately(stack: Stack, store: Subject) -> Truth:
    endpoints = [each for each in stack.of(_ENDPOINT) if each.from_("privateLinkServiceConnections", store)]
    if not endpoints:
        return Truth(False, "it has no private endpoint")
    zone = _ZONE_OF[store.type]
    groups = [each for each in stack.of(_ZONE_GROUP) if each.from_("privateEndpointName", *endpoints)]
    named = some(_names_zone(stack, group, zone) for group in groups)
    return named.because(f"its private endpoint has no DNS zone group with {zone}")


def _names_zone(stack: Stack, group: Subject, zone: str) -> Truth:
    linked = [each for each in stack.of(*_ZONES) if group.from_("privateDnsZoneConfigs", each)]
    if linked:
        return some(_zone_name(each) == zone for each in linked)
    return group["privateDnsZoneConfigs"].some(lambda each: each["privateDnsZoneId"].matches(f".*/{zone}"))


def _zone_name(zone: Subject) -> Property:
    """As the program names it; in a state, where azure-native keeps what Azure answered, its name."""
    given = zone["privateZoneName"]
    return zone["name"] if given.absent.value else given


_SERVER = Example(_SQL, "main")
_ENDPOINT_EXAMPLE = Example(
    _ENDPOINT,
    "main-sql",
    {"privateLinkServiceConnections": [{"groupIds": ["sqlServer"]}]},
    {"privateLinkServiceConnections": [_SERVER.reference]},
)
_ZONE_EXAMPLE = Example(_ZONES[0], "sql", {"privateZoneName": _ZONE_OF[_SQL]})
_GROUP_EXAMPLE = Example(
    _ZONE_GROUP,
    "main-sql",
    {"privateDnsZoneConfigs": [{"name": "sqlServer"}]},
    {"privateEndpointName": [_ENDPOINT_EXAMPLE.reference], "privateDnsZoneConfigs": [_ZONE_EXAMPLE.reference]},
)

private_endpoints = stack_rule(
    "TRB-STACK-001",
    "Each data store has a private endpoint, and a DNS zone group that names it in the right zone",
    severity="high",
    topic="private networking",
    why="Without the zone, clients in the virtual network resolve the public address and leave the network.",
    fix="Add a PrivateEndpoint for the store and a PrivateDnsZoneGroup with the zone of its kind.",
    passes=[_SERVER, _ENDPOINT_EXAMPLE, _ZONE_EXAMPLE, _GROUP_EXAMPLE],
    breaks={
        "no endpoint": [_SERVER, _ZONE_EXAMPLE],
        "no zone group": [_SERVER, _ENDPOINT_EXAMPLE, _ZONE_EXAMPLE],
        "the wrong zone": [
            _SERVER,
            _ENDPOINT_EXAMPLE,
            Example(_ZONES[0], "sql", {"privateZoneName": _ZONE_OF[_VAULT]}),
            _GROUP_EXAMPLE,
        ],
    },
    checkov_terraform="CKV2_AZURE_33",
    azure_policy="e8eef0a8 1c06e275 7698e800",
    controls={MCSB: ["NS-2"], DORA: ["9.3a"]},
    demand=lambda stack: stack.each(tuple(_ZONE_OF), lambda store: _reached_privately(stack, store)),
)

_VAULT_EXAMPLE = Example(_VAULT, "main")

diagnostics = stack_rule(
    "TRB-STACK-002",
    "Logs of everything that holds or moves data reach the workspace",
    severity="high",
    topic="logging",
    why="Who read what can only be answered from what was recorded before one asked.",
    fix="Add a DiagnosticSetting with resource_uri of the resource and workspace_id.",
    passes=[
        _VAULT_EXAMPLE,
        Example(_DIAGNOSTICS, "main", {"workspaceId": "/w"}, {"resourceUri": [_VAULT_EXAMPLE.reference]}),
    ],
    breaks={
        "no setting": [_VAULT_EXAMPLE],
        "a setting without workspace": [
            _VAULT_EXAMPLE,
            Example(_DIAGNOSTICS, "main", {}, {"resourceUri": [_VAULT_EXAMPLE.reference]}),
        ],
    },
    checkov="CKV_AZURE_4",
    psrule="Azure.AKS.AuditLogs Azure.KeyVault.Logs Azure.ServiceBus.AuditLogs",
    azure_policy="245fc9df cf820ca0 f8d36e2f",
    controls={PCI: ["10.2.1.2"], CIS: ["6.1.4"]},
    demand=lambda stack: stack.each(_RECORDED, lambda resource: _recorded(stack, resource)),
)


def _recorded(stack: Stack, resource: Subject) -> Truth:
    settings = [each for each in stack.of(_DIAGNOSTICS) if each.from_("resourceUri", resource)]
    return some(each["workspaceId"].is_set for each in settings).because("no diagnostic setting sends to a workspace")


_GROUP = Example("azure-native:resources:ResourceGroup", "platform")

budget = stack_rule(
    "TRB-STACK-003",
    "A budget watches what the stack costs",
    severity="low",
    topic="cost",
    why="A runaway autoscaler or a stolen key shows in the bill first.",
    fix="Add a consumption Budget with notifications.",
    passes=[_GROUP, Example("azure-native:consumption:Budget", "platform", {"notifications": {"actual": {}}})],
    breaks={
        "no budget": [_GROUP],
        "a budget that tells nobody": [_GROUP, Example("azure-native:consumption:Budget", "platform")],
    },
    demand=lambda stack: stack.whole(lambda: _watched(stack)),
)


def _watched(stack: Stack) -> Truth:
    if not stack.of(_GROUP.type):
        return Truth(True)
    budgets = stack.of("azure-native:consumption:Budget", "azure-native:costmanagement:Budget")
    return some(each["notifications"].present for each in budgets).because("there is no budget with notifications")


_ROOT = "pulumi:pulumi:Stack"

no_credentials_out = stack_rule(
    "TRB-STACK-004",
    "No output of the stack holds a credential",
    severity="high",
    topic="secrets",
    why="Outputs are printed, stored and read by other stacks; clients sign in by their identity. Secret ones, too.",
    fix="Export addresses and ids only.",
    passes=[Example(_ROOT, "tributary-prod", {"vault": "https://kv-main.vault.azure.net/"})],
    breaks={
        "a connection string": [Example(_ROOT, "tributary-prod", {"files": "AccountName=a;AccountKey=b;"})],
        "a private key": [Example(_ROOT, "tributary-prod", {"tls": {"pem": "-----BEGIN RSA PRIVATE KEY-----"}})],
    },
    demand=lambda stack: stack.each((_ROOT,), lambda root: root[""].holds_nowhere(_CREDENTIAL)),
)
_CREDENTIAL = r"(AccountKey|SharedAccessKey|Password|Pwd)\s*=|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]+\.eyJ[\w-]+\."

_STORE = Example(_STORAGE, "files")

protected = stack_rule(
    "TRB-STACK-005",
    "What holds data is kept from being deleted: by Pulumi's protect, or by a lock",
    severity="medium",
    topic="resource protection",
    why="A renamed resource is deleted and made anew, empty.",
    fix="Set protect=True, or put a CanNotDelete lock on it or on what it is part of.",
    passes=[
        _STORE,
        Example(_LOCKS[0], "files", {"level": "CanNotDelete"}, {"scope": [_STORE.reference]}),
        Example(_VAULT, "main", protected=True),
    ],
    breaks={"neither": [_STORE]},
    demand=lambda stack: stack.each(_STATEFUL, lambda store: _kept(stack, store)),
)


def _kept(stack: Stack, store: Subject) -> Truth:
    locks = stack.of(*_LOCKS)
    parts = [store, *(each for each in stack.of(*_STATEFUL) if store.uses_any(each))]
    locked = any(each.uses_any(part) for each in locks for part in parts)
    return Truth(locked or any(each.protected for each in parts), "it has neither protect nor a lock")


_NSG = Example("azure-native:network:NetworkSecurityGroup", "cluster")
_SUBNET = Example(
    "azure-native:network:Subnet", "cluster", {"networkSecurityGroup": {}}, {"networkSecurityGroup": [_NSG.reference]}
)

no_orphans = stack_rule(
    "TRB-STACK-006",
    "Every network security group guards something, and every private endpoint has a name",
    severity="low",
    topic="hygiene",
    why="A group that nothing uses looks like protection; an endpoint without a name is not used.",
    fix="Attach it, or remove it.",
    passes=[_NSG, _SUBNET, _SERVER, _ENDPOINT_EXAMPLE, _ZONE_EXAMPLE, _GROUP_EXAMPLE],
    breaks={"an idle group": [_NSG], "a nameless endpoint": [_SERVER, _ENDPOINT_EXAMPLE, _ZONE_EXAMPLE]},
    demand=lambda stack: stack.each(
        (_NSG.type, _ENDPOINT),
        lambda each: Truth(stack.uses(each), "nothing in the stack uses it"),
    ),
)
