"""Who a service is to Entra ID."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceIdentity:
    """A managed identity. name: the service's. object_id: what roles are assigned to. client_id: its application id."""

    name: str
    object_id: uuid.UUID
    client_id: uuid.UUID
