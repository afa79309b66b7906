"""The constraint catalogue: well-formed data, an example that passes and one that fails each, and one evaluation."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import pack
from policies.constraints import page
from policies.constraints.conditions import UNKNOWN, answer
from policies.constraints.constraint import DATA, SCHEMA, Constraint, constraints
from policies.rules.constraints import changed

EACH = pytest.mark.parametrize("constraint", constraints(), ids=lambda each: each.id)


def verdict(constraint: Constraint, inputs: dict[str, Any]) -> bool | None:
    if constraint.immutable:
        return not list(constraint.changes(constraint.passes, inputs))
    return constraint.judge(inputs).holds


def test_the_data_keep_to_the_published_schema_and_ids_are_given_once_in_order() -> None:
    data = yaml.safe_load(DATA.read_text())
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    withdrawn = re.findall(
        r"TRB-AZURE-\d{3}", "".join(re.findall(r"^# Withdrawn: .*$", DATA.read_text(), re.MULTILINE))
    )
    ever = [f"TRB-AZURE-{number:03d}" for number in range(1, len(data) + len(withdrawn) + 1)]
    assert [each["id"] for each in data] == [each for each in ever if each not in withdrawn]
    assert len(data) >= 60


def test_the_committed_page_is_up_to_date() -> None:
    assert (page.ROOT / page.PAGE).read_text() == page.text(), "run: python -m policies.constraints.page"


def test_every_constraint_is_a_rule_of_the_pack() -> None:
    rules = {each.id for each in pack.load() if each.id.startswith("TRB-AZURE-")}
    assert rules == {each.id for each in constraints()}


@EACH
def test_its_example_passes_and_each_wrong_value_alone_fails(constraint: Constraint) -> None:
    assert verdict(constraint, dict(constraint.passes)) is True
    for path, wrong in constraint.fails.items():
        assert verdict(constraint, changed(constraint.passes, path, wrong)) is False, path
        assert verdict(constraint, changed(constraint.passes, path, UNKNOWN)) is not False, path


def test_what_is_fixed_on_a_condition_is_fixed_where_what_is_deployed_meets_it() -> None:
    (private,) = [each for each in constraints() if each.id == "TRB-AZURE-106"]
    after = {"apiServerAccessProfile": {"enablePrivateCluster": False}}
    for integrated, changes in ((False, ["apiServerAccessProfile.enablePrivateCluster"]), (True, [])):
        before = {"apiServerAccessProfile": {"enablePrivateCluster": True, "enableVnetIntegration": integrated}}
        assert list(private.changes(before, after)) == changes


def judged(id_: str, inputs: dict[str, Any]) -> bool | None:
    return next(each for each in constraints() if each.id == id_).judge(inputs).holds


@pytest.mark.parametrize(
    ("id_", "inputs"),
    [
        ("TRB-AZURE-018", {"related": {"sku": {"name": "StandardV2"}, "virtualNetworkType": "External"}}),
        ("TRB-AZURE-021", {"sku": {"name": "StandardV2"}, "virtualNetworkType": "External"}),
        ("TRB-AZURE-023", {"sku": {"name": "PremiumV2"}, "zones": ["1", "2"]}),
        ("TRB-AZURE-026", {"sku": {"name": "StandardV2"}, "enableClientCertificate": False}),
        ("TRB-AZURE-071", {"kind": "BlockBlobStorage", "sku": {"name": "Premium_LRS"}, "accessTier": "Premium"}),
        ("TRB-AZURE-126", {"sku": {"name": "StandardV2"}, "zones": ["1", "2", "3"]}),
        ("TRB-AZURE-141", {"related": {"sku": {"name": "Y1"}}}),
        ("TRB-AZURE-158", {"subnets": [{"name": "snet_b", "serviceEndpoints": [{"service": "Microsoft.Storage"}]}]}),
        ("TRB-AZURE-160", {"agentPoolProfiles": [{"vmSize": "Standard_D4ds_v5", "osDiskType": "Ephemeral"}]}),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_azure_takes_is_not_refused(id_: str, inputs: dict[str, Any]) -> None:
    """Each was refused once, or is beside what is."""
    assert judged(id_, inputs) is True


def test_integration_of_the_v2_tiers_is_no_injection() -> None:
    assert judged("TRB-AZURE-021", {"sku": {"name": "StandardV2"}, "virtualNetworkType": "Internal"}) is False
    assert (
        judged("TRB-AZURE-018", {"related": {"sku": {"name": "PremiumV2"}, "virtualNetworkType": "Internal"}}) is False
    )


_VALUES = st.sampled_from([None, "", "a", "b", 0, 1, 2, True, False, [], ["a"], {}, {"y": 1}])
_INPUTS = st.dictionaries(st.sampled_from(["x", "y", "z"]), _VALUES)
_TESTS = st.one_of(
    _VALUES.filter(lambda each: isinstance(each, str | int)),
    st.fixed_dictionaries({"in": st.lists(st.sampled_from(["a", 1, True]))}),
    st.fixed_dictionaries({"is_not": st.sampled_from(["a", 1, False])}),
    st.fixed_dictionaries({"present": st.booleans()}),
    st.fixed_dictionaries({"at_least": st.integers(0, 2)}),
    st.fixed_dictionaries({"at_most_path": st.sampled_from(["x", "y"])}),
    st.fixed_dictionaries({"is": st.just("a"), "default": st.just("a")}),
)
_PLAIN = st.dictionaries(st.sampled_from(["x", "y", "z"]), _TESTS, min_size=1)
_CONDITIONS = st.one_of(
    _PLAIN,
    st.fixed_dictionaries({"any": st.lists(_PLAIN, min_size=2, max_size=3)}),
    st.fixed_dictionaries({"not": _PLAIN}),
)


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(_CONDITIONS, _INPUTS, st.sampled_from(["x", "y", "z"]))
def test_what_is_decided_while_a_value_is_not_known_stays_so_when_it_is(
    condition: dict[str, Any], inputs: dict[str, Any], path: str
) -> None:
    before = answer(condition, {**inputs, path: UNKNOWN}).holds
    assert before in (None, answer(condition, inputs).holds)


@settings(max_examples=80, deadline=None, database=None, derandomize=True)
@given(_PLAIN, _INPUTS)
def test_the_order_of_paths_decides_nothing(condition: dict[str, Any], inputs: dict[str, Any]) -> None:
    turned = dict(reversed(condition.items()))
    assert answer(condition, inputs).holds is answer(turned, inputs).holds


def test_a_reason_names_the_element_and_never_what_was_found() -> None:
    found = answer({"pools": {"every": {"size": {"at_most": 3}}}}, {"pools": [{"size": 1}, {"size": 31337}]})
    assert (found.holds, found.path) == (False, "pools.1.size")
    assert found.reason == "pools.1.size is at most 3"
