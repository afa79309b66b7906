"""The QWAC in the connector's pods: the cluster's secrets store mounts it from the vault, key and chain in one file.

It is read as the connector's identity (workload identity), and written anew two minutes after a newer version is there.
Source: azure.github.io/secrets-store-csi-driver-provider-azure, "Getting Certs, Secrets and Keys", v1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
from pulumi_kubernetes import apiextensions, core, meta

from stacks.data import QWAC

NAME = "bank-certificate"
_FOLDER, _FILE = "/certificates", "qwac.pem"
PATH = f"{_FOLDER}/{_FILE}"
"""Where the connector finds it."""


def parameters(
    vault: pulumi.Input[str], tenant_id: pulumi.Input[str], client_id: pulumi.Input[str]
) -> Mapping[str, pulumi.Input[str]]:
    """Which objects are read of which vault, and as whom. vault: its name."""
    # As a secret, since a certificate alone comes without its key. JSON is YAML, which the provider reads.
    wanted = {"objectName": QWAC, "objectType": "secret", "objectFormat": "pem", "objectAlias": _FILE}
    return {
        "keyvaultName": vault,
        "tenantId": tenant_id,
        "clientID": client_id,
        "usePodIdentity": "false",
        "objects": json.dumps({"array": [json.dumps(wanted)]}),
    }


def provider_class(
    given: Mapping[str, pulumi.Input[str]], metadata: meta.v1.ObjectMetaArgs, opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    """What the volume is made from."""
    return apiextensions.CustomResource(
        NAME,
        api_version="secrets-store.csi.x-k8s.io/v1",
        kind="SecretProviderClass",
        metadata=metadata,
        spec={"provider": "azure", "parameters": given},
        opts=opts,
    )


def volume() -> core.v1.VolumeArgs:
    """The volume of a pod."""
    attributes = {"secretProviderClass": NAME}
    csi = core.v1.CSIVolumeSourceArgs(
        driver="secrets-store.csi.k8s.io", read_only=True, volume_attributes=attributes
    )  # fmt: skip
    return core.v1.VolumeArgs(name=NAME, csi=csi)


def mount() -> core.v1.VolumeMountArgs:
    """Where its container has it."""
    return core.v1.VolumeMountArgs(name=NAME, mount_path=_FOLDER, read_only=True)
