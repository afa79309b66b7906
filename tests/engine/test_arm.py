"""Every resource of every stack, as the request body that ARM gets, judged by Microsoft's published types."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.commands.arm import bodies
from tests.engine.deployment import Deployment
from tests.engine.plans import plan_of
from tests.judge import WITHOUT_SCHEMA, judged, needs_judge


@needs_judge
@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_azures_published_types_accept_every_resource(deployed: Deployment, stack: str, tmp_path: Path) -> None:
    found = bodies(plan_of(deployed, stack))
    judgement = judged(found, tmp_path)
    assert judgement.errors == []
    assert judgement.unknown == WITHOUT_SCHEMA & {each["type"] for each in found}
    assert judgement.checked == len(found) > 40
