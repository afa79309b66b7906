"""What blocks under test are handed: a site, a subnet with its zone, a vault, a key."""

from __future__ import annotations

from components.common import PrivateAccess, Site
from components.customer_key import CustomerKey
from tests.components.mocks import SUBSCRIPTION, TENANT

SITE = Site(
    resource_group="rg-test",
    location="westeurope",
    stack="test",
    suffix="abc234",
    tenant_id=TENANT,
    subscription_id=SUBSCRIPTION,
    tags={"owner": "me"},
    workspace_id="/id/of/workspace",
)
ACCESS = PrivateAccess(subnet_id="/id/of/Subnet/endpoints", zone_id="/id/of/PrivateZone/zone")
KEY = CustomerKey(
    key_id="/id/of/Key/data", vault_uri="https://kv.example/", version_uri="https://kv.example/keys/data/0"
)
VAULT = "/id/of/Vault/main"
