"""Images come out as they went in, driven by Microsoft's own client."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO

import httpx
import pytest
from azure.containerregistry import ArtifactTagOrder, ContainerRegistryClient
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.registry.conftest import OCI_MANIFEST, REGISTRIES, Registry, digest, push
from tests.local.azure.dataplanes.sql.conftest import Backend


@pytest.fixture(scope="module")
def client(one: Registry) -> ContainerRegistryClient:
    return one.client(one.identity("AcrPush", "AcrDelete"))


@pytest.mark.parametrize("audience", ["https://containerregistry.azure.net", "https://management.azure.com"])
def test_a_pull_identity_reads_what_a_push_identity_wrote(one: Registry, audience: str) -> None:
    layer = os.urandom(9_000_000)  # more than two of the client's chunks
    name = f"team/app-{audience.split('.')[0].removeprefix('https://')}"
    pushed = push(one.client(one.identity("AcrPush"), audience), name, layer, tag="v1")
    puller = one.client(one.identity("AcrPull"), audience)
    manifest = puller.get_manifest(name, pushed)
    assert puller.get_manifest(name, "v1").digest == manifest.digest == pushed
    assert manifest.manifest is not None
    blob = manifest.manifest["layers"][0]
    assert (blob["digest"], blob["size"]) == (digest(layer), len(layer))
    assert b"".join(puller.download_blob(name, blob["digest"])) == layer


def test_repositories_tags_and_manifests_are_listed(client: ContainerRegistryClient) -> None:
    digests = {tag: push(client, "listed/app", tag.encode() * 100, tag=tag) for tag in ("v1", "v2", "v3")}
    assert "listed/app" in list(client.list_repository_names(results_per_page=1))
    assert [each.name for each in client.list_tag_properties("listed/app", results_per_page=2)] == ["v1", "v2", "v3"]
    newest = client.list_tag_properties("listed/app", order_by=ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING)
    assert [each.name for each in newest] == ["v3", "v2", "v1"]
    found = {each.digest: each.tags for each in client.list_manifest_properties("listed/app")}
    assert found == {each: [tag] for tag, each in digests.items()}
    assert client.get_repository_properties("listed/app").manifest_count == 3
    assert client.get_tag_properties("listed/app", "v2").digest == digests["v2"]
    assert client.get_manifest_properties("listed/app", "v2").size_in_bytes > 200


def test_a_tag_moves_and_the_old_image_stays_by_digest(client: ContainerRegistryClient) -> None:
    old = push(client, "moved", b"old", tag="latest")
    new = push(client, "moved", b"new", tag="latest")
    assert client.get_manifest("moved", "latest").digest == new
    assert client.get_manifest("moved", old).digest == old


def test_deleting_a_tag_leaves_the_image_deleting_the_image_takes_it(client: ContainerRegistryClient) -> None:
    pushed = push(client, "fading", b"content", tag="v1")
    client.delete_tag("fading", "v1")
    with pytest.raises(ResourceNotFoundError):
        client.get_manifest("fading", "v1")
    assert client.get_manifest("fading", pushed).digest == pushed
    client.delete_manifest("fading", pushed)
    with pytest.raises(ResourceNotFoundError):
        client.get_manifest("fading", pushed)


def test_deleting_a_repository_frees_what_no_other_shares(one: Registry, client: ContainerRegistryClient) -> None:
    shared, own = os.urandom(1000), os.urandom(1000)
    push(client, "doomed", own, tag="own")
    push(client, "doomed", shared, tag="shared")
    kept = push(client, "kept", shared, tag="v1")
    client.delete_repository("doomed")
    assert "doomed" not in list(client.list_repository_names())
    assert b"".join(client.download_blob("kept", digest(shared))) == shared
    assert client.get_manifest("kept", kept).digest == kept
    assert not list((one.embedded.instance.state / "registry").rglob(digest(own).partition(":")[2]))


def test_a_corrupted_upload_is_refused(one: Registry) -> None:
    who = one.identity("AcrPush")
    with one.http(headers=one.bearer(who, "repository:bad:pull,push")) as http:
        session = http.post("/v2/bad/blobs/uploads/").headers["Location"]
        answer = http.put(f"{session}&digest={digest(b'something else')}", content=b"content")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")


def test_chunks_arrive_in_order_or_not_at_all(one: Registry) -> None:
    who, content = one.identity("AcrPush"), os.urandom(300_000)
    with one.http(headers=one.bearer(who, "repository:chunked:pull,push")) as http:
        where = http.post("/v2/chunked/blobs/uploads/").headers["Location"]
        assert where.startswith("/v2/chunked/")
        kind = {"Content-Type": "application/octet-stream"}
        first = http.patch(where, content=content[:100_000], headers={**kind, "Content-Range": "0-99999"})
        assert (first.status_code, first.headers["Range"]) == (202, "0-99999")
        wrong = http.patch(
            first.headers["Location"], content=content[200_000:], headers={**kind, "Content-Range": "200000-299999"}
        )
        assert wrong.status_code == 416
        second = http.patch(
            first.headers["Location"], content=content[100_000:], headers={**kind, "Content-Range": "100000-299999"}
        )
        done = http.put(f"{second.headers['Location']}&digest={digest(content)}")
        assert (done.status_code, done.headers["Location"]) == (201, f"/v2/chunked/blobs/{digest(content)}")
        head = http.head(f"/v2/chunked/blobs/{digest(content)}")
        assert (head.status_code, head.headers["Content-Length"]) == (200, "300000")
        part = http.get(f"/v2/chunked/blobs/{digest(content)}", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, content[10:20])


def test_a_blob_is_mounted_from_a_repository_one_may_pull(one: Registry) -> None:
    who, content = one.identity("AcrPush"), os.urandom(1000)
    one.client(who).upload_blob("source", BytesIO(content))
    mount = f"/v2/target/blobs/uploads/?mount={digest(content)}&from=source"
    with one.http(headers=one.bearer(who, "repository:target:pull,push", "repository:source:pull")) as http:
        assert http.post(mount).status_code == 201
    with one.http(headers=one.bearer(who, "repository:target2:pull,push")) as http:
        assert http.post(mount.replace("target", "target2")).status_code == 202


def test_a_restart_of_the_backend_keeps_images_and_uploads(one: Registry, backend: Backend) -> None:
    who, content = one.identity("AcrPush"), b"before and after"
    pushed = push(one.client(who), "durable", content, tag="v1")
    with one.http(headers=one.bearer(who, "repository:durable:pull,push")) as http:
        begun = http.post("/v2/durable/blobs/uploads/").headers["Location"]
        half = http.patch(begun, content=b"half", headers={"Content-Type": "application/octet-stream"})
        backend.kill()
        down = http.get("/v2/durable/tags/list")
        assert (down.status_code, down.json()["errors"][0]["code"]) == (503, "UNAVAILABLE")
        backend.start()
        done = http.put(f"{half.headers['Location']}&digest={digest(b'half')}")
        assert done.status_code == 201
    assert one.client(who).get_manifest("durable", "v1").digest == pushed


def test_a_deleted_registry_takes_its_images_along(
    new_registry: Callable[[str], Registry], embedded: Embedded, one: Registry, client: ContainerRegistryClient
) -> None:
    doomed = new_registry("acrDoomed")
    shared, own = os.urandom(1000), os.urandom(1000)
    owner = doomed.client(doomed.identity("AcrPush"))
    push(owner, "app", own, tag="v1")
    push(owner, "app", shared, tag="v2")
    push(client, "survivor", shared, tag="v2")
    embedded.delete(doomed.resource)
    again = new_registry("acrDoomed")
    reader = again.client(again.identity("AcrPull"))
    assert list(reader.list_repository_names()) == []
    assert b"".join(client.download_blob("survivor", digest(shared))) == shared
    assert not list((embedded.instance.state / "registry").rglob(digest(own).partition(":")[2]))
    embedded.delete(again.resource)


def test_attributes_that_are_not_kept_are_refused_not_ignored(client: ContainerRegistryClient) -> None:
    push(client, "locked", b"x", tag="v1")
    with pytest.raises(HttpResponseError) as refusal:
        client.update_repository_properties("locked", can_delete=False)
    assert refusal.value.status_code == 501


def test_creating_a_registry_again_keeps_its_address(embedded: Embedded, one: Registry) -> None:
    again = embedded.put(REGISTRIES, "acrOne", one.resource.body)
    assert again.properties["loginServer"] == one.resource.properties["loginServer"]
    assert again.properties["creationDate"] == one.resource.properties["creationDate"]


def test_media_types_in_header_lines_of_their_own_all_count(one: Registry) -> None:
    """As clients written in Go send them (skopeo, docker, containerd)."""
    who = one.identity("AcrPush")
    pushed = push(one.client(who), "go/client", b"layer", tag="v1")
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    with one.http() as http:
        headers = [*one.bearer(who, "repository:go/client:pull").items(), ("Accept", OCI_MANIFEST), ("Accept", docker)]
        answer = http.send(httpx.Request("GET", f"{one.url}/v2/go/client/manifests/v1", headers=headers))
    assert (answer.status_code, answer.headers.get("Docker-Content-Digest")) == (200, pushed)
