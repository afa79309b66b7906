"""What a vault and the ingestion endpoint answered is there after a kill of the daemon: driven through ARM."""

from __future__ import annotations

import hashlib
import json
import ssl
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from azure.keyvault.secrets import SecretClient

from local.azure.arm import roles
from local.azure.daemons import prepare
from local.azure.dataplanes.insights.store import TelemetryReader
from local.instance import Instance
from tests.conftest import _claim
from tests.local.azure.conftest import RunningAzure

MONITOR = "https://monitor.azure.com/.default"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAzure]:
    folder = tmp_path_factory.mktemp("crash")
    base, claim = _claim(folder)
    instance = Instance(folder, base)
    instance.keep()
    prepare(instance, {})
    deployer = json.loads((instance.azure / "deployer.json").read_text())
    azure = RunningAzure(instance, deployer, None)  # type: ignore[arg-type]  # start() sets it
    azure.start()
    yield azure
    azure.stop()
    claim.close()


def _put(arm: httpx.Client, path: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = arm.put(f"{path}?api-version={version}", json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    return arm.get(f"{path}?api-version={version}").json()


def _grant(running: RunningAzure, arm: httpx.Client, role: str, scope: str) -> None:
    guid = next(each for each, body in roles.built_in().items() if body["roleName"] == role)
    definition = f"{running.subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    who = {"principalId": running.deployer["object_id"], "principalType": "ServicePrincipal"}
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    _put(arm, path, "2022-04-01", {"properties": {**who, "roleDefinitionId": definition}})


def test_a_kill_loses_neither_secret_nor_key_nor_telemetry(running: RunningAzure) -> None:
    group = f"{running.subscription}/resourceGroups/crash"
    bundle = str(running.instance.ca_bundle)
    with running.client() as arm:
        _put(arm, group, "2024-03-01", {"location": "westeurope"})
        properties = {
            "tenantId": running.deployer["tenant_id"],
            "sku": {"family": "A", "name": "premium"},
            "enableRbacAuthorization": True,
        }
        path = f"{group}/providers/Microsoft.KeyVault/vaults/kv-{uuid.uuid4().hex[:8]}"
        body = {"location": "westeurope", "properties": properties}
        vault = _put(arm, path, "2023-07-01", body)["properties"]["vaultUri"]
        _grant(running, arm, "Key Vault Administrator", path)
        telemetry = {"Application_Type": "web", "DisableLocalAuth": True}
        body = {"location": "westeurope", "kind": "web", "properties": telemetry}
        component = f"{group}/providers/Microsoft.Insights/components/appi-crash"
        made = _put(arm, component, "2020-02-02", body)
        _grant(running, arm, "Monitoring Metrics Publisher", component)
    digest = hashlib.sha256(b"message").digest()
    credential = running.credential()
    with SecretClient(vault, credential, connection_verify=bundle) as secrets:
        secrets.set_secret("kept", "value")
    with KeyClient(vault, credential, connection_verify=bundle) as keys:
        key = keys.create_rsa_key("kept", size=2048)
    with CryptographyClient(key, credential, connection_verify=bundle) as crypto:
        signature = crypto.sign(SignatureAlgorithm.rs256, digest).signature
    operation = uuid.uuid4().hex
    envelope = {
        "time": "2026-01-02T03:04:05Z",
        "iKey": made["properties"]["InstrumentationKey"],
        "tags": {"ai.operation.id": operation},
        "data": {"baseType": "MessageData", "baseData": {"message": "kept"}},
    }
    trust = ssl.create_default_context(cafile=bundle)
    url = f"https://127.0.0.1:{running.instance.port('insights')}/v2.1/track"
    bearer = {"Authorization": f"Bearer {credential.get_token(MONITOR).token}"}
    assert httpx.post(url, json=[envelope], headers=bearer, verify=trust).status_code == 200
    running.kill()
    running.start()
    with SecretClient(vault, credential, connection_verify=bundle) as secrets:
        assert secrets.get_secret("kept").value == "value"
    with CryptographyClient(key, credential, connection_verify=bundle) as crypto:
        assert crypto.verify(SignatureAlgorithm.rs256, digest, signature).is_valid
        assert crypto.sign(SignatureAlgorithm.rs256, digest).signature == signature
    assert [item.body["message"] for item in TelemetryReader(running.instance.azure).items(operation)] == ["kept"]
    log = running.log.read_text()
    assert bearer["Authorization"].split()[1] not in log
    assert running.deployer["client_secret"] not in log
    assert "eyJ" not in log


def test_a_deleted_vault_comes_back_with_its_secrets_or_is_purged(running: RunningAzure) -> None:
    group = f"{running.subscription}/resourceGroups/soft-delete"
    bundle, name = str(running.instance.ca_bundle), f"kv-{uuid.uuid4().hex[:8]}"
    path = f"{group}/providers/Microsoft.KeyVault/vaults/{name}"
    properties = {
        "tenantId": running.deployer["tenant_id"],
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }
    body = {"location": "westeurope", "properties": properties}
    recover = {"location": "westeurope", "properties": {**properties, "createMode": "recover"}}
    with running.client() as arm:
        _put(arm, group, "2024-03-01", {"location": "westeurope"})
        vault = _put(arm, path, "2023-07-01", body)["properties"]["vaultUri"]
        _grant(running, arm, "Key Vault Administrator", group)
        with SecretClient(vault, running.credential(), connection_verify=bundle) as secrets:
            secrets.set_secret("kept", "value")
        assert arm.delete(f"{path}?api-version=2023-07-01").status_code in (200, 202, 204)
        vault = _put(arm, path, "2023-07-01", recover)["properties"]["vaultUri"]
        with SecretClient(vault, running.credential(), connection_verify=bundle) as secrets:
            assert secrets.get_secret("kept").value == "value"
        assert arm.delete(f"{path}?api-version=2023-07-01").status_code in (200, 202, 204)
        deleted = f"{running.subscription}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/{name}"
        assert arm.post(f"{deleted}/purge?api-version=2023-07-01").status_code in (200, 202)
        vault = _put(arm, path, "2023-07-01", body)["properties"]["vaultUri"]
        with SecretClient(vault, running.credential(), connection_verify=bundle) as secrets:
            assert list(secrets.list_properties_of_secrets()) == []
            assert list(secrets.list_deleted_secrets()) == []
