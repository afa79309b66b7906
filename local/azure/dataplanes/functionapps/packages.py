"""Packages: what is in one, and how an app puts it into the container that its configuration names."""

from __future__ import annotations

import io
import ssl
import zipfile
from collections.abc import Mapping
from typing import Any

import aiohttp

from local.azure.context import Azure, Resource

NAME = "released-package.zip"
"""The blob that a Flex Consumption app runs from."""
_STORAGE = "https://storage.azure.com"
_TOPS = {"python": "function_app.py"}
"""What must be at a package's top beside host.json, by runtime."""


class Refused(Exception):
    """A deployment that failed; the message is what its log says."""


def checked(app: Resource, content: bytes, *, remote_build: bool) -> None:
    """Raises Refused for what no host of the app could run."""
    runtime = str((_configuration(app).get("runtime") or {}).get("name"))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except zipfile.BadZipFile:
        raise Refused("[ExtractZipStep] InvalidDataException: the content is no zip archive.") from None
    wanted = {"host.json", *([_TOPS[runtime]] if runtime in _TOPS else [])}
    wanted |= {"requirements.txt"} if remote_build and runtime == "python" else set()
    if missing := sorted(wanted - names):
        raise Refused(f"[ValidationStep] InvalidPackageContentException: {', '.join(missing)} is not at the top.")


async def store(azure: Azure, app: Resource, content: bytes) -> None:
    """Writes a package to the app's container, as the app's identity and through storage's own gate. Raises Refused."""
    storage = (_configuration(app).get("deployment") or {}).get("storage") or {}
    token = _token(azure, app, storage.get("authentication") or {})
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2025-01-05", "x-ms-blob-type": "BlockBlob"}
    trust = ssl.create_default_context(cafile=str(azure.instance.ca_certificate))
    address = f"{str(storage.get('value', '')).rstrip('/')}/{NAME}"
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.put(address, data=content, headers=headers, ssl=trust) as answer,
        ):
            if answer.status == 201:
                return
            why = f"Response status code does not indicate success: {answer.status} ({answer.reason})."
    except (aiohttp.ClientError, ValueError) as error:
        why = f"{type(error).__name__}: the address is not there."
    raise Refused(
        "[StorageAccessibleCheck] InaccessibleStorageException: Failed to access storage account for deployment: "
        f"BlobUploadFailedException: Failed to upload blob to storage account: {why}"
    )


def _token(azure: Azure, app: Resource, authentication: Mapping[str, Any]) -> str:
    """A token for storage, of the identity that the app's configuration names. Raises Refused."""
    kind = authentication.get("type")
    if kind == "UserAssignedIdentity":
        identity = azure.store.get(str(authentication.get("userAssignedIdentityResourceId")))
        object_id = identity.properties.get("principalId") if identity else None
    elif kind == "SystemAssignedIdentity":
        object_id = (app.body.get("identity") or {}).get("principalId")
    else:
        raise Refused(
            f"Authentication of type {kind!r} to the packages' container is not known to this embedded Azure."
        )
    principal = azure.directory.principal(str(object_id)) if object_id else None
    if principal is None:
        raise Refused("The identity that opens the packages' container is not there.")
    return azure.directory.issue(principal, _STORAGE)


def _configuration(app: Resource) -> Mapping[str, Any]:
    return app.properties.get("functionAppConfig") or {}
