"""Network: what is let in, and that every subnet has somebody at the door."""

from policies.properties import Property, Truth
from policies.rule import rule

_NSG = "azure-native:network:NetworkSecurityGroup"
_RULE = "azure-native:network:SecurityRule"
_ANYWHERE = ("*", "0.0.0.0/0", "::/0", "internet", "any")
_EXEMPT = ("AzureFirewallSubnet", "GatewaySubnet", "AzureBastionSubnet", "RouteServerSubnet")
"""Subnets that Azure lets have no group of ours."""


def _lets_in(rule: Property) -> Truth:
    return rule["access"].or_default("Allow").none_of("Deny") & rule["direction"].or_default("Inbound").none_of(
        "Outbound"
    )


def _from_anywhere(rule: Property) -> Truth:
    return ~(
        rule["sourceAddressPrefix"].or_default("none").none_of(*_ANYWHERE)
        & rule["sourceAddressPrefixes"].every(lambda each: each.none_of(*_ANYWHERE))
    )


def _port(rule: Property, ports: tuple[int, ...]) -> Truth:
    def clear(given: Property) -> Truth:
        return given.excludes_ports(*ports)

    return ~(clear(rule["destinationPortRange"].or_default("none")) & rule["destinationPortRanges"].every(clear))


def _guarded(rule: Property) -> Truth:
    """Nothing from anywhere to everything or to SSH and RDP."""
    return ~(_lets_in(rule) & _from_anywhere(rule) & _port(rule, (22, 3389)))


def _no_http(rule: Property) -> Truth:
    return ~(_lets_in(rule) & _from_anywhere(rule) & _port(rule, (80,)))


_OPEN = {
    "access": "Allow",
    "direction": "Inbound",
    "sourceAddressPrefix": "Internet",
    "destinationPortRange": "443",
}

group_guards = rule(
    "TRB-NET-001",
    "No network security group lets the internet in on SSH, RDP or every port",
    on=_NSG,
    severity="critical",
    topic="exposure",
    why="These ports are tried within minutes of being open.",
    fix="Name the addresses that may come in, or use Bastion.",
    passes={"securityRules": [_OPEN]},
    breaks={"securityRules.0.destinationPortRange": "20-25"},
    absent_passes="securityRules.0.destinationPortRange",
    checkov="CKV_AZURE_9 CKV_AZURE_10",
    psrule="Azure.NSG.AnyInboundSource",
    azure_policy="9daedab3",
    demand=lambda group: group["securityRules"].every(_guarded),
)

rule_guards = rule(
    "TRB-NET-002",
    "No security rule lets the internet in on SSH, RDP or every port",
    on=_RULE,
    severity="critical",
    topic="exposure",
    why="These ports are tried within minutes of being open.",
    fix="Name the addresses that may come in, or use Bastion.",
    passes=_OPEN,
    breaks={"destinationPortRange": "*"},
    absent_passes="destinationPortRange",
    checkov="CKV_AZURE_9 CKV_AZURE_10",
    psrule="Azure.NSG.AnyInboundSource",
    azure_policy="9daedab3",
    demand=lambda rule: _guarded(rule[""]),
)

no_plain_http = rule(
    "TRB-NET-003",
    "No network security group lets the internet in on port 80",
    on=_NSG,
    severity="medium",
    topic="encryption",
    why="What listens there speaks in the clear.",
    fix="Let in 443 only; the edge redirects.",
    passes={"securityRules": [_OPEN]},
    breaks={"securityRules.0.destinationPortRange": "80"},
    absent_passes="securityRules.0.destinationPortRange",
    checkov="CKV_AZURE_160",
    demand=lambda group: group["securityRules"].every(_no_http),
)

subnet_has_group = rule(
    "TRB-NET-004",
    "Every subnet has a network security group",
    on="azure-native:network:Subnet",
    severity="medium",
    topic="hardening",
    why="Without one, everything in the virtual network reaches everything in the subnet.",
    fix="Set network_security_group.",
    passes={"subnetName": "cluster", "networkSecurityGroup": {"id": "/subscriptions/s/nsg"}},
    breaks={"networkSecurityGroup.id": ""},
    checkov_terraform="CKV2_AZURE_31",
    psrule="Azure.VNET.UseNSGs",
    azure_policy="e71308d3",
    demand=lambda subnet: (
        subnet["networkSecurityGroup.id"].present | subnet["subnetName"].or_default("").one_of(*_EXEMPT)
    ),
)

inline_subnet_has_group = rule(
    "TRB-NET-005",
    "Every subnet declared with its virtual network has a network security group",
    on="azure-native:network:VirtualNetwork",
    severity="medium",
    topic="hardening",
    why="Without one, everything in the virtual network reaches everything in the subnet.",
    fix="Set network_security_group.",
    passes={"subnets": [{"name": "cluster", "networkSecurityGroup": {"id": "/subscriptions/s/nsg"}}]},
    breaks={"subnets.0.networkSecurityGroup.id": ""},
    checkov_terraform="CKV2_AZURE_31",
    psrule="Azure.VNET.UseNSGs",
    azure_policy="e71308d3",
    demand=lambda network: network["subnets"].every(
        lambda subnet: subnet["networkSecurityGroup.id"].present | subnet["name"].or_default("").one_of(*_EXEMPT)
    ),
)

gateway_has_waf = rule(
    "TRB-NET-006",
    "An application gateway has a web application firewall that blocks",
    on="azure-native:network:ApplicationGateway",
    severity="high",
    topic="hardening",
    why="It stops the common attacks before they reach code of ours.",
    fix='Set sku.tier="WAF_v2" and firewall_policy.',
    passes={"sku": {"tier": "WAF_v2"}, "firewallPolicy": {"id": "/subscriptions/s/waf"}},
    breaks={"sku.tier": "Standard_v2", "firewallPolicy.id": ""},
    checkov_terraform="CKV_AZURE_120",
    psrule="Azure.AppGw.UseWAF",
    azure_policy="564feb30",
    demand=lambda gateway: (gateway["sku.tier"] == "WAF_v2") & gateway["firewallPolicy.id"].present,
)

edge_blocks = rule(
    "TRB-NET-007",
    "Front Door's web application firewall is on and blocks instead of only recording",
    on="azure-native:frontdoor:Policy",
    severity="high",
    topic="hardening",
    why="One that only records stops nobody.",
    fix='Set policy_settings with mode="Prevention" and enabled_state="Enabled".',
    passes={"policySettings": {"mode": "Prevention", "enabledState": "Enabled"}},
    breaks={"policySettings.mode": "Detection", "policySettings.enabledState": "Disabled"},
    demand=lambda waf: (waf["policySettings.mode"] == "Prevention") & (waf["policySettings.enabledState"] == "Enabled"),
)

gateway_blocks = rule(
    "TRB-NET-009",
    "An application gateway's web application firewall is on and blocks instead of only recording",
    on="azure-native:network:WebApplicationFirewallPolicy",
    severity="high",
    topic="hardening",
    why="One that only records stops nobody.",
    fix='Set policy_settings with mode="Prevention" and state="Enabled".',
    passes={"policySettings": {"mode": "Prevention", "state": "Enabled"}},
    breaks={"policySettings.mode": "Detection", "policySettings.state": "Disabled"},
    demand=lambda waf: (waf["policySettings.mode"] == "Prevention") & (waf["policySettings.state"] == "Enabled"),
)

standard_addresses = rule(
    "TRB-NET-008",
    "Public addresses are of the standard kind: closed until a group opens them",
    on="azure-native:network:PublicIPAddress",
    severity="low",
    topic="exposure",
    why="Basic ones are open by default, and Azure ended them in September 2025.",
    fix='Set sku.name="Standard".',
    passes={"sku": {"name": "Standard"}},
    breaks={"sku.name": "Basic"},
    demand=lambda address: address["sku.name"].one_of("Standard", "StandardV2"),
)
