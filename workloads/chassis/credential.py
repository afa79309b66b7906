"""The service's own identity: DefaultAzureCredential, made once and only when first needed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.identity import DefaultAzureCredential


@cache
def credential() -> DefaultAzureCredential:
    """The one credential of this process; it keeps its tokens and renews them before they expire.

    Imported on first use: azure-identity takes 0.4 s to import, which a service started without it need not pay.
    """
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
