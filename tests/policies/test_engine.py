"""The pack in the real engine: a broken stack is stopped before anything is created, and waivers hold."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.local.azure.conftest import RunningAzure
from tests.local.plugins.engine import Program

ROOT = Path(__file__).resolve().parent.parent.parent
PACK = ("--policy-pack", str(ROOT / "policies"), "--policy-pack-config")
PROD, DEV = (str(ROOT / "policies" / "config" / f"{name}.json") for name in ("prod", "dev"))

BROKEN = """
import pulumi
from pulumi_azure_native import authorization, managedidentity, resources, storage

tags = {"project": "p", "stack": "test", "managed-by": "pulumi"}
group = resources.ResourceGroup("g", resource_group_name="rg-policies", location="westeurope", tags=tags)
account = storage.StorageAccount(
    "files", resource_group_name=group.name, account_name="stpolicies", location="westeurope", kind="StorageV2",
    sku={"name": "Standard_LRS"}, minimum_tls_version="TLS1_0", allow_blob_public_access=False,
    allow_shared_key_access=pulumi.Output.secret(False), encryption={"require_infrastructure_encryption": True},
    network_rule_set={"default_action": "Deny"}, tags=tags,
)
identity = managedidentity.UserAssignedIdentity("id", resource_group_name=group.name, location="westeurope", tags=tags)
"""


def test_a_broken_stack_is_stopped_before_anything_is_created(
    program: Program, azure: RunningAzure, arm: httpx.Client
) -> None:
    program.write(BROKEN)
    said = program.run("up", "--yes", *PACK, PROD, fails=True)
    assert "TRB-ST-002" in said, said
    assert "minimumTlsVersion" in said
    assert "TLS1_0" not in said
    assert "TRB-ST-005" not in said  # a secret that complies
    assert "TRB-STACK-002" in said  # nothing records who reads the account
    assert program.resources() == {}
    groups = arm.get(f"{azure.subscription}/resourceGroups?api-version=2024-03-01").json()["value"]
    assert "rg-policies" not in [each["name"] for each in groups]


def test_dev_only_warns_of_availability_and_a_waiver_lets_one_resource_pass(program: Program, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(
        "- rule: TRB-STACK-002\n"
        "  resource: urn:pulumi:test::program::azure-native:storage:StorageAccount::files\n"
        "  owner: tests\n  reason: no workspace here\n  expires: 2100-01-01\n"
    )
    program.write(BROKEN.replace("TLS1_0", "TLS1_2"))
    said = program.run("preview", *PACK, DEV, TRIBUTARY_WAIVERS=str(waivers))
    assert "TRB-ST-009" in said  # replication
    assert "TRB-STACK-002" not in said


def test_a_malformed_waiver_is_one_clear_error_with_file_and_line(program: Program, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- rule: TRB-ST-002\n  resource: everything\n")
    program.write("")
    said = program.run("preview", *PACK, PROD, fails=True, TRIBUTARY_WAIVERS=str(waivers))
    assert f"{waivers}:2: resource must be the URN" in said
    assert "Traceback" not in said
