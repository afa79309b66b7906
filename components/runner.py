"""Runner: a scale set of build agents inside a network, for deployments that public agents can't reach.

A scale set and not a Container Apps job: Azure Pipelines fills and empties one by itself with no secret on the machine,
and a machine can build images, which a job's container can't.
Leaves out: scaling and the agent's program, which are Azure Pipelines' (learn.microsoft.com/azure/devops/pipelines/
agents/scale-set-agents), and any rights: a pipeline signs in as its own identity.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute

from components.common import Site

_SETUP = """\
#cloud-config
package_update: true
packages: [buildah, docker.io, git, jq, make, python3-venv]
"""
"""What our pipelines call; each installs its own Pulumi and Python packages, pinned."""


@dataclass(frozen=True, kw_only=True)
class RunnerArgs:
    """What a runner needs to know.

    site: resource group, region and tags that every block shares. subnet_id: where its machines are.
    size: VM size with a local disk, e.g. "Standard_D2ads_v5". ssh_public_key: Azure asks for one.
    """

    site: Site
    subnet_id: pulumi.Input[str]
    size: str
    ssh_public_key: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"Standard_\w+", self.size):
            raise ValueError(f"size: {self.size!r} is not allowed; allowed are VM sizes, e.g. Standard_D2ads_v5.")
        # Azure takes these two kinds, RSA of 2048 bits and more (learn.microsoft.com/azure/virtual-machines/linux/
        # mac-create-ssh-keys).
        if not self.ssh_public_key.startswith(("ssh-rsa ", "ssh-ed25519 ")):
            raise ValueError(
                "ssh_public_key: is none that Azure takes; allowed are ssh-rsa and ssh-ed25519 in one line."
            )


class Runner(pulumi.ComponentResource):
    """An empty scale set: no machine runs, and nothing is paid, until a pipeline wants one."""

    scale_set_id: pulumi.Output[str]
    """Resource id, for the agent pool."""

    def __init__(self, name: str, args: RunnerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Runner", name, {}, opts)
        site = args.site
        scale_set = compute.VirtualMachineScaleSet(
            name,
            vm_scale_set_name=site.name("vmss", name),
            resource_group_name=site.resource_group,
            location=site.location,
            sku=compute.SkuArgs(name=args.size, tier="Standard", capacity=0),
            # What Azure Pipelines asks of a scale set of agents: scale-set-agents, "Create the scale set".
            orchestration_mode="Uniform",
            overprovision=False,
            single_placement_group=False,
            platform_fault_domain_count=1,
            upgrade_policy=compute.UpgradePolicyArgs(mode=compute.UpgradeMode.MANUAL),
            virtual_machine_profile=compute.VirtualMachineScaleSetVMProfileArgs(
                os_profile=compute.VirtualMachineScaleSetOSProfileArgs(
                    computer_name_prefix="runner",
                    admin_username="runner",
                    custom_data=base64.b64encode(_SETUP.encode()).decode(),
                    linux_configuration=compute.LinuxConfigurationArgs(
                        disable_password_authentication=True,
                        ssh=compute.SshConfigurationArgs(
                            public_keys=[
                                compute.SshPublicKeyArgs(
                                    path="/home/runner/.ssh/authorized_keys", key_data=args.ssh_public_key
                                )
                            ]
                        ),
                    ),
                ),
                security_profile=compute.SecurityProfileArgs(
                    encryption_at_host=True,
                    security_type="TrustedLaunch",
                    uefi_settings=compute.UefiSettingsArgs(secure_boot_enabled=True, v_tpm_enabled=True),
                ),
                storage_profile=compute.VirtualMachineScaleSetStorageProfileArgs(
                    image_reference=compute.ImageReferenceArgs(
                        publisher="Canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
                    ),
                    # Gone with the machine: nothing of one job is left for the next.
                    os_disk=compute.VirtualMachineScaleSetOSDiskArgs(
                        create_option="FromImage",
                        caching=compute.CachingTypes.READ_ONLY,
                        diff_disk_settings=compute.DiffDiskSettingsArgs(option="Local", placement="ResourceDisk"),
                    ),
                ),
                network_profile=compute.VirtualMachineScaleSetNetworkProfileArgs(
                    network_interface_configurations=[
                        compute.VirtualMachineScaleSetNetworkConfigurationArgs(
                            name="nic",
                            primary=True,
                            ip_configurations=[
                                compute.VirtualMachineScaleSetIPConfigurationArgs(
                                    name="ip", subnet=compute.ApiEntityReferenceArgs(id=args.subnet_id)
                                )
                            ],
                        )
                    ]
                ),
            ),
            tags=site.tags,
            # Azure Pipelines changes both as it scales, and adds its agent as an extension.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["sku.capacity", "virtualMachineProfile.extensionProfile"]
            ),
        )
        self.scale_set_id = scale_set.id
        self.register_outputs({"scale_set_id": self.scale_set_id})
