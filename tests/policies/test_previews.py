"""The program's own stacks through the real engine with the pack: prod breaks no rule, dev none that stops it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policies import enforcement, pack
from tests.captures import Capture

pytestmark = pytest.mark.xdist_group("recording")
TOPICS = {each.id: each.topic for each in pack.load()}


def test_a_preview_of_prod_reports_no_violation(captured: Callable[[str], Capture]) -> None:
    shown = captured("prod")
    assert (shown.code, shown.violations) == (0, [])
    assert len(shown.recording.registered) > 400


def test_a_preview_of_dev_reports_no_mandatory_violation(captured: Callable[[str], Capture]) -> None:
    shown = captured("dev")
    assert [each for each in shown.violations if each[1] != "advisory"] == []
    assert shown.code == 0
    # That it reports some shows that the pack was asked.
    assert {TOPICS[rule] for rule, _, _ in shown.violations} <= enforcement.ADVISORY_IN_DEV
    assert shown.violations
