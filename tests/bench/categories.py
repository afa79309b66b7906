"""How often the category is right, on known and on held-out merchants, and what is taken for what."""

from __future__ import annotations

import sys
import uuid
from collections import Counter, defaultdict

from tests.bench.labelled import Labelled, lines
from workloads.services.enrichment import domain

_LEAST = {False: 0.97, True: 0.70}
"""Share that must be right, of known and of held-out merchants: what was reached when it was last looked at, less 5."""


def _said(line: Labelled) -> str:
    told = domain.Line(line.text, None, -1000)
    return domain.meaning(told, domain.party(uuid.UUID(int=0), told), domain.Word()).category


def main() -> int:
    """Print both shares and the confusion table; 1 when a share is too low."""
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    right: Counter[bool] = Counter()
    counted: Counter[bool] = Counter()
    for line in lines():
        said = _said(line)
        counted[line.held_out] += 1
        right[line.held_out] += said == line.category
        if line.held_out:
            confusion[line.category][said] += 1
    failed = 0
    for held_out, name in ((False, "known merchants"), (True, "held-out merchants")):
        share = right[held_out] / counted[held_out]
        failed += share < _LEAST[held_out]
        print(f"{name:<20} {share:6.1%} of {counted[held_out]} lines right (at least {_LEAST[held_out]:.0%})")
    print("\nHeld-out merchants: right category, and what was said")
    for category, said in sorted(confusion.items()):
        print(f"  {category:<14} {', '.join(f'{each} {n}' for each, n in said.most_common())}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
