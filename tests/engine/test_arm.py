"""Every resource of every stack, as the request body that ARM gets, judged by Microsoft's published types."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from local.commands.arm import bodies
from local.commands.plan import Planned, planned
from tests.captures import Capture
from tests.engine.deployment import Deployment
from tests.judge import WITHOUT_SCHEMA, judged, needs_judge

pytestmark = needs_judge


def _accepted(resources: Iterable[Planned], folder: Path) -> None:
    found = bodies(resources)
    judgement = judged(found, folder)
    assert judgement.errors == []
    assert judgement.unknown == WITHOUT_SCHEMA & {each["type"] for each in found}
    assert judgement.checked == len(found) > 40


def test_azures_published_types_accept_every_resource_that_is_deployed(deployed: Deployment, tmp_path: Path) -> None:
    _accepted(planned(deployed.state("local")), tmp_path)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_azures_published_types_accept_every_resource_of_a_preview(
    captured: Callable[[str], Capture], stack: str, tmp_path: Path
) -> None:
    _accepted(captured(stack).plan, tmp_path)
