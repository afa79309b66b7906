"""An installation that fails for want of a compiler is told from one that fails otherwise."""

from __future__ import annotations

import pytest

from local.toolchain.packages import needs_compiler


@pytest.mark.parametrize(
    "said",
    [
        "error: [Errno 2] No such file or directory: 'gcc'",  # setuptools
        "error: command '/usr/bin/cc' failed: No such file or directory",
        "error: command 'x86_64-linux-gnu-gcc' failed with exit code 1",  # without Python's headers
        "sh: 1: pkg-config: not found",
    ],
)
def test_a_missing_compiler_is_recognized(said: str) -> None:
    assert needs_compiler(f"building a wheel\n{said}\nhint: Build failures usually indicate a problem")


@pytest.mark.parametrize("said", ["No solution found when resolving dependencies", "error: Failed to fetch: tcp"])
def test_other_failures_are_not_taken_for_it(said: str) -> None:
    assert not needs_compiler(said)
