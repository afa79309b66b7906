"""Management: requests to Azure Resource Manager that azure-native has no resource for, made by dynamic providers."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

PUBLIC_CLOUD = "management.azure.com"
"""Metadata host where azure-native:metadataHost names no other."""


@contextmanager
def management(host: str) -> Iterator[httpx.Client]:
    """A client of a cloud's Resource Manager, signed in as whoever deploys. host: of the cloud's metadata."""
    # Imported here, as only such requests need them: the program that declares the resources does not sign in.
    import httpx
    from azure.identity import DefaultAzureCredential

    with httpx.Client(verify=ssl.create_default_context(), timeout=60) as http:
        cloud = http.get(f"https://{host}/metadata/endpoints", params={"api-version": "2022-09-01"})
        cloud.raise_for_status()
        http.base_url = httpx.URL(cloud.json()["resourceManager"].rstrip("/"))
        audience = cloud.json()["authentication"]["audiences"][0].rstrip("/")
        with DefaultAzureCredential(disable_instance_discovery=True) as credential:
            http.headers["Authorization"] = f"Bearer {credential.get_token(f'{audience}/.default').token}"
        yield http
