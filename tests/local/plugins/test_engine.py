"""The real engine with the stand-ins: what a person sees of up, preview, refresh, recover and destroy."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from local.plugins.lookups import AzureLookup
from local.plugins.recover import recover
from tests.local.azure.conftest import RunningAzure
from tests.local.kubernetes.running import ControlPlane
from tests.local.plugins.engine import Program, launcher

pytestmark = pytest.mark.xdist_group("kubernetes")
HEAD = """
import os, pulumi
from pulumi_azure_native import managedidentity, network, resources
"""
NETWORK = (
    HEAD
    + """
group = resources.ResourceGroup("engine", resource_group_name=os.environ["GROUP"], location="westeurope")
vnet = network.VirtualNetwork(
    "vnet",
    resource_group_name=group.name,
    address_space={"address_prefixes": ["10.0.0.0/16"]},
    tags={"round": os.environ.get("ROUND", "1")},
)
identity = managedidentity.UserAssignedIdentity(
    "robot", resource_name_=os.environ.get("NAME", "robot"), resource_group_name=group.name
)
pulumi.export("principal", identity.principal_id)
pulumi.export("hidden", pulumi.Output.secret(vnet.name))
"""
)
LOSING = """
import grpc, os, signal, time
from local.plugins.azure_native.provider import AzureNative
from local.plugins.provider import serve

class Losing(AzureNative):
    "Does its work, and never answers."
    def Create(self, request, context):
        answer = super().Create(request, context)
        if {lost!r} in request.urn and not request.preview:
            {how}
        return answer

serve(Losing())
"""


@pytest.fixture
def group_name(azure: RunningAzure, arm: httpx.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A resource group's name that is free, and is so again afterwards."""
    name = "rg-" + request.node.name.removeprefix("test_").replace("_", "-")[:60].strip("-")
    yield name
    arm.delete(f"{azure.subscription}/resourceGroups/{name}?api-version=2024-03-01")


def groups(arm: httpx.Client, azure: RunningAzure) -> list[str]:
    answer = arm.get(f"{azure.subscription}/resourceGroups?api-version=2024-03-01")
    return [each["name"] for each in answer.json()["value"]]


def network_of(arm: httpx.Client, azure: RunningAzure, group: str) -> list[dict[str, str]]:
    path = f"{azure.subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks"
    return arm.get(f"{path}?api-version=2024-05-01").json()["value"]


def test_what_is_up_stays_as_it_is_changes_in_place_or_is_replaced_and_goes(
    program: Program, azure: RunningAzure, arm: httpx.Client, group_name: str
) -> None:
    program.write(NETWORK)
    program.up(GROUP=group_name)
    first = program.resources()
    program.up("--refresh", "--expect-no-changes", GROUP=group_name)
    said = program.up(GROUP=group_name, ROUND="2", NAME="other")
    assert "1 updated" in said
    assert "1 replaced" in said
    assert "[diff: ~tags]" in said
    second = program.resources()
    assert second["vnet"]["id"] == first["vnet"]["id"]
    assert [each["tags"] for each in network_of(arm, azure, group_name)] == [{"round": "2"}]
    assert second["robot"]["id"].endswith("/other")
    assert second["robot"]["outputs"]["principalId"] != first["robot"]["outputs"]["principalId"]
    program.destroy()
    assert group_name not in groups(arm, azure)
    assert not program.resources()


def test_one_wrong_property_gives_one_error_and_creates_nothing(
    program: Program, azure: RunningAzure, arm: httpx.Client, group_name: str
) -> None:
    program.write(
        HEAD
        + f"""
group = resources.ResourceGroup("engine", resource_group_name={group_name!r}, location="westeuropa")
network.VirtualNetwork("vnet", resource_group_name=group.name, address_space={{"address_prefixes": ["10.0.0.0/16"]}})
"""
    )
    said = program.run("up", "--yes", fails=True)
    errors = {line.strip() for line in said.splitlines() if line.strip().startswith("error:")}
    assert len(errors) == 1, said
    assert "location" in errors.pop()
    assert group_name not in groups(arm, azure)


def lose(program: Program, lost: str, how: str) -> None:
    """Let the plugin lose the answer to one creation."""
    script = program.folder / "losing.py"
    script.write_text(LOSING.format(lost=lost, how=how))
    launcher(program.bin, "pulumi-resource-azure-native", str(script))


def ends(part: str, seconds: float = 5) -> None:
    """A process with this in its command line is gone soon."""
    deadline = time.monotonic() + seconds
    while any(part in " ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])):
        assert time.monotonic() < deadline, f"{part} still runs"
        time.sleep(0.1)


def mend(program: Program) -> None:
    launcher(program.bin, "pulumi-resource-azure-native", "-m local.plugins.azure_native")


@pytest.mark.full  # with the platform's own commands, and every daemon, it is in tests/engine/test_faults.py
def test_a_killed_engine_leaves_nothing_that_recover_does_not_take_in(
    program: Program, azure: RunningAzure, arm: httpx.Client, group_name: str
) -> None:
    program.write(NETWORK)
    lose(program, "VirtualNetwork", "os.kill(os.getppid(), signal.SIGKILL); time.sleep(60)")
    program.environment["GROUP"] = group_name
    program.up(fails=True)
    ends(str(program.folder / "losing.py"))
    assert len(network_of(arm, azure, group_name)) == 1
    mend(program)
    taken = recover(program.stack, program.environment, folder=program.folder)
    # The robot, which is made beside it, may have been under way, too.
    assert {"vnet:"} <= {each.split(" ")[1] for each in taken} <= {"vnet:", "robot:"}
    assert "VirtualNetwork" not in program.up()
    assert len(network_of(arm, azure, group_name)) == 1


def test_a_lost_answer_fails_as_with_the_official_provider_until_recovered(
    program: Program, azure: RunningAzure, arm: httpx.Client, group_name: str
) -> None:
    program.write(NETWORK.partition("vnet =")[0])
    lose(program, "ResourceGroup", "context.abort(grpc.StatusCode.UNKNOWN, 'the answer was lost')")
    program.environment["GROUP"] = group_name
    assert "the answer was lost" in program.up(fails=True)
    mend(program)
    assert "cannot create already existing resource" in program.up(fails=True)
    taken = recover(program.stack, program.environment, folder=program.folder)
    assert [each.split(" ")[1] for each in taken] == ["engine:"]
    program.up("--expect-no-changes")
    assert recover(program.stack, program.environment, folder=program.folder) == []


def test_what_differs_is_not_taken_over(
    azure: RunningAzure, arm: httpx.Client, azure_environment: dict[str, str], group_name: str
) -> None:
    path = f"{azure.subscription}/resourceGroups/{group_name}?api-version=2024-03-01"
    assert arm.put(path, json={"location": "northeurope", "tags": {"whose": "theirs"}}).is_success
    lookup = AzureLookup({}, azure_environment)
    urn = "urn:pulumi:test::program::azure-native:resources:ResourceGroup::engine"
    said = {"resourceGroupName": group_name, "location": "North Europe"}
    same, other, absent = (
        lookup.find(urn, said | each) for each in ({}, {"tags": {"whose": "ours"}}, {"resourceGroupName": "x"})
    )
    assert same is not None
    assert same.differs == ()
    assert other is not None
    assert other.differs == ("tags.whose",)
    assert absent is None


OBJECTS = """
import os, pulumi
from pulumi_kubernetes import Provider, core, meta
kubeconfig = pulumi.Output.secret(open(os.environ["CLUSTER"]).read())
opts = pulumi.ResourceOptions(provider=Provider("cluster", kubeconfig=kubeconfig, enable_server_side_apply=True))
metadata = meta.v1.ObjectMetaArgs(namespace=os.environ["SPACE"])
core.v1.Secret("hidden", metadata=metadata, string_data={"password": "hunter2"}, opts=opts)
web = core.v1.Service(
    "web", metadata=metadata, spec={"selector": {"app": "web"}, "ports": [{"port": 80, "name": "http"}]}, opts=opts
)
pulumi.export("ip", web.spec.cluster_ip)
"""


def test_objects_come_stay_and_go(program: Program, control_plane: ControlPlane, namespace: str) -> None:
    program.write(OBJECTS)
    program.environment |= {"CLUSTER": str(control_plane.instance.kubeconfig), "SPACE": namespace}
    program.up()
    assert program.outputs()["ip"].startswith("10.")
    assert "hunter2" not in json.dumps(program.state())
    assert "aHVudGVyMg" not in json.dumps(program.state())
    program.up("--refresh", "--expect-no-changes")
    program.destroy()
    assert "web" not in control_plane.kubectl("-n", namespace, "get", "services,secrets")
