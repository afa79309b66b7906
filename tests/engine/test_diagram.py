"""The picture in the README is the one of prod as the program is now."""

from __future__ import annotations

from local.commands.diagram import PICTURE, title
from policies.diagram.picture import picture
from policies.diagram.svg import svg
from tests.engine.deployment import Deployment
from tests.engine.plans import plan_of


def test_the_committed_picture_is_drawn_from_the_plan_of_prod(deployment: Deployment) -> None:
    drawn = svg(picture(plan_of(deployment, "prod"), title("prod")))
    assert PICTURE.read_text() == drawn, "run: make diagram STACK=prod"
