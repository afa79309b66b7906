"""A site to build components at."""

from __future__ import annotations

import pytest

from components.common import Site
from tests.components.mocks import SUBSCRIPTION, TENANT


@pytest.fixture
def site() -> Site:
    return Site(
        resource_group="rg-test",
        location="westeurope",
        stack="test",
        suffix="abc234",
        tenant_id=TENANT,
        subscription_id=SUBSCRIPTION,
        tags={"owner": "me"},
        workspace_id="/id/of/workspace",
    )
