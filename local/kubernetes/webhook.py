"""Mutates pods for workload identity as AKS's webhook does (azure-workload-identity v1, mutating admission)."""

from __future__ import annotations

import base64
import json
import ssl

from aiohttp import web

from local.instance import TENANT_ID, Instance
from local.kubernetes.files import Files
from local.kubernetes.node.client import UNREACHABLE, Api, ApiError, Object

_PREFIX = "azure.workload.identity/"
TOKEN_FOLDER = "/var/run/secrets/azure/tokens"  # noqa: S105  # a path
TOKEN_FILE = "azure-identity-token"  # noqa: S105
AUDIENCE = "api://AzureADTokenExchange"
_SECONDS = (3600, 86400)


class Refused(Exception):
    """A pod that can't be mutated; the message goes to whoever creates it."""


class Webhook:
    """Serves ``/mutate-v1-pod``."""

    def __init__(self, instance: Instance, api: Api) -> None:
        self.instance, self.api = instance, api
        self.runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self.api.open()
        application = web.Application()
        application.router.add_post("/mutate-v1-pod", self._mutate)
        pki = Files.of(self.instance).pki
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(pki / "workload-identity-webhook.pem", pki / "workload-identity-webhook.key")
        self.runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self.runner.setup()
        port = self.instance.port("workload-identity-webhook")
        await web.TCPSite(self.runner, "127.0.0.1", port, ssl_context=tls).start()

    async def close(self) -> None:
        """Stop listening."""
        if self.runner is not None:
            await self.runner.cleanup()
        await self.api.close()

    async def _mutate(self, request: web.Request) -> web.Response:
        review = await request.json()
        asked = review["request"]
        response: Object = {"uid": asked["uid"], "allowed": True}
        try:
            account = await self._account(
                asked["namespace"], asked["object"]["spec"].get("serviceAccountName", "default")
            )
            spec = mutated(asked["object"], account, f"https://{self.instance.arm}/")
            patch = json.dumps([{"op": "replace", "path": "/spec", "value": spec}]).encode()
            response |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
        except Refused as refusal:
            response |= {"allowed": False, "status": {"code": 400, "message": str(refusal)}}
        return web.json_response({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response})

    async def _account(self, namespace: str, name: str) -> Object:
        try:
            return await self.api.call("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")
        except (ApiError, *UNREACHABLE) as problem:
            raise Refused(f"service account {namespace}/{name}: {problem}") from problem


def mutated(pod: Object, account: Object, authority: str) -> Object:
    """The pod's spec with the identity's environment and projected token.

    account: the pod's ServiceAccount. authority: URL of the login endpoint, with a slash at its end.
    Raises Refused for a malformed expiration.
    """
    spec: Object = json.loads(json.dumps(pod["spec"]))
    own = pod["metadata"].get("annotations") or {}
    annotations = account["metadata"].get("annotations") or {}
    skipped = {each.strip() for each in own.get(f"{_PREFIX}skip-containers", "").split(";")}
    variables = {
        "AZURE_CLIENT_ID": annotations.get(f"{_PREFIX}client-id", ""),
        "AZURE_TENANT_ID": annotations.get(f"{_PREFIX}tenant-id", TENANT_ID),
        "AZURE_FEDERATED_TOKEN_FILE": f"{TOKEN_FOLDER}/{TOKEN_FILE}",
        "AZURE_AUTHORITY_HOST": authority,
    }
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            if container["name"] not in skipped:
                _add(container, variables)
    key = f"{_PREFIX}service-account-token-expiration"
    source = {
        "path": TOKEN_FILE,
        "audience": AUDIENCE,
        "expirationSeconds": _expiration(own.get(key, annotations.get(key))),
    }
    volumes = spec.setdefault("volumes", [])
    if not any(each["name"] == TOKEN_FILE for each in volumes):
        volumes.append({"name": TOKEN_FILE, "projected": {"sources": [{"serviceAccountToken": source}]}})
    return spec


def _add(container: Object, variables: dict[str, str]) -> None:
    """What the pod's author set stays."""
    environment = container.setdefault("env", [])
    present = {each["name"] for each in environment}
    environment += [{"name": name, "value": value} for name, value in variables.items() if name not in present]
    mounts = container.setdefault("volumeMounts", [])
    if not any(each["mountPath"] == TOKEN_FOLDER for each in mounts):
        mounts.append({"name": TOKEN_FILE, "mountPath": TOKEN_FOLDER, "readOnly": True})


def _expiration(text: str | None) -> int:
    low, high = _SECONDS
    if text is None:
        return low
    if not text.isdigit() or not low <= int(text) <= high:
        raise Refused(f"{_PREFIX}service-account-token-expiration is {text!r}; allowed are {low} to {high} seconds")
    return int(text)
