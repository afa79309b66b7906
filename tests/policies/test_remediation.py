"""Remediation: tags and TLS floors are set where a config asks for it, and nothing else is touched."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import analyzer_pb2 as rpc
from pulumi_policy import EnforcementLevel, policy

from policies import enforcement, pack
from policies.rule import Rule
from tests.local.azure.conftest import RunningAzure
from tests.local.plugins.engine import Program
from tests.policies.proxies import UNKNOWN, changed, secret, type_of, urn
from tests.policies.test_engine import BROKEN, PACK, PROD
from tests.policies.test_rules import VALUES

RULES = pack.load()
REMEDYING = [each for each in RULES if each.remedy]
EACH = pytest.mark.parametrize("rule", REMEDYING, ids=lambda each: each.id)
ACCOUNT = "azure-native:storage:StorageAccount"
TAGS = "TRB-ALL-002"
TAGGED = {"project": "tributary", "stack": "prod", "managed-by": "pulumi"}


def served(**levels: Any) -> Any:
    """The pack as the engine speaks to it. levels: by rule, with _ for -; all others are mandatory."""
    made = pack.policies_of(RULES, [], datetime.date(2027, 1, 1))
    servicer = getattr(policy, "_PolicyAnalyzerServicer")("p", "1", made, EnforcementLevel.MANDATORY)  # noqa: B009
    asked = {key.replace("_", "-"): rpc.PolicyConfig(enforcementLevel=level) for key, level in levels.items()}
    servicer.Configure(rpc.ConfigureAnalyzerRequest(policyConfig=asked), None)
    return servicer


def request(type_: str, properties: Mapping[str, Any]) -> rpc.AnalyzeRequest:
    made = rpc.AnalyzeRequest(type=type_, urn=urn(type_), name="it")
    made.properties.update(properties)
    return made


def remedied(id_: str, type_: str, properties: Mapping[str, Any], level: Any = rpc.REMEDIATE) -> dict[str, Any] | None:
    """The inputs as a rule leaves them; None when it leaves them alone."""
    answer = served(**{id_.replace("-", "_"): level}).Remediate(request(type_, properties), None)
    assert [each.diagnostic for each in answer.remediations if each.diagnostic] == []
    found = [json_format.MessageToDict(each.properties) for each in answer.remediations if each.policyName == id_]
    return found[0] if found else None


def violations(id_: str, type_: str, properties: Mapping[str, Any]) -> list[int]:
    """Levels of what a rule finds wrong, where it would remediate."""
    answer = served(**{id_.replace("-", "_"): rpc.REMEDIATE}).Analyze(request(type_, properties), None)
    return [each.enforcementLevel for each in answer.diagnostics if each.policyName == id_]


def test_tags_and_tls_floors_are_what_can_be_set() -> None:
    assert {each.id for each in REMEDYING} == {
        TAGS,
        *("TRB-APIM-003", "TRB-SB-002", "TRB-SQL-002", "TRB-ST-002", "TRB-WEB-002"),
    }


def test_no_committed_config_asks_for_it() -> None:
    for environment in enforcement.ENVIRONMENTS:
        assert "remediate" not in json.dumps(enforcement.config(environment, RULES))


@EACH
@pytest.mark.parametrize("level", [rpc.ADVISORY, rpc.MANDATORY, rpc.DISABLED])
def test_nothing_is_set_unless_asked_for(rule: Rule, level: Any) -> None:
    assert remedied(rule.id, type_of(rule), _wrong(rule), level) is None


@EACH
def test_what_is_wrong_is_set_right_and_the_rest_stays(rule: Rule) -> None:
    rest = {"sku": {"capacity": 3}, "secret": secret("hunter2"), "unknown": UNKNOWN, "none": None, "list": [1, "a"]}
    for wrong in (_wrong(rule), {key: value for key, value in rule.passes.items() if key == "location"}):
        assert violations(rule.id, type_of(rule), wrong | rest) == [rpc.MANDATORY]
        made = remedied(rule.id, type_of(rule), wrong | rest)
        assert made is not None
        assert violations(rule.id, type_of(rule), made) == []
        assert {key: made[key] for key in rest} == rest
        assert set(made) == {*wrong, *rest, *rule.passes}


@EACH
def test_what_complies_or_is_not_known_yet_is_left_alone(rule: Rule) -> None:
    assert remedied(rule.id, type_of(rule), rule.passes) is None
    for path in rule.breaks:
        unknown = changed(dict(rule.passes), path.split(".")[0], UNKNOWN)
        assert remedied(rule.id, type_of(rule), unknown) is None


def test_tags_that_are_there_stay() -> None:
    given_ = {"project": "ledger", "stack": "", "owner": secret("payments"), "cost": UNKNOWN}
    made = remedied(TAGS, ACCOUNT, {"location": "westeurope", "tags": given_})
    assert made is not None
    assert made["tags"] == {**given_, "stack": "prod", "managed-by": "pulumi"}


def test_what_was_secret_stays_secret() -> None:
    made = remedied("TRB-ST-002", ACCOUNT, {"minimumTlsVersion": secret("TLS1_0")})
    assert made == {"minimumTlsVersion": secret("TLS1_2")}
    made = remedied("TRB-WEB-002", "azure-native:web:WebApp", {"siteConfig": secret({"a": 1, "minTlsVersion": "1.0"})})
    assert made == {"siteConfig": secret({"a": 1, "minTlsVersion": "1.2"})}


def test_a_rule_that_can_not_remediate_is_mandatory() -> None:
    answer = served(TRB_ST_001=rpc.REMEDIATE).Remediate(request(ACCOUNT, {"enableHttpsTrafficOnly": False}), None)
    assert list(answer.remediations) == []
    assert violations("TRB-ST-001", ACCOUNT, {"enableHttpsTrafficOnly": False}) == [rpc.MANDATORY]


@EACH
def test_whatever_it_reads_it_never_raises(rule: Rule) -> None:
    servicer = served(**{rule.id.replace("-", "_"): rpc.REMEDIATE})
    paths = [*rule.breaks, *(path.split(".")[0] for path in rule.breaks)]

    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(st.sampled_from(paths), VALUES)
    def fed(path: str, value: Any) -> None:
        servicer.Remediate(request(type_of(rule), changed(_wrong(rule), path, value)), None)

    fed()


def _wrong(rule: Rule) -> dict[str, Any]:
    """The rule's example with everything wrong that can be."""
    made = dict(rule.passes)
    for path, value in rule.breaks.items():
        made = changed(made, path, value)
    return made


@pytest.mark.full
def test_the_engine_deploys_what_was_set(
    program: Program, azure: RunningAzure, arm: httpx.Client, tmp_path: Path
) -> None:
    said_level = tmp_path / "remediate.json"
    said_level.write_text(json.dumps({"all": "advisory", TAGS: "remediate", "TRB-ST-002": "remediate"}))
    program.write(BROKEN.replace("policies", "remedied").replace(", tags=tags", "").replace("    tags=tags", ""))
    assert "TRB-ST-002" in program.run("preview", *PACK, PROD, fails=True)
    said = program.run("up", "--yes", "--skip-preview", *PACK, str(said_level))
    assert "TRB-ST-002" in said, said  # it tells that it sets it
    path = f"{azure.subscription}/resourceGroups/rg-remedied/providers/Microsoft.Storage/storageAccounts/stremedied"
    account = arm.get(f"{path}?api-version=2024-01-01").json()
    assert account["properties"]["minimumTlsVersion"] == "TLS1_2"
    assert account["tags"] == {"project": "program", "stack": "test", "managed-by": "pulumi"}
    assert program.resources()["files"]["inputs"]["minimumTlsVersion"] == "TLS1_2"
