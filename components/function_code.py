"""Function code: a function app's own code, deployed when its content changed.

azure-native has no resource for it. Resource Manager's `onedeploy` would fetch a package from an address that it can
reach (learn.microsoft.com/azure/templates/microsoft.web/sites/extensions-onedeploy): here every storage is closed to
it, and without shared keys there is no address that opens itself. So the package is handed to the app's deployment
site, which stores it as the app's identity. Leaves out: deleting; the code goes with its app.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from components.function_package import PackageArgs
from components.management import PUBLIC_CLOUD, management


class _CodeProvider(dynamic.ResourceProvider):
    """Packs and deploys; in a process of its own, with the deployer's sign-in."""

    serialize_as_secret_always = False
    host: str = PUBLIC_CLOUD

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        # The same setting that tells azure-native which cloud it is in.
        self.host = req.config.get("azure-native:metadataHost") or PUBLIC_CLOUD

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(f"{props['app']}/code", deploy(self.host, props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = ["app"] if _olds.get("app") != _news.get("app") else []
        changed = bool(moved) or _olds.get("fingerprint") != _news.get("fingerprint")
        return dynamic.DiffResult(changes=changed, replaces=moved)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(deploy(self.host, _news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        from components.one_deploy import Site

        with management(self.host) as http:
            there = Site(http, props["site"]).has_code(props["app"])
        return dynamic.ReadResult(id_ if there else "", props)


def deploy(cloud: str, props: dict[str, Any]) -> dict[str, Any]:
    """Packs and deploys what is declared; the properties with "deployment", its id at the site.

    cloud: host of its metadata. Raises RuntimeError when it can't be packed or deployed.
    """
    # Imported here, as only this process needs it: the program that declares the code does not sign in.
    from components.one_deploy import Site

    package = PackageArgs(root=Path(props["root"]), **props["package"])
    if package.fingerprint() != props["fingerprint"]:
        raise RuntimeError(f"The sources of {props['site']} changed during the deployment. Run it again.")
    content = package.pack()
    with management(cloud) as http:
        site = Site(http, props["site"])
        deployment = site.publish(content, remote_build=package.build == "remote")
        site.sync_triggers(props["app"])
    given = {name: value for name, value in props.items() if name != "__provider"}
    return {**given, "deployment": deployment}


class FunctionCode(dynamic.Resource, module="tributary", name="FunctionCode"):
    """The code of an app on Flex Consumption. An app that is made anew gets it anew."""

    deployment: pulumi.Output[str]
    """Id of the deployment that brought it there."""

    def __init__(
        self,
        name: str,
        package: PackageArgs,
        app_id: pulumi.Input[str],
        site: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """app_id: resource id of the app. site: host of its deployment site."""
        props = {
            "app": app_id,
            "site": site,
            "root": str(package.root),
            "package": {key: _plain(value) for key, value in vars(package).items() if key != "root"},
            "fingerprint": package.fingerprint(),
            "deployment": None,
        }
        super().__init__(_CodeProvider(), name, props, opts)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return dict(value) if isinstance(value, dict) else list(value)
