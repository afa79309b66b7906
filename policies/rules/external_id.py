"""External ID and B2C: where the directory of our users lies, how they sign in. Rules of ours."""

from policies.properties import Truth, some
from policies.rule import Example, rule, stack_rule
from policies.subject import Stack

_GRAPH = "pulumi-python:dynamic/tributary:GraphObject"
"""An object of Microsoft Graph: no resource type of a published provider has its flows and applications."""
_APPLICATIONS = r"(v1\.0|beta)/applications"
_ELSEWHERE = r"^http:(?!//(localhost|127\.0\.0\.1)(:\d+)?(/|$))"
"""Plain HTTP leaves no device when it is to a loopback address (RFC 8252, section 7.3)."""
_FLOWS = r"(v1\.0|beta)/identity/(authenticationEventsFlows|b2cUserFlows)"
_ACCESS = r"(v1\.0|beta)/identity/conditionalAccess/policies"

in_europe = rule(
    "TRB-ID-001",
    "The users' directory lies in Europe",
    on=("azure-native:azureactivedirectory:CIAMTenant", "azure-native:azureactivedirectory:B2CTenant"),
    severity="high",
    topic="residency",
    why="It holds who our users are; it can't be moved after it was made.",
    fix='Set location="Europe".',
    passes={"location": "Europe"},
    breaks={"location": "United States"},
    demand=lambda directory: directory["location"].one_of("Europe", "europe"),
)

https_redirects = rule(
    "TRB-ID-002",
    "People are sent back to HTTPS addresses only after signing in",
    on=_GRAPH,
    severity="high",
    topic="identity",
    why="The address carries the code that tokens are given for; RFC 9700 section 2.1 asks for exact, guarded ones.",
    fix="Name https:// addresses in spa and web; a native app's own scheme is good, and http:// to its own device.",
    passes={
        "path": "v1.0/applications",
        "body": {
            "spa": {"redirectUris": ["https://app.example/"]},
            "web": {"redirectUris": ["https://app.example/"]},
            "publicClient": {"redirectUris": ["msauth.example://auth", "http://localhost", "http://127.0.0.1:8400/"]},
        },
    },
    breaks={
        "body.spa.redirectUris": ["http://app.example/"],
        "body.web.redirectUris": ["http://app.example/"],
        "body.publicClient.redirectUris": ["http://localhost.app.example/"],
    },
    absent_passes="body.spa.redirectUris body.web.redirectUris body.publicClient.redirectUris",
    demand=lambda thing: (
        ~thing["path"].or_default("").matches(_APPLICATIONS)
        | (
            thing["body.spa.redirectUris"].every(lambda each: each.matches("(?i)https://.+"))
            & thing["body.web.redirectUris"].every(lambda each: each.matches("(?i)https://.+"))
            & thing["body.publicClient.redirectUris"].every(lambda each: each.lacks(_ELSEWHERE))
        )
    ),
)

_FLOW = Example(
    _GRAPH, "flow", {"path": "v1.0/identity/authenticationEventsFlows", "body": {"displayName": "Tributary"}}
)


def _access(state: str, control: str) -> Example:
    body = {"state": state, "grantControls": {"builtInControls": [control]}}
    return Example(_GRAPH, "second-factor", {"path": "v1.0/identity/conditionalAccess/policies", "body": body})


second_factor = stack_rule(
    "TRB-ID-003",
    "Where people sign in, a second factor is asked for",
    severity="critical",
    topic="open banking",
    why="PSD2 asks for strong customer authentication; a password that was used elsewhere opens every account.",
    fix='Add a Conditional Access policy, enabled, with the control "mfa".',
    passes=[_FLOW, _access("enabled", "mfa")],
    breaks={
        "no policy": [_FLOW],
        "one that only reports": [_FLOW, _access("enabledForReportingButNotEnforced", "mfa")],
        "one that asks for something else": [_FLOW, _access("enabled", "compliantDevice")],
    },
    demand=lambda stack: stack.whole(lambda: _asked_twice(stack)),
)


def _asked_twice(stack: Stack) -> Truth:
    signed_in = some(each["path"].or_default("").matches(_FLOWS) for each in stack.of(_GRAPH))
    guarded = some(
        each["path"].or_default("").matches(_ACCESS)
        & (each["body.state"] == "enabled")
        & each["body.grantControls.builtInControls"].includes("mfa")
        for each in stack.of(_GRAPH)
    )
    return (~signed_in | guarded).because("no Conditional Access policy that is enabled asks for a second factor")
