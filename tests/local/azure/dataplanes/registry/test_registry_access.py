"""Who may do what in a registry, and what everyone else is told."""

from __future__ import annotations

import base64
import json
import time
from io import BytesIO
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from joserfc import jwt
from joserfc.jwk import ECKey

from local.azure.context import ArmError, Resource
from local.azure.dataplanes import registry_backend
from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.registry.conftest import REGISTRIES, Registry, digest, push


@pytest.fixture(scope="module")
def image(one: Registry) -> str:
    return push(one.client(one.identity("AcrPush")), "guarded/app", b"layer", tag="v1")


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_without_a_token_the_challenge_says_where_to_get_one(one: Registry) -> None:
    service = one.resource.properties["loginServer"]
    with one.http() as http:
        assert http.get("/v2/").status_code == 401
        answer = http.get("/v2/guarded/app/manifests/v1")
        catalog = http.get("/v2/_catalog")
    realm = f'Bearer realm="https://{service}/oauth2/token",service="{service}"'
    assert answer.headers["WWW-Authenticate"] == realm + ',scope="repository:guarded/app:pull"'
    assert catalog.headers["WWW-Authenticate"] == realm + ',scope="registry:catalog:*"'
    assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("role", ["AcrPull", "Reader"])
def test_a_pull_identity_can_not_push(one: Registry, image: str, role: str) -> None:
    client = one.client(one.identity(role))
    assert client.get_manifest("guarded/app", "v1").digest == image
    with pytest.raises(ClientAuthenticationError):
        client.upload_blob("guarded/app", BytesIO(b"more"))
    with pytest.raises(ClientAuthenticationError):
        client.set_manifest("guarded/app", {"schemaVersion": 2}, tag="v1")
    with pytest.raises(ClientAuthenticationError):
        client.delete_manifest("guarded/app", "v1")


def test_a_push_identity_can_not_delete(one: Registry, image: str) -> None:
    client = one.client(one.identity("AcrPush"))
    for forbidden in (client.delete_repository, lambda name: client.delete_tag(name, "v1")):
        with pytest.raises(ClientAuthenticationError):
            forbidden("guarded/app")


def test_an_identity_without_a_role_gets_nothing(one: Registry, image: str) -> None:
    stranger = one.identity()
    answer = one.exchange(stranger)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")
    assert stranger.principal.object_id in answer.text
    with pytest.raises(ClientAuthenticationError):
        one.client(stranger).get_manifest("guarded/app", "v1")


def test_a_role_on_one_registry_is_nothing_on_another(one: Registry, two: Registry, image: str) -> None:
    who = one.identity("AcrPush")
    with pytest.raises(ClientAuthenticationError):
        two.client(who).upload_blob("guarded/app", BytesIO(b"x"))
    with two.http(headers=one.bearer(who, "repository:guarded/app:pull")) as http:
        assert http.get("/v2/guarded/app/manifests/v1").status_code == 401


def test_registries_do_not_see_each_others_repositories(one: Registry, two: Registry, image: str) -> None:
    reader = two.identity("AcrPull", "AcrPush")
    push(two.client(reader), "only/two", b"two", tag="v1")
    assert list(two.client(reader).list_repository_names()) == ["only/two"]
    assert "only/two" not in list(one.client(one.identity("AcrPull")).list_repository_names())
    with two.http(headers=two.bearer(reader, "repository:guarded/app:pull")) as http:
        assert http.get("/v2/guarded/app/manifests/v1").status_code == 404
        assert http.get(f"/v2/guarded/app/blobs/{digest(b'layer')}").status_code == 404
    mount = f"/v2/stolen/blobs/uploads/?mount={digest(b'layer')}&from=guarded/app"
    scopes = ("repository:stolen:pull,push", "repository:guarded/app:pull")
    with two.http(headers=two.bearer(reader, *scopes)) as http:
        assert http.post(mount).status_code == 202


def test_a_token_is_good_for_its_scope_alone(one: Registry, image: str) -> None:
    who = one.identity("AcrPush")
    push(one.client(who), "another/app", b"x", tag="v1")
    with one.http(headers=one.bearer(who, "repository:guarded/app:pull")) as http:
        assert http.get("/v2/guarded/app/tags/list").json() == {"name": "guarded/app", "tags": ["v1"]}
        for method, path in (("GET", "/v2/another/app/tags/list"), ("POST", "/v2/guarded/app/blobs/uploads/")):
            answer = http.request(method, path)
            assert answer.status_code == 401
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
        assert http.get("/v2/_catalog").status_code == 401


def test_a_token_grants_only_what_a_role_allows(one: Registry) -> None:
    header = one.bearer(one.identity("AcrPull"), "repository:guarded/app:pull,push,delete")
    assert _claims(header["Authorization"])["access"] == [
        {"type": "repository", "name": "guarded/app", "actions": ["pull"]}
    ]


def test_a_revoked_role_ends_the_refresh_token(one: Registry) -> None:
    who = one.embedded.identity()
    assignment = who.grant("AcrPull", one.resource.id)
    token = one.exchange(who).json()["refresh_token"]
    who.revoke(assignment)
    form = {
        "grant_type": "refresh_token",
        "service": one.resource.properties["loginServer"],
        "scope": "repository:guarded/app:pull",
        "refresh_token": token,
    }
    with one.http() as http:
        assert http.post("/oauth2/token", data=form).status_code == 401


def test_docker_signs_in_with_the_refresh_token_as_password(one: Registry, image: str) -> None:
    who = one.identity("AcrPull")
    query = {"service": one.resource.properties["loginServer"], "scope": "repository:guarded/app:pull"}
    with one.http() as http:
        answer = http.get("/oauth2/token", params=query, headers=one.basic(who))
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert http.get("/v2/guarded/app/manifests/v1", headers=bearer).headers["Docker-Content-Digest"] == image
        assert http.get("/v2/", headers=one.basic(who)).status_code == 200
        assert http.get("/v2/guarded/app/manifests/v1", headers=one.basic(who)).status_code == 200
        assert http.post("/v2/guarded/app/blobs/uploads/", headers=one.basic(who)).status_code == 401


def test_an_admin_user_and_anonymous_pull_are_refused(one: Registry, image: str) -> None:
    query = {"service": one.resource.properties["loginServer"], "scope": "repository:guarded/app:pull"}
    with one.http() as http:
        assert http.get("/oauth2/token", params=query).status_code == 401
        admin = {"Authorization": "Basic " + base64.b64encode(b"acrone:password").decode()}
        assert http.get("/oauth2/token", params=query, headers=admin).status_code == 401
        assert http.get("/v2/guarded/app/manifests/v1", headers=admin).status_code == 401
        form = {"grant_type": "password", "username": "acrone", "password": "password", **query}
        assert http.post("/oauth2/token", data=form).status_code == 401


@pytest.mark.parametrize("setting", ["adminUserEnabled", "anonymousPullEnabled"])
def test_a_registry_with_passwords_or_anonymous_pull_is_refused(embedded: Embedded, setting: str) -> None:
    resource = Resource(
        f"{embedded.group}/providers/{REGISTRIES}/acrX", "acrX", REGISTRIES, {"properties": {setting: True}}
    )

    async def check() -> None:
        await embedded.daemon.lifecycle.behaviour(REGISTRIES).check(resource, None)

    with pytest.raises(ArmError) as refusal:
        embedded.run(check())
    assert (refusal.value.status, refusal.value.target) == (400, f"properties.{setting}")


def test_the_admins_credentials_can_not_be_listed(embedded: Embedded, one: Registry) -> None:
    async def act() -> None:
        await embedded.daemon.lifecycle.behaviour(REGISTRIES).act(one.resource, "listCredentials", {})

    with pytest.raises(ArmError, match="admin user"):
        embedded.run(act())


def _resigned(token: str, key: ECKey, **changes: Any) -> str:
    header = {"alg": "ES256", "kid": key.kid}
    return jwt.encode(header, {**_claims(token), **changes}, key, algorithms=["ES256"])


def test_forged_expired_and_mixed_up_tokens_are_refused(one: Registry, image: str) -> None:
    who = one.identity("AcrPush")
    real = one.bearer(who, "repository:guarded/app:pull")["Authorization"].removeprefix("Bearer ")
    key = registry_backend.signing_key(one.embedded.instance)
    wrong = [
        _resigned(real, ECKey.generate_key("P-256", auto_kid=True)),
        _resigned(real, key, exp=int(time.time()) - 120),
        _resigned(real, key, iss="somebody"),
        one.exchange(who).json()["refresh_token"],
        who.credential.get_token("https://containerregistry.azure.net/.default").token,
        "a.b.c",
    ]
    with one.http() as http:
        path = "/v2/guarded/app/manifests/v1"
        assert http.get(path, headers={"Authorization": f"Bearer {real}"}).status_code == 200
        for token in wrong:
            answer = http.get(path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401
            assert token not in answer.text


def test_an_entra_token_for_something_else_is_not_exchanged(one: Registry) -> None:
    answer = one.exchange(one.identity("AcrPush"), "https://vault.azure.net")
    assert answer.status_code == 401


def test_the_backend_itself_refuses_clients(one: Registry, image: str) -> None:
    who = one.identity("AcrPush")
    backend = registry_backend.url(one.embedded.instance)
    path = f"{backend}/v2/acrone/guarded/app/manifests/v1"
    assert httpx.get(path).status_code == 401
    assert httpx.get(path, headers=one.bearer(who, "repository:acrone/guarded/app:pull")).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/v2/UPPER/manifests/v1",
        "/v2/../acrtwo/only/two/manifests/v1",
        "/v2/%2e%2e/acrtwo/manifests/v1",
        "/v2/a//b/manifests/v1",
        "/acr/v1/..%2facrtwo/_tags",
    ],
)
def test_malformed_names_reach_nothing(one: Registry, path: str) -> None:
    who = one.identity("AcrPull")
    with one.http(headers=one.bearer(who, "repository:guarded/app:pull")) as http:
        assert http.get(path).status_code in (400, 404)


@pytest.mark.parametrize("scope", ["repository:guarded/app", "plugin:x:pull", "repository:../x:pull", "registry:x:*"])
def test_a_malformed_scope_is_refused(one: Registry, scope: str) -> None:
    form = {
        "grant_type": "refresh_token",
        "service": one.resource.properties["loginServer"],
        "scope": scope,
        "refresh_token": one.exchange(one.identity("AcrPull")).json()["refresh_token"],
    }
    with one.http() as http:
        assert http.post("/oauth2/token", data=form).status_code == 400
