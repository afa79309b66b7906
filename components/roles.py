"""Roles: ids of the data planes' built-in roles, made known to components.common.assign_role.

Importing this module is enough: a role is granted by its name in one way, whoever grants it.
"""

from __future__ import annotations

from components.common import ROLES

DATA_ROLES = {
    "Azure Service Bus Data Receiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "Azure Service Bus Data Sender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
"""Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles."""

ROLES.update(DATA_ROLES)
