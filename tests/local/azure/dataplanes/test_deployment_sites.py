"""A function app's deployment site takes packages of who may publish, and puts them where its configuration says."""

from __future__ import annotations

import io
import ssl
import uuid
import zipfile
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from components.one_deploy import DeploymentFailed, Site
from local.azure.context import Resource
from tests.local.azure.dataplanes.conftest import Backend, Embedded, Identity

ARM = "https://management.azure.com/.default"
OWNER = "Storage Blob Data Owner"


def package(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each in names or ("host.json", "function_app.py", "requirements.txt"):
            archive.writestr(each, "{}")
    return buffer.getvalue()


@dataclass
class App:
    """An app, its storage, the identity that it has, and somebody who may publish."""

    embedded: Embedded
    resource: Resource
    container: Resource
    identity: Resource
    publisher: Identity

    @property
    def host(self) -> str:
        states = self.resource.properties["hostNameSslStates"]
        return next(each["name"] for each in states if each["hostType"] == "Repository")

    def http(self, who: Identity | None = None) -> httpx.Client:
        token = (who or self.publisher).credential.get_token(ARM).token
        trust = ssl.create_default_context(cafile=str(self.embedded.instance.ca_bundle))
        return httpx.Client(
            base_url=f"https://{self.embedded.instance.arm}", verify=trust, timeout=30,
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    def post(self, http: httpx.Client, **options: Any) -> httpx.Response:
        given: dict[str, Any] = {
            "params": {"RemoteBuild": "true"}, "content": package(), "headers": {"Content-Type": "application/zip"}
        } | options  # fmt: skip
        return http.post(f"https://{self.host}/api/publish", **given)


def make(embedded: Embedded, *, granted: bool = True) -> App:
    name = uuid.uuid4().hex[:10]
    account = embedded.put(
        "Microsoft.Storage/storageAccounts", f"st{name}",
        {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {"allowSharedKeyAccess": False}},
    )  # fmt: skip
    container = embedded.put(
        "Microsoft.Storage/storageAccounts/blobServices/containers", f"st{name}/packages", {"properties": {}}
    )
    identity = embedded.put("Microsoft.ManagedIdentity/userAssignedIdentities", f"id-{name}", {})
    storage = {
        "type": "blobContainer",
        "value": f"{account.properties['primaryEndpoints']['blob']}packages",
        "authentication": {"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": identity.id},
    }
    configuration = {"runtime": {"name": "python", "version": "3.12"}, "deployment": {"storage": storage}}
    app = embedded.put(
        "Microsoft.Web/sites", f"func-{name}",
        {"kind": "functionapp,linux", "properties": {"functionAppConfig": configuration}},
    )  # fmt: skip
    if granted:
        principal = embedded.identity()
        principal.principal = type(principal.principal)(identity.properties["principalId"], None, "", "")
        principal.grant(OWNER, account.id)
    return App(embedded, app, container, identity, embedded.identity(("Website Contributor", app.id)))


@pytest.fixture(scope="module")
def app(embedded: Embedded, azurite: Backend) -> App:
    return make(embedded)


def kept(app: App) -> httpx.Response:
    """The package in the app's container, read by somebody who may."""
    reader = app.embedded.identity(("Storage Blob Data Reader", app.container.id))
    token = reader.credential.get_token("https://storage.azure.com/.default").token
    address = app.resource.properties["functionAppConfig"]["deployment"]["storage"]["value"]
    with app.http() as http:
        headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2025-01-05"}
        return http.get(f"{address}/released-package.zip", headers=headers)


def test_the_platforms_own_client_deploys_and_the_package_lies_in_the_apps_container(app: App) -> None:
    content = package()
    with app.http() as http:
        deployment = Site(http, app.host).publish(content, remote_build=True)
        state = http.get(f"https://{app.host}/api/deployments/{deployment}").json()
        assert (state["id"], state["status"]) == (deployment, 4)
        assert http.get(f"https://{app.host}/api/deployments/latest").json() == state
        assert Site(http, app.host).has_code(app.resource.id)
        Site(http, app.host).sync_triggers(app.resource.id)
    assert kept(app).content == content


def test_an_app_without_code_says_so_and_one_that_is_gone_has_no_site(embedded: Embedded, azurite: Backend) -> None:
    app = make(embedded)
    with app.http(embedded.identity(("Website Contributor", embedded.group))) as http:
        assert not Site(http, app.host).has_code(app.resource.id)
        assert app.post(http).status_code == 202
        embedded.delete(app.resource)
        with pytest.raises(httpx.ConnectError):
            app.post(http)
        assert not Site(http, app.host).has_code(app.resource.id)


def test_an_app_whose_identity_may_not_write_to_its_container_takes_no_package(
    embedded: Embedded, azurite: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make(embedded, granted=False)
    monkeypatch.setattr("components.one_deploy._PATIENCE", 1.0)
    with app.http() as http:
        with pytest.raises(DeploymentFailed, match="its identity may not write to the container of its packages"):
            Site(http, app.host).publish(package(), remote_build=True)
        log = http.get(f"https://{app.host}/api/deployments/latest/log").json()
    assert "BlobUploadFailedException" in log[0]["message"]
    assert "403" in log[0]["message"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (package("function_app.py", "requirements.txt"), "host.json is not at the top"),
        (package("host.json"), "function_app.py, requirements.txt is not at the top"),
        (b"PK no zip", "no zip archive"),
    ],
    # A zip tells when it was packed: as a test's name it would be another in each process that collects.
    ids=["no host.json", "no code", "no zip"],
)
def test_a_package_that_no_host_could_run_ends_as_a_deployment_that_failed(app: App, content: bytes, why: str) -> None:
    with app.http() as http, pytest.raises(DeploymentFailed, match=f"status 3: .*{why}"):
        Site(http, app.host).publish(content, remote_build=True)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"headers": {"Content-Type": "application/octet-stream"}}, 415),
        ({"params": {"RemoteBuild": "perhaps"}}, 400),
        ({"params": {"RemoteBuild": "true", "type": "zip"}}, 400),
        ({"auth": ("$func", "password")}, 401),
        ({"headers": {"Content-Type": "application/zip", "Authorization": "Bearer x"}}, 401),
    ],
)
def test_what_is_not_known_or_not_allowed_is_refused(app: App, options: dict[str, Any], status: int) -> None:
    with app.http() as http:
        assert app.post(http, **options).status_code == status
        assert http.post(f"https://{app.host}/api/zipdeploy", content=package()).status_code == 404


def test_who_may_not_publish_is_refused(app: App, embedded: Embedded) -> None:
    with app.http(embedded.identity(("Reader", app.resource.id))) as http:
        assert app.post(http).status_code == 403
        assert http.get(f"https://{app.host}/api/deployments/latest").status_code == 403


def test_apps_of_other_plans_have_no_such_site(embedded: Embedded) -> None:
    other = embedded.put("Microsoft.Web/sites", f"app-{uuid.uuid4().hex[:8]}", {"kind": "app,linux", "properties": {}})
    names = {each["hostType"]: each["name"] for each in other.properties["hostNameSslStates"]}
    assert names == {
        "Standard": f"{other.name}.azurewebsites.net", "Repository": f"{other.name}.scm.azurewebsites.net"
    }  # fmt: skip
