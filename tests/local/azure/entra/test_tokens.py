"""Who gets a token, for what, and what it says: Entra's endpoints by Azure's own clients and by hand."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential, WorkloadIdentityCredential
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from local.azure.daemons import authority
from local.instance import TENANT_ID

AUDIENCE = "api://AzureADTokenExchange"
SUBJECT = "system:serviceaccount:tributary:consent"


@pytest.fixture(scope="module")
def group(arm: httpx.Client, azure: Any) -> Iterator[str]:
    path = f"{azure.subscription}/resourceGroups/rg-{uuid.uuid4().hex[:8]}"
    arm.put(path, params={"api-version": "2024-03-01"}, json={"location": "westeurope"})
    yield path
    arm.delete(path, params={"api-version": "2024-03-01"})


@pytest.fixture(scope="module")
def identity(arm: httpx.Client, group: str) -> dict[str, Any]:
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/consent"
    return arm.put(path, params={"api-version": "2023-01-31"}, json={"location": "westeurope"}).json()


class Issuer:
    """An outside OIDC issuer, as a Kubernetes API server is one. keys: what its JWKS shows."""

    def __init__(self, server: http.server.ThreadingHTTPServer) -> None:
        self.server, self.key = server, RSAKey.generate_key(2048, auto_kid=True)
        self.url = f"https://127.0.0.1:{server.server_port}"
        self.claimed = self.url

    def token(self, key: RSAKey | None = None, **claims: Any) -> str:
        key = key or self.key
        now = int(time.time())
        known = {"iss": self.url, "sub": SUBJECT, "aud": [AUDIENCE], "iat": now, "nbf": now, "exp": now + 600}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, known | claims, key)


@pytest.fixture(scope="module")
def issuer(azure: Any) -> Iterator[Issuer]:
    class Documents(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {
                "/.well-known/openid-configuration": {"issuer": made.claimed, "jwks_uri": f"{made.url}/keys"},
                "/keys": KeySet([made.key]).as_dict(private=False),
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(documents[self.path]).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    certificate, key = authority(azure.instance).issue_files(azure.instance.state, "issuer", ("127.0.0.1",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    made = Issuer(server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def trusted(arm: httpx.Client, identity: dict[str, Any], issuer: Issuer) -> dict[str, Any]:
    path = f"{identity['id']}/federatedIdentityCredentials/kubernetes"
    body = {"properties": {"issuer": issuer.url, "subject": SUBJECT, "audiences": [AUDIENCE]}}
    answer = arm.put(path, params={"api-version": "2023-01-31"}, json=body)
    assert answer.status_code == 201, answer.text
    return identity


def claims_of(token: str, azure: Any) -> dict[str, Any]:
    """The claims, after the signature was verified with the published keys."""
    with httpx.Client(verify=azure.tls) as client:
        discovery = client.get(f"{azure.url}/{TENANT_ID}/v2.0/.well-known/openid-configuration").json()
        keys = KeySet.import_key_set(client.get(discovery["jwks_uri"]).json())
    return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


def exchange(azure: Any, identity: dict[str, Any], assertion: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": identity["properties"]["clientId"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        "scope": "https://vault.azure.net/.default",
    }
    return httpx.post(f"{azure.url}/{TENANT_ID}/oauth2/v2.0/token", data=form, verify=azure.tls)


def test_a_client_secret_gets_a_v1_token_for_azures_resources(azure: Any) -> None:
    claims = claims_of(azure.credential().get_token("https://storage.azure.com/.default").token, azure)
    assert claims["iss"] == f"https://sts.windows.net/{TENANT_ID}/"
    assert claims["aud"] == "https://storage.azure.com"
    assert claims["oid"] == claims["sub"] == azure.deployer["object_id"]
    assert (claims["appid"], claims["tid"], claims["idtyp"]) == (azure.deployer["client_id"], TENANT_ID, "app")
    assert claims["nbf"] <= time.time() < claims["exp"]


def test_an_own_api_gets_the_issuer_that_discovery_names(azure: Any) -> None:
    claims = claims_of(azure.credential().get_token("api://tributary/.default").token, azure)
    discovery = httpx.get(f"{azure.url}/{TENANT_ID}/v2.0/.well-known/openid-configuration", verify=azure.tls).json()
    assert claims["iss"] == discovery["issuer"] == f"{azure.url}/{TENANT_ID}/v2.0"
    assert claims["azp"] == azure.deployer["client_id"]


@pytest.mark.parametrize(
    ("who", "scope", "number"),
    [
        ({"client_secret": "wrong"}, "https://management.azure.com/.default", "AADSTS7000215"),
        (
            {"client_id": str(uuid.uuid4()), "client_secret": "x"},
            "https://management.azure.com/.default",
            "AADSTS700016",
        ),
        ({}, "https://example.org/.default", "AADSTS500011"),
    ],
)
def test_what_entra_refuses_carries_its_number(azure: Any, who: dict[str, str], scope: str, number: str) -> None:
    known = {"client_id": azure.deployer["client_id"], "client_secret": azure.deployer["client_secret"]}
    with pytest.raises(ClientAuthenticationError, match=number):
        azure.credential(**(known | who)).get_token(scope)


def test_a_projected_token_is_exchanged(azure: Any, trusted: Any, issuer: Issuer, tmp_path: Any) -> None:
    file = tmp_path / "token"
    file.write_text(issuer.token())
    credential = WorkloadIdentityCredential(
        tenant_id=TENANT_ID,
        client_id=trusted["properties"]["clientId"],
        token_file_path=str(file),
        authority=azure.url,
        disable_instance_discovery=True,
        connection_verify=str(azure.instance.ca_bundle),
    )
    claims = claims_of(credential.get_token("https://vault.azure.net/.default").token, azure)
    assert claims["oid"] == trusted["properties"]["principalId"]
    assert claims["aud"] == "https://vault.azure.net"


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"sub": "system:serviceaccount:tributary:other"}, "AADSTS700213"),
        ({"aud": ["api://other"]}, "AADSTS700212"),
        ({"iss": "https://127.0.0.1:1"}, "AADSTS700211"),
        ({"exp": 1}, "AADSTS700024"),
    ],
)
def test_a_token_that_does_not_match_is_refused(
    azure: Any, trusted: Any, issuer: Issuer, claims: dict[str, Any], number: str
) -> None:
    answer = exchange(azure, trusted, issuer.token(**claims))
    assert answer.status_code == 401
    assert number in answer.json()["error_description"]


def test_a_forged_token_is_refused(azure: Any, trusted: Any, issuer: Issuer) -> None:
    forged = issuer.token(key=RSAKey.generate_key(2048))
    assert "AADSTS700027" in exchange(azure, trusted, forged).json()["error_description"]
    header, payload, _ = issuer.token().split(".")
    assert exchange(azure, trusted, f"{header}.{payload}.").status_code == 401
    assert exchange(azure, trusted, "no token").status_code == 401


def test_an_issuer_that_claims_another_name_is_refused(azure: Any, trusted: Any, issuer: Issuer) -> None:
    issuer.claimed, issuer.key = "https://evil.example", RSAKey.generate_key(2048, auto_kid=True)
    try:
        assert "AADSTS50166" in exchange(azure, trusted, issuer.token()).json()["error_description"]
    finally:
        issuer.claimed = issuer.url
    assert exchange(azure, trusted, issuer.token()).status_code == 200  # a rotated key is fetched anew


def test_an_identity_trusts_nobody_without_a_credential(
    azure: Any, arm: httpx.Client, group: str, issuer: Issuer
) -> None:
    path = f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/alone"
    alone = arm.put(path, params={"api-version": "2023-01-31"}, json={"location": "westeurope"}).json()
    assert "AADSTS70025" in exchange(azure, alone, issuer.token()).json()["error_description"]


def test_the_node_gets_managed_identity_tokens_and_nobody_else(
    azure: Any, identity: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = json.loads((azure.instance.azure / "node-identity.json").read_text())
    monkeypatch.setenv("IDENTITY_ENDPOINT", node["endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", node["header"])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(azure.instance.ca_bundle))
    credential = ManagedIdentityCredential(client_id=identity["properties"]["clientId"])
    claims = claims_of(credential.get_token("https://containerregistry.azure.net/.default").token, azure)
    assert claims["oid"] == identity["properties"]["principalId"]
    query = {"resource": "https://vault.azure.net", "client_id": identity["properties"]["clientId"]}
    assert httpx.get(node["endpoint"], params=query, verify=azure.tls).status_code == 401
    query["client_id"] = azure.deployer["client_id"]  # a service principal is no managed identity
    header = {"X-IDENTITY-HEADER": node["header"]}
    assert httpx.get(node["endpoint"], params=query, headers=header, verify=azure.tls).status_code == 400


def test_a_test_user_signs_in_with_a_password(azure: Any) -> None:
    graph = azure.credential().get_token("https://graph.microsoft.com/.default").token
    name = f"{uuid.uuid4().hex[:8]}@tributary.local"
    body = {"userPrincipalName": name, "displayName": "U", "passwordProfile": {"password": "a long password"}}
    with httpx.Client(base_url=azure.url, verify=azure.tls, headers={"Authorization": f"Bearer {graph}"}) as client:
        user = client.post("/v1.0/users", json=body)
        assert user.status_code == 201
        assert client.post("/v1.0/users", json=body).status_code == 400
        form = {
            "grant_type": "password",
            "client_id": "any",
            "username": name,
            "password": "a long password",
            "scope": "api://tributary/access",
        }
        url = f"/{TENANT_ID}/oauth2/v2.0/token"
        claims = claims_of(client.post(url, data=form).json()["access_token"], azure)
        assert (claims["oid"], claims["upn"], claims["idtyp"]) == (user.json()["id"], name, "user")
        assert claims["preferred_username"] == name
        assert claims["scp"] == "access"
        wrong = client.post(url, data=form | {"password": "another one"}).json()
        assert "AADSTS50126" in wrong["error_description"]
        assert client.delete(f"/v1.0/users/{user.json()['id']}").status_code == 204
        assert client.post(url, data=form).status_code == 400


def test_a_token_for_another_resource_does_not_open_arm(azure: Any) -> None:
    token = azure.credential().get_token("https://vault.azure.net/.default").token
    with azure.client(token) as client:
        answer = client.get(azure.subscription, params={"api-version": "2022-12-01"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


def test_a_token_signed_by_somebody_else_does_not_open_arm(azure: Any) -> None:
    claims = claims_of(azure.credential().get_token("https://management.azure.com/.default").token, azure)
    forged = jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))
    with azure.client(forged) as client:
        assert client.get(azure.subscription, params={"api-version": "2022-12-01"}).status_code == 401


@pytest.mark.parametrize(("version", "form"), [("2022-09-01", dict), ("2019-05-01", list), ("2015-01-01", dict)])
def test_metadata_has_the_form_of_its_version(azure: Any, version: str, form: type) -> None:
    url = f"{azure.url}/metadata/endpoints"
    answer = httpx.get(url, params={"api-version": version}, verify=azure.tls).json()
    assert isinstance(answer, form)
    if version == "2022-09-01":
        assert answer["authentication"]["loginEndpoint"] == answer["resourceManager"] == azure.url
        assert answer["authentication"]["audiences"][0] == "https://management.core.windows.net/"
        assert {"name", "microsoftGraphResourceId", "suffixes"} <= set(answer)
