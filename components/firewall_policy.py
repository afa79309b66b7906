"""Firewall policy: what the web application firewall of an Application Gateway lets through."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network

from components.common import Site

_SCRUBBED = (("RequestHeaderNames", "authorization"), ("RequestHeaderNames", "cookie"))


def firewall_policy(
    name: str, requests_per_minute: int, uploads: Sequence[str], site: Site, opts: pulumi.ResourceOptions
) -> network.WebApplicationFirewallPolicy:
    """Microsoft's rules against OWASP's attacks and bots, in prevention mode, and a limit of requests an address.

    Files that are posted to the paths of uploads pass the rules by, and that limit alone holds for them.
    """
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
                network.ManagedRuleSetArgs(rule_set_type="Microsoft_DefaultRuleSet", rule_set_version="2.1"),
                network.ManagedRuleSetArgs(rule_set_type="Microsoft_BotManagerRuleSet", rule_set_version="1.1"),
            ],
        ),
        # The first that holds decides, so the limit comes first.
        custom_rules=[_limit(requests_per_minute), *([_let_in(uploads)] if uploads else [])],
        tags=site.tags,
        opts=opts,
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
