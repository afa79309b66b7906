"""The table of types agrees with the SDK, with Microsoft's published schemas, and with itself in both directions."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.azure.arm.shapes import UNKNOWN, Shape, alternatives
from local.azure.arm.types import Type, all_types, by_path, by_token, shapes
from local.instance import REPOSITORY
from tests.judge import BOOTSTRAP_WITHOUT_SCHEMA, WITHOUT_SCHEMA

SHARED = REPOSITORY.parent / "shared"


def _load(name: str, path: Any) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


samples = _load("arm_samples", REPOSITORY / "tests/local/azure/arm/samples.py")


@pytest.mark.parametrize("kind", all_types(), ids=lambda kind: kind.token)
def test_every_line_names_a_class_of_the_sdk_with_its_api_version(kind: Type) -> None:
    _, module, name = kind.token.split(":")
    root = importlib.util.find_spec("pulumi_azure_native")
    assert root is not None
    assert root.submodule_search_locations
    from pathlib import Path

    folder = Path(root.submodule_search_locations[0]) / module
    found = [p.read_text() for p in folder.glob("*.py") if f"class {name}(pulumi.CustomResource)" in p.read_text()]
    assert found
    if kind.token != "azure-native:servicebus:DefaultRule":  # the SDK's docstring gives it no version
        assert f"Uses Azure REST API version {kind.version}." in found[0]


def test_bodies_of_every_type_meet_the_published_schemas() -> None:
    tool = SHARED / "tools" / "check_arm.py"
    if not tool.exists():
        pytest.skip("../shared/tools/check_arm.py is not beside the checkout")
    checker = _load("check_arm", tool)
    lines: list[str] = []
    run = checker.Run(checker.Schemas(), lines.append)
    for kind in all_types():
        if kind.type in WITHOUT_SCHEMA | BOOTSTRAP_WITHOUT_SCHEMA:
            continue
        path, body = kind.to_arm(samples.everything(kind))
        address = {"name": path.rsplit("/", 1)[1], "type": kind.type.replace("{recordType}", "A")}
        run.check({**address, "apiVersion": kind.version, **body})
    wrong = [
        line
        for line in lines
        if ": warning:" not in line
        and not line.startswith("note:")
        # newer than the schema that is there for Microsoft.Web, says ../shared/arm-schemas/index.json
        and "functionAppConfig/siteUpdateStrategy" not in line
    ]
    assert wrong == []
    assert run.unknown == 0


def _inputs(shape: Shape, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    known = {n: f for n, f in shape.fields.items() if not f.read_only and n not in ("id", "name", "type", "etag")}
    return st.fixed_dictionaries({}, optional={n: _values(f.type, depth) for n, f in known.items()})


def _values(kind: str, depth: int) -> st.SearchStrategy[Any]:
    if depth > 2:
        return st.just(UNKNOWN)
    simple = {
        "str": st.text(max_size=8),
        "int": st.integers(),
        "num": st.floats(allow_nan=False),
        "bool": st.booleans(),
    }
    if kind in simple:
        return simple[kind] | st.just(UNKNOWN)
    match kind[0]:
        case "[":
            return st.lists(_values(kind[1:-1], depth + 1), max_size=2)
        case "{":
            return st.dictionaries(st.text(max_size=4), _values(kind[1:-1], depth + 1), max_size=2)
        case "=":
            return st.sampled_from(shapes()[kind[1:]])
        case "@":
            return _inputs(shapes()[kind[1:]], depth + 1)
        case "%":
            by, options = alternatives(kind)
            return st.sampled_from(sorted(options)).flatmap(
                lambda value: _values(options[value], depth).map(
                    lambda made: {**made, by: value} if isinstance(made, dict) else made
                )
            )
    return st.just(UNKNOWN)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_outputs_of_a_body_are_the_inputs_it_was_made_of(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(all_types()))
    body_fields = {n for n, f in kind.shape.fields.items() if not f.read_only and not f.write_only}
    given_inputs = data.draw(_inputs(kind.shape, 0))
    given_inputs = {n: v for n, v in given_inputs.items() if n in body_fields and kind.shape.fields[n].type != "ids"}
    parameters = {p: f"p{i}" for i, p in enumerate(kind.parameters)}
    path, body = kind.to_arm({**given_inputs, **parameters})
    outputs = kind.from_arm(path, body)
    for name, value in given_inputs.items():
        if name not in parameters:
            assert outputs[name] == value, name
    assert kind.replaces(given_inputs, given_inputs) == []


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(all_types()))
def test_an_id_leads_back_to_its_type_and_its_parameters(kind: Type) -> None:
    parameters = {p: f"p{i}" for i, p in enumerate(kind.parameters)}
    for name, rule in kind.names.items():
        parameters |= {name: rule["enum"][0]} if "enum" in rule else {}
    parameters |= {"scope": "subscriptions/s/resourceGroups/g"} if "scope" in parameters else {}
    path, _ = kind.to_arm(parameters)
    found = by_path(path)
    assert found is not None
    assert found.type == kind.type
    assert {p: kind.parse_id(path)[p] for p in parameters} == parameters


def test_a_nested_envelope_is_flattened_both_ways() -> None:
    network = by_token("azure-native:network:VirtualNetwork")
    assert network is not None
    inputs = {
        "resourceGroupName": "rg",
        "virtualNetworkName": "v",
        "subnets": [{"name": "a", "addressPrefix": "10.0.0.0/24", "delegations": [{"name": "d", "serviceName": "s"}]}],
    }
    path, body = network.to_arm(inputs)
    subnet = body["properties"]["subnets"][0]
    assert subnet["properties"]["addressPrefix"] == "10.0.0.0/24"
    assert subnet["properties"]["delegations"] == [{"name": "d", "properties": {"serviceName": "s"}}]
    assert network.from_arm(path, body)["subnets"] == inputs["subnets"]
    assert network.wire_path("subnets[0].addressPrefix") == "properties.subnets[0].properties.addressPrefix"


def test_a_vaults_explicit_properties_stay_explicit() -> None:
    vault = by_token("azure-native:keyvault:Vault")
    assert vault is not None
    _, body = vault.to_arm({"resourceGroupName": "rg", "vaultName": "v", "properties": {"tenantId": "t"}})
    assert body == {"properties": {"tenantId": "t"}}


def test_user_assigned_identities_are_a_list_to_pulumi_and_a_map_to_arm() -> None:
    cluster = by_token("azure-native:containerservice:ManagedCluster")
    assert cluster is not None
    identity = {"type": "UserAssigned", "userAssignedIdentities": ["/a"]}
    path, body = cluster.to_arm({"resourceGroupName": "rg", "resourceName": "c", "identity": identity})
    assert body["identity"]["userAssignedIdentities"] == {"/a": {}}
    assert cluster.inputs_of(path, body)["identity"] == identity


@pytest.mark.parametrize(
    ("token", "old", "new", "path"),
    [
        ("storage:StorageAccount", {"location": "westeurope"}, {"location": "northeurope"}, ["location"]),
        ("storage:StorageAccount", {"location": "westeurope"}, {"location": "West Europe"}, []),
        ("storage:StorageAccount", {"accountName": "a"}, {"accountName": "b"}, ["accountName"]),
        ("storage:StorageAccount", {"isHnsEnabled": False}, {"isHnsEnabled": True}, ["isHnsEnabled"]),
        ("storage:StorageAccount", {"tags": {}}, {"tags": {"a": "b"}}, []),
        ("sql:Database", {"collation": "A"}, {"collation": "B"}, ["collation"]),
        ("authorization:RoleAssignment", {"principalId": "a"}, {"principalId": "b"}, ["principalId"]),
    ],
)
def test_only_what_is_fixed_at_creation_replaces(token: str, old: dict, new: dict, path: list[str]) -> None:
    kind = by_token(f"azure-native:{token}")
    assert kind is not None
    assert kind.replaces(old, new) == path


def test_the_table_is_read_without_the_web_framework() -> None:
    code = "import sys, local.azure.arm.types as t; t.all_types(); sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


def test_of_two_lines_for_one_arm_type_the_one_that_knows_the_version_is_taken() -> None:
    database = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/s/databases/d"
    for version in ("2023-08-01", "2017-03-01-preview"):
        found = by_path(f"{database}/backupLongTermRetentionPolicies/default", version)
        assert found is not None
        assert version in (found.version, *found.versions)
