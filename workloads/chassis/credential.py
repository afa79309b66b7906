"""The service's own identity: DefaultAzureCredential, made once and only when first needed; and what else it may be."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.identity import DefaultAzureCredential, WorkloadIdentityCredential


@cache
def credential() -> DefaultAzureCredential:
    """The one credential of this process; it keeps its tokens and renews them before they expire.

    Imported on first use: azure-identity takes 0.4 s to import, which a service started without it need not pay.
    """
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


@cache
def application(tenant_id: str, client_id: str) -> WorkloadIdentityCredential:
    """An application of another tenant that trusts this service's account, which its own identity is nobody in.

    Raises ValueError outside a pod with workload identity, which tells where the account's token is.
    """
    from azure.identity import WorkloadIdentityCredential

    return WorkloadIdentityCredential(tenant_id=tenant_id, client_id=client_id)
