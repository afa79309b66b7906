"""The program of one block under the real engine, compared with what the embedded Azure lists."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from local.instance import SUBSCRIPTION_ID
from tests.components.deployed.cloud import Cloud
from tests.local.plugins.engine import Program

_TEXT = """\
import json, pathlib
from tests.components.deployed.blocks import deploy
deploy(*json.loads(pathlib.Path("handed.json").read_text()))
"""
_PART = re.compile(
    r"(.*/virtualnetworks/[^/]+(?=/subnets/)|.*/storageaccounts/[^/]+(?=/[a-z]+services/)|.*/apis/[^/]+(?=/operations/)"
    r"|.*/servers/[^/]+(?=/databases/master))"
    r"/[a-z]+/[^/]+"
)
"""What Azure makes with another resource, the match's first part: inline subnets, services, operations, master."""


class Alone(Program):
    """suffix: of its resource group and of global names. handed: what it is given."""

    def __init__(self, cloud: Cloud, folder: Path, block: str, suffix: str, handed: Mapping[str, str]) -> None:
        super().__init__(folder, cloud.environment)
        self.cloud = cloud
        self.group = {f"/subscriptions/{SUBSCRIPTION_ID}/resourcegroups/rg-{suffix}"}
        self.write(_TEXT)
        (folder / "Pulumi.test.yaml").write_text(
            (folder / "Pulumi.test.yaml").read_text()
            + f"config:\n  azure-native:metadataHost: {cloud.instance.arm}\n"
            + '  azure-native:disableInstanceDiscovery: "true"\n'
        )
        (folder / "handed.json").write_text(json.dumps([block, suffix, handed]))
        self._before, self._held = cloud.listed(), cloud.held()

    def made(self) -> set[str]:
        """Ids of what Azure lists and did not list before."""
        return self.cloud.listed() - self._before

    def orphans(self) -> set[str]:
        """What is there and the state does not know; what Azure itself makes with a resource apart."""
        known = self.known()
        parts = {each for each in self.made() if (whole := _PART.fullmatch(each)) and whole[1] in known}
        return self.made() - known - parts

    def held(self) -> set[str]:
        """What is deleted and still holds its name."""
        return self.cloud.held() - self._held

    def known(self) -> set[str]:
        """Ids of the resources in the state that are Azure's."""
        kept = self.state().get("resources") or []
        return {each["id"].lower() for each in kept if each["type"].startswith("azure-native:")}
