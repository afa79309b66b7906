"""JUnit XML, as pipelines read it: a suite a service, a case for each rule and resource."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from policies.assessment import Verdict
from policies.evidence.subject import Evidence, resource_name


def junit(evidence: Evidence) -> str:
    """The document."""
    root = ElementTree.Element("testsuites", name=f"policies of {evidence.stack}")
    services = sorted({each.rule.service for each in evidence.assessment.verdicts})
    for service in services:
        _suite(root, evidence, service, [v for v in evidence.assessment.verdicts if v.rule.service == service])
    _count(root, root.iter("testcase"))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ElementTree.Element, evidence: Evidence, service: str, verdicts: list[Verdict]) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=service, timestamp=f"{evidence.at:%Y-%m-%dT%H:%M:%S}")
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _circumstances(evidence):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for each in verdicts:
        _case(suite, each)
    _count(suite, suite.iter("testcase"))


def _circumstances(evidence: Evidence) -> Iterable[tuple[str, str]]:
    return ("judged", evidence.source), ("sha256", evidence.digest), ("compared with", evidence.compared)


def _case(suite: ElementTree.Element, verdict: Verdict) -> None:
    rule = verdict.rule
    name = f"{resource_name(verdict.urn)} ({verdict.urn.split('::')[-2].rsplit('$', 1)[-1]})"
    case = ElementTree.SubElement(suite, "testcase", classname=f"{rule.id} {rule.title}", name=name, time="0")
    if verdict.status == "failed":
        failure = ElementTree.SubElement(case, "failure", type=rule.severity, message=verdict.reason or rule.title)
        failure.text = f"{rule.why}\nFix: {rule.fix}\n{verdict.urn}"
    elif verdict.status == "waived" and verdict.waiver:
        words = f"waived until {verdict.waiver.expires} by {verdict.waiver.owner}: {verdict.waiver.reason}"
        ElementTree.SubElement(case, "skipped", message=words)
    elif verdict.status == "not evaluated":
        ElementTree.SubElement(case, "skipped", message=f"not evaluated: {verdict.reason}")


def _count(element: ElementTree.Element, cases: Iterable[ElementTree.Element]) -> None:
    found = list(cases)
    element.set("tests", str(len(found)))
    element.set("failures", str(sum(each.find("failure") is not None for each in found)))
    element.set("errors", "0")
    element.set("skipped", str(sum(each.find("skipped") is not None for each in found)))
