"""Secrets of the vault as files of a service's pods: the cluster's secrets store mounts them.

They are read as the service's identity (workload identity), and written anew two minutes after a newer version is
there.
Source: azure.github.io/secrets-store-csi-driver-provider-azure, "Getting Certs, Secrets and Keys", v1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, meta

from stacks.data import PUSH_LISTEN, PUSH_SEND, QWAC


@dataclass(frozen=True)
class VaultFiles:
    """A volume. name: of it and of its class. folder: where a container has it. secrets: names of secrets, by file."""

    name: str
    folder: str
    secrets: Mapping[str, str]

    def path(self, file: str) -> str:
        """Where a container finds a file. Raises KeyError for one that is not in the volume."""
        if file not in self.secrets:
            raise KeyError(file)
        return f"{self.folder}/{file}"

    def parameters(
        self, vault: pulumi.Input[str], tenant_id: pulumi.Input[str], client_id: pulumi.Input[str]
    ) -> Mapping[str, pulumi.Input[str]]:
        """Which secrets are read of which vault, and as whom. vault: its name."""
        # A certificate comes with its key as a secret alone. JSON is YAML, which the provider reads.
        wanted = [
            {"objectName": secret, "objectType": "secret", "objectFormat": "pem", "objectAlias": file}
            for file, secret in self.secrets.items()
        ]
        return {
            "keyvaultName": vault,
            "tenantId": tenant_id,
            "clientID": client_id,
            "usePodIdentity": "false",
            "objects": json.dumps({"array": [json.dumps(each) for each in wanted]}),
        }

    def provider_class(
        self,
        given: Mapping[str, pulumi.Input[str]],
        metadata: meta.v1.ObjectMetaArgs,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.Resource:
        """What the volume is made from."""
        return apiextensions.CustomResource(
            self.name,
            api_version="secrets-store.csi.x-k8s.io/v1",
            kind="SecretProviderClass",
            metadata=metadata,
            spec={"provider": "azure", "parameters": given},
            opts=opts,
        )

    def volume(self) -> core.v1.VolumeArgs:
        """The volume of a pod."""
        csi = core.v1.CSIVolumeSourceArgs(
            driver="secrets-store.csi.k8s.io", read_only=True, volume_attributes={"secretProviderClass": self.name}
        )
        return core.v1.VolumeArgs(name=self.name, csi=csi)

    def mount(self) -> core.v1.VolumeMountArgs:
        """Where its container has it."""
        return core.v1.VolumeMountArgs(name=self.name, mount_path=self.folder, read_only=True)


BANK_CERTIFICATE = VaultFiles("bank-certificate", "/certificates", {"qwac.pem": QWAC})
"""The QWAC that the connector shows to banks: key and chain in one file."""
PUSH_KEYS = VaultFiles("push-keys", "/push", {"listen": PUSH_LISTEN, "send": PUSH_SEND})
"""Connection strings of the notification hub's two rules."""
