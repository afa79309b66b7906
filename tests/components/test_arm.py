"""Every block alone, with everything it can do, as the bodies that ARM gets, judged by Microsoft's published types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.azure.arm.types import UNKNOWN, by_token
from local.azure.arm.validate import Judge
from local.commands.arm import bodies
from local.commands.plan import Planned
from tests.components.mocks import Registration
from tests.components.samples import BLOCKS, made
from tests.components.secrets import revealed
from tests.judge import WITHOUT_SCHEMA, judged, needs_judge

_MADE_UP = ("object of ", "client of ", "/id/of/")
"""What our mocks answer with: known only after deployment."""


def hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: hidden(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hidden(each) for each in value]
    return UNKNOWN if isinstance(value, str) and value.startswith(_MADE_UP) else value


def as_planned(resource: Registration) -> Planned:
    return Planned(resource.urn, resource.type, hidden(revealed(dict(resource.inputs))), {})


@needs_judge
def test_azures_published_types_accept_every_resource_of_every_block(tmp_path: Path) -> None:
    found = bodies(as_planned(each) for name in BLOCKS for each in made(name).resources)
    judgement = judged(found, tmp_path)
    # Container Insights has streams of its own, which the published lists leave out
    # (learn.microsoft.com/azure/azure-monitor/containers/container-insights-data-collection-configure).
    assert judgement.errors + [each for each in judgement.warnings if "/streams/" not in each] == []
    assert judgement.unknown == WITHOUT_SCHEMA
    assert judgement.checked == len(found) > 80


def test_the_embedded_azure_would_take_every_body_of_every_block() -> None:
    for name in BLOCKS:
        for each in made(name).resources:
            known = by_token(each.type)
            if known:
                _, body = known.to_arm(hidden(revealed(dict(each.inputs))))
                Judge(known, body, None, pinned=True).check([])
            else:
                assert "tributary:" in each.type, f"{each.type} is not in the table of types"
