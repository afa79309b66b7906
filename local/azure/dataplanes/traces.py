"""``python -m local.azure.dataplanes.traces``: what the services told Application Insights, a tree an operation."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from local.azure.dataplanes.insights.store import Item, TelemetryReader
from local.instance import Instance

_SHOWN = ("Request", "RemoteDependency", "Message", "Exception", "Event", "Availability")
_SEVERITIES = ("VERBOSE", "INFO", "WARNING", "ERROR", "CRITICAL")
_SEVERITY_NAMES = {"Verbose": 0, "Information": 1, "Warning": 2, "Error": 3, "Critical": 4}
_LONGEST = 160
_RED, _YELLOW, _DIM, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"


def milliseconds(duration: Any) -> float:
    """Milliseconds of a .NET time span such as "0.00:00:01.234567" or "00:00:01.2"; 0 for anything else."""
    text = str(duration)
    head, _, clock = text.partition(".") if "." in text.partition(":")[0] else ("0", "", text)
    try:
        hours, minutes, seconds = clock.split(":")
        return ((int(head) * 24 + int(hours)) * 60 + int(minutes)) * 60_000 + float(seconds) * 1000
    except ValueError:
        return 0.0


def describe(item: Item) -> str:
    """One line about an item."""
    body = item.body
    if item.kind in ("Request", "Availability"):
        return f"{body.get('name') or '(request)'}  {body.get('responseCode', '')}  {_lasting(body)}  [{item.role}]"
    if item.kind == "RemoteDependency":
        target = f" → {body['target']}" if body.get("target") else ""
        result = body.get("resultCode")
        return f"{body.get('type') or 'call'}: {body.get('name')}{target}  {result if result else ''}  {_lasting(body)}"
    if item.kind == "Exception":
        first = next(iter(body.get("exceptions") or []), {})
        return f"EXCEPTION {first.get('typeName', '')}: {first.get('message', '')}"
    if item.kind == "Message":
        return f"{severity(body)} {body.get('message')}"
    return f"{item.kind} {body.get('name')}"


def severity(body: dict[str, Any]) -> str:
    """A message's severity, INFO where it says none."""
    level = body.get("severityLevel")
    number = _SEVERITY_NAMES.get(level, 1) if isinstance(level, str) else 1 if level is None else int(level)
    return _SEVERITIES[min(max(number, 0), 4)]


def _lasting(body: dict[str, Any]) -> str:
    return f"{milliseconds(body.get('duration')):.0f} ms"


def _colour(item: Item) -> str:
    bad = item.kind == "Exception" or item.body.get("success") is False
    if bad or (item.kind == "Message" and severity(item.body) in ("ERROR", "CRITICAL")):
        return _RED
    if item.kind == "Message":
        return _YELLOW if severity(item.body) == "WARNING" else _DIM
    return ""


def tree(items: list[Item]) -> Iterator[tuple[str, Item]]:
    """Each item with the branches that lead to it: what happened within what, in order of time."""
    own = {item.item for item in items if item.item}
    children: dict[str, list[Item]] = {}
    for item in items:
        children.setdefault(item.parent if item.parent in own else "", []).append(item)
    seen: set[int] = set()

    def walk(item: Item, branch: str, indent: str) -> Iterator[tuple[str, Item]]:
        if id(item) in seen:
            return
        seen.add(id(item))
        yield branch, item
        within = [each for each in children.get(item.item, []) if id(each) not in seen] if item.item else []
        for number, each in enumerate(within):
            last = number == len(within) - 1
            yield from walk(each, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "))

    for item in [*children.get("", []), *items]:  # at last what only hangs on itself
        yield from walk(item, "", "")


def show(reader: TelemetryReader, operations: list[str], out: TextIO, *, colour: bool) -> None:
    """Print operations as trees."""
    for operation in operations:
        items = [item for item in reader.items(operation) if item.kind in _SHOWN]
        if not items:
            continue
        started = items[0].time[:23].replace("T", " ")
        print(f"{started}Z  operation {items[0].operation}", file=out)
        for branches, item in tree(items):
            line = " ".join(describe(item).split())
            line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
            paint = _colour(item) if colour else ""
            print(f"  {branches}{paint}{line}{_PLAIN if paint else ''}", file=out)
        print(file=out)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and print. Exit code 1 when there is nothing to show."""
    parser = argparse.ArgumentParser(prog="python -m local.azure.dataplanes.traces", description=__doc__)
    parser.add_argument("--state", type=Path, help="state folder of the instance (default: TRIBUTARY_STATE or .local)")
    parser.add_argument("--last", type=int, default=10, metavar="N", help="how many operations (default 10)")
    parser.add_argument("--operation", metavar="ID", help="this one only; its first characters suffice")
    parser.add_argument("--json", action="store_true", help="one JSON object an item instead of trees")
    options = parser.parse_args(arguments)
    if options.last < 1:
        parser.error(f"--last is {options.last}; allowed is 1 or more")
    instance = Instance.load(options.state)
    try:
        reader = TelemetryReader(instance.azure)
    except FileNotFoundError as missing:
        print(f"No telemetry: {missing} is not there. Is the platform up (`make up`)?", file=sys.stderr)
        return 1
    operations = [options.operation] if options.operation else reader.operations(options.last)
    found = [item for operation in operations for item in reader.items(operation)]
    if not found:
        wanted = f"operation {options.operation}" if options.operation else "requests"
        counts = ", ".join(f"{count} {kind}" for kind, count in reader.counts().items()) or "nothing"
        print(f"No {wanted} yet; received so far: {counts}.", file=sys.stderr)
        return 1
    if options.json:
        for item in found:
            print(json.dumps(dataclasses.asdict(item)))
    else:
        show(reader, operations, sys.stdout, colour=sys.stdout.isatty())
    return 0


if __name__ == "__main__":
    sys.exit(main())
