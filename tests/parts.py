"""Which part of the project a test protects, and how long a part's tests may take of ``make test`` and of the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A part. test, full: minutes that its tests may take on two cores of ``make test`` and of ``make test-full``."""

    name: str
    test: float
    full: float


PLATFORM = Part("platform: engine, embedded Azure, Kubernetes, two banks", 3, 6)
BLOCKS = Part("building blocks, stacks", 3, 10)
POLICIES = Part("policies", 1.5, 5)
BACK_END = Part("back end: services, event backbone", 4, 15)
PARTS = (PLATFORM, BLOCKS, POLICIES, BACK_END)

_FOLDERS = {
    "tests": BLOCKS,
    "tests/engine/test_faults.py": PLATFORM,
    "tests/engine/test_journey.py": BACK_END,
    "tests/engine/test_lifecycle.py": PLATFORM,
    "tests/engine/test_two_banks.py": PLATFORM,
    "tests/engine/test_undeployment.py": PLATFORM,
    "tests/local": PLATFORM,
    "tests/local/azure/dataplanes/servicebus": BACK_END,
    "tests/local/plugins/test_constraints.py": BLOCKS,
    "tests/local/plugins/test_faults.py": BLOCKS,
    "tests/policies": POLICIES,
    "tests/workloads": BACK_END,
    "tests/workloads/bank_sandbox": PLATFORM,
    "tests/workloads/chassis": PLATFORM,
    "tests/workloads/chassis/test_answers.py": BACK_END,
    "tests/workloads/chassis/test_api_documents.py": BACK_END,
    "tests/workloads/chassis/test_openapi.py": BACK_END,
    "tests/workloads/chassis/test_restoration.py": BACK_END,
    "tests/workloads/connector": PLATFORM,
    "tests/workloads/consent": PLATFORM,
    "tests/workloads/dialect": PLATFORM,
    "tests/workloads/e2e/test_consent.py": PLATFORM,
    "tests/workloads/e2e/test_history.py": PLATFORM,
}
"""The longest path that a test's begins with tells its part."""
_SHARED = "tests/engine/"
"""What is set up and taken down for its tests, whoever comes first, is the stack with all its blocks and services."""


def part_of(test: str, phase: str) -> Part:
    """Whose time a phase of a test is. phase: setup, call or teardown."""
    if phase != "call" and test.startswith(_SHARED):
        return BLOCKS
    path = test.split("::")[0].split("/")
    return next(
        found for end in range(len(path), 0, -1) if (found := _FOLDERS.get("/".join(path[:end]))) is not None
    )  # fmt: skip


def told(durations: Iterable[tuple[str, str, float]], workers: int, *, full: bool) -> Iterator[str]:
    """A line a part. durations: (test, phase, seconds)."""
    spent: dict[Part, float] = defaultdict(float)
    for test, phase, seconds in durations:
        spent[part_of(test, phase)] += seconds / workers
    for part in PARTS:
        if part in spent:
            limit = (part.full if full else part.test) * 60
            over = "  OVER" if spent[part] > limit else ""
            yield f"{spent[part]:7.1f} s of {limit:4.0f}  {part.name}{over}"
