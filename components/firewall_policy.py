"""Firewall policy: what the web application firewall of an Application Gateway lets through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from components.common import Site

_SCRUBBED = (("RequestHeaderNames", "authorization"), ("RequestHeaderNames", "cookie"))
_RULES, _VERSION = "Microsoft_DefaultRuleSet", "2.1"
_REPLACED = ("942110", "942150", "942260", "942430", "942440")
"""Microsoft says to turn them off on an Application Gateway: newer rules of the same set stand for four, and the fifth,
which counts hyphens and colons, stops too many that mean well (learn.microsoft.com/azure/web-application-firewall/ag/
application-gateway-crs-rulegroups-rules, "Microsoft Threat Intelligence Collection rules")."""
_OTHER_HOST = "931130"


@dataclass(frozen=True, kw_only=True)
class PassArgs:
    """What the firewall must not stop, since the application means it. Arguments: of a query, a form or JSON, by name.

    uploads: paths that files are posted to as they are, e.g. "/api/photos"; elsewhere a body has at most 128 KB. No
    rule looks into these requests: what is behind the path has to, and bounds their size.
    links: arguments that are addresses of other hosts. JSON's may be inside others, and end with this name.
    secrets: arguments that are passwords, codes or tokens. No rule looks into them, so none logs them either.
    """

    uploads: Sequence[str] = ()
    links: Sequence[str] = ()
    secrets: Sequence[str] = ()

    def __post_init__(self) -> None:
        if any(re.fullmatch(r"/[^?#*\s]+", path) is None for path in self.uploads):
            raise ValueError(f"uploads: {list(self.uploads)} are not all paths such as /api/photos.")


def firewall_policy(
    name: str, requests_per_minute: int, passes: PassArgs, site: Site, opts: pulumi.ResourceOptions
) -> network.WebApplicationFirewallPolicy:
    """Microsoft's rules against OWASP's attacks and bots, in prevention mode, and a limit of requests an address."""
    return network.WebApplicationFirewallPolicy(
        name,
        policy_name=site.name("waf", name),
        resource_group_name=site.resource_group,
        location=site.location,
        policy_settings=network.PolicySettingsArgs(
            state="Enabled",
            mode="Prevention",
            request_body_check=True,
            request_body_enforcement=True,
            request_body_inspect_limit_in_kb=128,
            max_request_body_size_in_kb=128,
            file_upload_enforcement=True,
            file_upload_limit_in_mb=10,
            # What a rule matched is logged, and that may be a token.
            log_scrubbing=network.PolicySettingsLogScrubbingArgs(
                state="Enabled",
                scrubbing_rules=[
                    network.WebApplicationFirewallScrubbingRulesArgs(
                        match_variable=variable, selector_match_operator="Equals", selector=selector, state="Enabled"
                    )
                    for variable, selector in _SCRUBBED
                ],
            ),
        ),
        managed_rules=network.ManagedRulesDefinitionArgs(
            managed_rule_sets=[
                network.ManagedRuleSetArgs(
                    rule_set_type=_RULES,
                    rule_set_version=_VERSION,
                    rule_group_overrides=[
                        network.ManagedRuleGroupOverrideArgs(
                            rule_group_name="SQLI",
                            rules=[
                                network.ManagedRuleOverrideArgs(rule_id=each, state="Disabled") for each in _REPLACED
                            ],
                        )
                    ],
                ),
                network.ManagedRuleSetArgs(rule_set_type="Microsoft_BotManagerRuleSet", rule_set_version="1.1"),
            ],
            exclusions=[
                *(_excluded(argument, "EndsWith", {"RFI": [_OTHER_HOST]}) for argument in passes.links),
                *(_excluded(argument, "Equals", {}) for argument in passes.secrets),
            ],
        ),
        # The first that holds decides, so the limit comes first.
        custom_rules=[_limit(requests_per_minute), *([_let_in(passes.uploads)] if passes.uploads else [])],
        tags=site.tags,
        opts=opts,
    )


def _excluded(argument: str, operator: str, groups: dict[str, list[str]]) -> network.OwaspCrsExclusionEntryArgs:
    # In these rules of these groups; in every one of the set, where no group is named.
    return network.OwaspCrsExclusionEntryArgs(
        match_variable="RequestArgValues",
        selector_match_operator=operator,
        selector=argument,
        exclusion_managed_rule_sets=[
            network.ExclusionManagedRuleSetArgs(
                rule_set_type=_RULES,
                rule_set_version=_VERSION,
                rule_groups=[
                    network.ExclusionManagedRuleGroupArgs(
                        rule_group_name=group, rules=[network.ExclusionManagedRuleArgs(rule_id=each) for each in rules]
                    )
                    for group, rules in groups.items()
                ]
                or None,
            )
        ],
    )


def _limit(requests_per_minute: int) -> network.WebApplicationFirewallCustomRuleArgs:
    return network.WebApplicationFirewallCustomRuleArgs(
        name="limit",
        priority=1,
        rule_type="RateLimitRule",
        rate_limit_duration="OneMin",
        rate_limit_threshold=requests_per_minute,
        group_by_user_session=[
            network.GroupByUserSessionArgs(group_by_variables=[network.GroupByVariableArgs(variable_name="ClientAddr")])
        ],
        # A limit needs a condition; this one holds for every address
        # (learn.microsoft.com/azure/web-application-firewall/ag/rate-limiting-configure).
        match_conditions=[
            network.MatchConditionArgs(
                match_variables=[network.MatchVariableArgs(variable_name="RemoteAddr")],
                operator="IPMatch",
                negation_conditon=True,
                match_values=["255.255.255.255/32"],
            )
        ],
        action="Block",
        state="Enabled",
    )


def _let_in(paths: Sequence[str]) -> network.WebApplicationFirewallCustomRuleArgs:
    # Only multipart/form-data counts as a file: any other body is held to the 128 KB above, unless a rule allows it
    # (learn.microsoft.com/azure/web-application-firewall/ag/application-gateway-waf-request-size-limits).
    conditions = {"RequestMethod": ["POST"], "RequestUri": list(paths)}
    return network.WebApplicationFirewallCustomRuleArgs(
        name="uploads",
        priority=2,
        rule_type="MatchRule",
        match_conditions=[
            network.MatchConditionArgs(
                match_variables=[network.MatchVariableArgs(variable_name=variable)],
                operator="Equal",
                match_values=values,
            )
            for variable, values in conditions.items()
        ],
        action="Allow",
        state="Enabled",
    )
