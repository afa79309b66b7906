"""The picture in the README is the one of prod as the program is now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.commands.diagram import PICTURE, title
from policies.diagram.picture import picture
from policies.diagram.svg import svg
from tests.captures import Capture

pytestmark = pytest.mark.xdist_group("recording")


def test_the_committed_picture_is_drawn_from_the_plan_of_prod(captured: Callable[[str], Capture]) -> None:
    drawn = svg(picture(captured("prod").plan, title("prod")))
    assert PICTURE.read_text() == drawn, "run: make diagram STACK=prod"
