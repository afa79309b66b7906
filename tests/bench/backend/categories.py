"""How often the category is right, on known and on held-out merchants, and what is taken for what."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict

from tests.bench.backend.figures import Figure
from tests.bench.backend.labelled import Labelled, lines
from workloads.services.enrichment import domain

_MOST_WRONG = {False: 3.0, True: 30.0}
"""Percent that may be wrong, of known and of held-out merchants: what was reached when it was last looked at, and 5."""


def _said(line: Labelled) -> str:
    told = domain.Line(line.text, None, -1000)
    return domain.meaning(told, domain.party(uuid.UUID(int=0), told), domain.Word()).category


def measure() -> list[Figure]:
    """Print the confusion table; the shares that are wrong."""
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: Counter[bool] = Counter()
    counted: Counter[bool] = Counter()
    for line in lines():
        said = _said(line)
        counted[line.held_out] += 1
        wrong[line.held_out] += said != line.category
        if line.held_out:
            confusion[line.category][said] += 1
    print("held-out merchants: right category, and what was said")
    for category, said in sorted(confusion.items()):
        print(f"  {category:<14} {', '.join(f'{each} {n}' for each, n in said.most_common())}")
    return [
        Figure.of(f"{name} ({counted[held_out]} lines), wrong", 100 * wrong[held_out] / counted[held_out],
                  _MOST_WRONG[held_out], "%")
        for held_out, name in ((False, "known merchants"), (True, "held-out merchants"))
    ]  # fmt: skip
