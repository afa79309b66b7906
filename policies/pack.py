"""Pack: hands the rules to CrossGuard. Importable without serving; policies/__main__.py serves."""

from __future__ import annotations

import datetime
import functools
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import pulumi_policy as crossguard

import policies.rules
from policies.deployed import Deployed
from policies.judging import Finding, applies, is_about, judge, judge_stack
from policies.once import Policies
from policies.rule import Rule, rules
from policies.subject import Stack, Subject, completed, stack_of, without_version
from policies.waivers import Ledger, Waiver

NAME = "tributary"
CATALOGUE = "docs/policies"
_JSON_TYPES: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "number"},
    float: {"type": "number"},
    list: {"type": "array", "items": {"type": "string"}},
}
WAIVERS = "TRB-WAIVER-001"


def load() -> list[Rule]:
    """All rules of the pack: those of every module in policies/rules."""
    for module in pkgutil.iter_modules(policies.rules.__path__):
        importlib.import_module(f"policies.rules.{module.name}")
    return rules()


def policies_of(
    found: list[Rule], waivers: list[Waiver], today: datetime.date, deployed: Deployed | None = None
) -> list[crossguard.Policy]:
    """The pack's policies. Mandatory unless the policy config says otherwise. deployed: None where it is not known."""
    ledger = Ledger(waivers, today)
    inputs: dict[str, Any] = {}
    """Of every resource that was judged by itself, by URN: the engine shows the whole stack afterwards."""
    whole = _Whole()
    made: list[crossguard.Policy] = [
        _stack(each, ledger, inputs, whole) if each.judges_stack else _each(each, ledger, inputs, deployed)
        for each in found
    ]
    return Policies([*made, _no_idle_waiver(ledger)], functools.partial(_about, _places(found)))


def _places(found: list[Rule]) -> dict[str, list[int]]:
    """By type, or "azure-native:*", the rules that name it; rules about the stack name none."""
    places: dict[str, list[int]] = {}
    for place, each in enumerate(found):
        for type_ in each.on:
            places.setdefault(type_, []).append(place)
    return places


def _about(places: Mapping[str, list[int]], type_: str) -> list[int]:
    """Which rules are about a type; at least one, which notes the resource's inputs for the rules about the stack."""
    bare = without_version(type_)
    about = [place for named, found in places.items() if is_about(named, bare) for place in found]
    return sorted(set(about)) or next(iter(places.values()), [])[:1]


def _said_of(rule: Rule) -> dict[str, Any]:
    properties = {key: {**_JSON_TYPES[type(value)], "default": value} for key, value in rule.settings.items()}
    name, items = next(iter(rule.controls.items()), (None, ()))
    return {
        "name": rule.id,
        "description": f"{rule.id} {rule.title}.",
        "display_name": rule.title,
        "enforcement_level": crossguard.EnforcementLevel.MANDATORY,
        "config_schema": crossguard.PolicyConfigSchema(properties) if properties else None,
        "severity": crossguard.Severity(rule.severity),
        "tags": [rule.topic, *[f"{key} {item}" for key, values in rule.controls.items() for item in values]],
        "framework": crossguard.PolicyComplianceFramework(name=name, specification=", ".join(items)) if name else None,
        "remediation_steps": rule.fix,
        "url": f"{CATALOGUE}/{rule.service.lower()}.md#{rule.id.lower()}",
    }


def _each(rule: Rule, ledger: Ledger, inputs: dict[str, Any], deployed: Deployed | None) -> crossguard.Policy:
    def validate(args: crossguard.ResourceValidationArgs, report: crossguard.ReportViolation) -> None:
        inputs[args.urn] = args.props
        subject = subject_of(args, deployed.of(args.urn) if deployed else None)
        if not applies(rule, subject):
            return
        finding = judge(rule, subject, args.get_config())
        if finding.status == "not evaluated":
            ledger.waiver_of(finding)
            args.not_applicable(f"not evaluated: {finding.reason}")
        _report(finding, ledger, report, "")

    def remediate(args: crossguard.ResourceValidationArgs) -> Mapping[str, Any] | None:
        subject = subject_of(args)
        if not applies(rule, subject) or judge(rule, subject, args.get_config()).status != "failed":
            return None
        return remedied(args.props, rule.remedy(subject) if callable(rule.remedy) else rule.remedy)

    # Its type asks for an awaitable, its code takes either.
    remedy: Any = remediate if rule.remedy else None
    return crossguard.ResourceValidationPolicy(validate=validate, remediate=remedy, **_said_of(rule))


class _Whole:
    """The stack that CrossGuard handed over last; every policy about the stack is handed the same in turn."""

    def __init__(self) -> None:
        self._handed: object = None
        self._stack = Stack([])

    def of(self, args: crossguard.StackValidationArgs, inputs: Mapping[str, Any]) -> Stack:
        """The stack. The policies of one request are handed the same list (policies/once.py)."""
        if self._handed is not args.resources:
            self._handed, self._stack = args.resources, stack_of_args(args, inputs)
        return self._stack


def _stack(rule: Rule, ledger: Ledger, inputs: Mapping[str, Any], whole: _Whole) -> crossguard.Policy:
    def validate(args: crossguard.StackValidationArgs, report: crossguard.ReportViolation) -> None:
        stack_urn = next((each.urn for each in args.resources if each.resource_type == "pulumi:pulumi:Stack"), "")
        unknown: list[str] = []
        for finding in judge_stack(rule, whole.of(args, inputs), args.get_config()):
            if finding.status == "not evaluated":
                ledger.waiver_of(finding, stack_urn)
                unknown.append(f"{finding.urn or 'the stack'}: {finding.reason}")
            _report(finding, ledger, report, stack_urn)
        if unknown:
            args.not_applicable(f"not evaluated: {'; '.join(unknown)}")

    return crossguard.StackValidationPolicy(validate=validate, **_said_of(rule))


def _report(finding: Finding, ledger: Ledger, report: crossguard.ReportViolation, stack_urn: str) -> None:
    if finding.status != "failed":
        return
    waived, words = ledger.forgiven(finding, stack_urn)
    if not waived:
        lines = (f"Found: {finding.reason}." if finding.reason else "", f"Fix: {finding.rule.fix}", words)
        report("\n".join(line for line in lines if line), finding.urn or None)


def _no_idle_waiver(ledger: Ledger) -> crossguard.Policy:
    def validate(args: crossguard.StackValidationArgs, report: crossguard.ReportViolation) -> None:
        # A stack without resources still has its root; without even that there is no stack to name.
        for stack in {stack_of(each.urn) for each in args.resources}:
            for waiver, why in ledger.idle(stack):
                report(f"{waiver.where}: the waiver of {waiver.rule} for {waiver.resource}: {why}. Remove it.", None)

    return crossguard.StackValidationPolicy(
        name=WAIVERS,
        description=f"{WAIVERS} Every waiver is in force and of use.",
        display_name="Every waiver is in force and of use",
        enforcement_level=crossguard.EnforcementLevel.MANDATORY,
        severity=crossguard.Severity.HIGH,
        remediation_steps="Remove the waiver from policies/waivers.yaml, or renew it with its owner.",
        validate=validate,
    )


def subject_of(args: crossguard.ResourceValidationArgs, deployed: Mapping[str, Any] | None = None) -> Subject:
    """A resource as CrossGuard hands it over for a single judgement. deployed: see Subject."""
    type_ = without_version(args.resource_type)
    return Subject(type_, args.name, args.urn, args.props, bool(args.opts.protect), deployed=deployed)


def stack_of_args(args: crossguard.StackValidationArgs, inputs: Mapping[str, Any]) -> Stack:
    """A stack as CrossGuard hands it over. inputs: what its resources were registered with, by URN."""
    resources = [
        Subject(
            without_version(each.resource_type),
            each.name,
            each.urn,
            each.props,
            bool(each.opts.protect),
            uses={key: [used.urn for used in value] for key, value in each.property_dependencies.items()},
        )
        for each in args.resources
    ]
    return Stack([completed(each, inputs) for each in resources])


def remedied(properties: Any, remedy: Mapping[str, Any]) -> Any:
    """Inputs with what a remedy sets, in place; what it does not name stays, in inner objects, too."""
    for key, value in remedy.items():
        held = properties.get(key)
        if isinstance(value, Mapping) and isinstance(held, Mapping):
            remedied(held, value)
        else:
            properties[key] = value
    return properties
