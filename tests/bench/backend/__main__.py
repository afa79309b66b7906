"""Measures what the back end promises, and exits with 1 when a promise is missed.

``make bench-backend``, or ``python -m tests.bench.backend``; ARGS="--only listing --rows 100000" for a part of it.
Every figure is printed beside its limit and the machine's load: the limits are meant for two cores with nothing else
to do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench.backend import categories, delivery, idle, importing, listing
from tests.bench.backend.figures import Figure, told

_Part = Callable[[argparse.Namespace], list[Figure]]
PARTS: Mapping[str, _Part] = {
    "importing": lambda _: importing.measure(),
    "listing": lambda asked: listing.measure(asked.rows, asked.users, asked.rate, asked.seconds),
    "delivery": lambda asked: delivery.measure(asked.events, asked.delivery_seconds),
    "idle": lambda _: idle.measure(),
    "categories": lambda _: categories.measure(),
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-backend", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part, or these")
    parser.add_argument("--rows", type=int, default=1_000_000, help="transactions that are listed (default 1000000)")
    parser.add_argument("--users", type=int, default=1_000, help="people whose transactions they are (default 1000)")
    parser.add_argument("--rate", type=float, default=50, help="pages asked for in a second (default 50)")
    parser.add_argument("--seconds", type=float, default=60, help="how long pages are asked for (default 60)")
    parser.add_argument("--events", type=float, default=200, help="events committed in a second (default 200)")
    parser.add_argument("--delivery-seconds", type=float, default=20, help="for how long (default 20)")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser.parse_args()


def main() -> int:
    """Measure, print, judge."""
    asked, figures = _options(), []
    for name in asked.only or PARTS:
        print(f"\n{name} (load {os.getloadavg()[0]:.1f})", flush=True)
        found = PARTS[name](asked)
        told(found)
        figures += found
    if asked.json:
        asked.json.write_text(json.dumps([each.document() for each in figures], indent=2))
    return 0 if all(each.is_kept for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
