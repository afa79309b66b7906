"""Measures a preview of the prod stack against bare-SDK programs with the same resources, and what the policies add.

``python -m tests.bench.preview``, or ``make bench-preview``: side by side in one run on one embedded Azure, which is
not measured; what is, are the engine and all that it starts. The bare programs are written down from what the real one
registers (``bare.py``): once as azure-native's classes are, with their aliases of older API versions, and once with
those cleared. Then the program and the cleared one again with 3 and 10 times the resources (``--aliases`` has the one
with aliases, too). Of several ``--runs`` the one with the least processor time counts, and the least wall time.
Exits with 1 when a promise is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.commands.rehearsal import Stage, azure_alone, staged
from local.commands.running import command
from local.instance import REPOSITORY, Instance
from tests.bench import bare
from tests.bench.usage import Usage, measured

OURS, BARE, CLEARED, JUDGED = "the program", "bare", "bare, no aliases", "the program, policies"
EMPTY = "the program, a pack of nothing"
_PROMISED = {BARE: 0.4, CLEARED: 1.3}
"""What the program may cost, in wall and in processor time, as a part of what another costs."""
_PROMISED_POLICIES = 1.3
"""What a preview with policies may take of one without, in wall time."""
_DEMANDS_NOTHING = """from pulumi_policy import PolicyPack, ResourceValidationPolicy
PolicyPack("nothing", [ResourceValidationPolicy("nothing", "demands nothing", lambda args, report: None)])
"""
"""What is left of its cost is CrossGuard's: the engine asks a pack twice for each resource, whatever is in it."""
_LEVELS = {"all": "advisory"}
"""Every rule judges, and none ends the preview before its time."""
_PROMISED_GROWTH = 1.2
"""What a resource may take with many of them, in processor time of the program's preview, of what it takes with few."""
_STACK = "prod"
_CREATED = re.compile(r"^ +\+ (\d+) to create", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One measurement. copies: how many times over. resources: that the preview would create."""

    program: str
    copies: int
    resources: int
    usage: Usage

    @property
    def cpu_each(self) -> float:
        """Milliseconds of processor time for a resource."""
        return 1000 * self.usage.cpu / self.resources


class Bench:
    """The programs on one embedded Azure. scratch: for their folders. runs: of each."""

    def __init__(self, instance: Instance, scratch: Path, runs: int) -> None:
        self._instance, self._scratch, self._runs = instance, scratch, runs
        self._registrations = scratch / "registrations.json"
        self.rows: list[Row] = []

    def record(self) -> None:
        """Write the bare program down; the file cache is warm afterwards."""
        with staged(self._instance, _STACK, REPOSITORY) as stage:
            said = stage.pulumi("preview", "--json")
        steps = json.loads(said[said.index("{") :])["steps"]
        bare.write([each["newState"] for each in steps if "newState" in each], self._registrations)

    def measure(self, programs: Sequence[str], copies: int) -> None:
        """A row for each of the programs, so many times over; they take turns."""
        found: dict[str, list[Row]] = {each: [] for each in programs}
        for _ in range(self._runs):
            for program, rows in found.items():
                with self._stage(program, copies) as stage:
                    rows.append(_preview(program, copies, stage))
        for rows in found.values():
            best = min(rows, key=lambda row: row.usage.cpu)
            best.usage.wall = min(each.usage.wall for each in rows)
            self.rows.append(best)
            sys.stderr.write(_line(self.rows[-1]) + "\n")

    @contextlib.contextmanager
    def _stage(self, program: str, copies: int) -> Iterator[Stage]:
        if program in (BARE, CLEARED):
            own = f"from tests.bench.bare import register\nregister({str(self._registrations)!r}, {copies}, "
            own += f"aliases={program == BARE})\n"
        else:
            own = f"from tests.bench.copies import run\nrun({copies})\n"
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            folder = Path(name)
            for each in ("Pulumi.yaml", f"Pulumi.{_STACK}.yaml"):
                shutil.copy(REPOSITORY / each, folder)
            (folder / "levels.json").write_text(json.dumps(_LEVELS))
            (folder / "__main__.py").write_text(own)
            (folder / "nothing").mkdir()
            (folder / "nothing" / "PulumiPolicy.yaml").write_text("runtime: python\n")
            (folder / "nothing" / "__main__.py").write_text(_DEMANDS_NOTHING)
            with staged(self._instance, _STACK, folder) as stage:
                yield stage


def _preview(program: str, copies: int, stage: Stage) -> Row:
    packs: dict[str, tuple[str, ...]] = {
        JUDGED: (
            "--policy-pack",
            str(REPOSITORY / "policies"),
            "--policy-pack-config",
            str(stage.folder / "levels.json"),
        ),
        EMPTY: ("--policy-pack", str(stage.folder / "nothing")),
    }
    with measured(_role) as usage:
        said = stage.pulumi("preview", "--suppress-progress", *packs.get(program, ()))
    found = _CREATED.search(said)
    if found is None:
        raise RuntimeError(f"The preview of {program} does not say what it would create:\n{said[-2000:]}")
    return Row(program, copies, int(found[1]), usage)


def _role(words: list[str]) -> str:
    """What a process of the engine's is."""
    line = " ".join(words)
    known = {"pulumi.policy": "policies", "pulumi-language": "program", "language_host": "program and pack"}
    known |= {"local.plugins": "plugins", "pulumi.dynamic": "plugins", "pulumi-resource": "plugins"}
    return next((role for word, role in known.items() if word in line), "engine")


def _line(row: Row) -> str:
    usage = row.usage
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in sorted(usage.parts.items()))
    return (
        f"{row.copies:>3}x {row.program:<22}{row.resources:>6} resources {usage.wall:7.1f} s wall"
        f" {usage.cpu:7.1f} s CPU {usage.memory:6.0f} MB {row.cpu_each:6.1f} ms CPU a resource  ({parts})"
    )


@dataclass(frozen=True)
class Ratio:
    """One row as a part of another. promised: how much it may be; None: nothing is promised."""

    what: str
    value: float
    promised: float | None

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return self.promised is None or self.value <= self.promised


def ratios(rows: Sequence[Row]) -> list[Ratio]:
    """The program against the others, by scale; the policies; and how the time for a resource grows."""
    by = {(each.program, each.copies): each for each in rows}
    found = []
    for (program, copies), ours in by.items():
        for other, promised in _PROMISED.items():
            if program == OURS and (row := by.get((other, copies))):
                name = f"{copies}x the program / {other}"
                found += [
                    Ratio(f"{name}, wall", ours.usage.wall / row.usage.wall, promised),
                    Ratio(f"{name}, CPU", ours.usage.cpu / row.usage.cpu, promised),
                    Ratio(f"{name}, memory", ours.usage.memory / row.usage.memory, None),
                ]
        first = by[program, min(each for known, each in by if known == program)]
        if copies != first.copies:
            growth = ours.cpu_each / first.cpu_each
            promised = _PROMISED_GROWTH if program == OURS else None
            found.append(Ratio(f"{program}, CPU a resource at {copies}x / at {first.copies}x", growth, promised))
    if {(each, 1) for each in (OURS, JUDGED, EMPTY)} <= by.keys():
        judged, empty, ours = by[JUDGED, 1].usage, by[EMPTY, 1].usage, by[OURS, 1].usage
        found += [
            Ratio("with policies / without, wall", judged.wall / ours.wall, _PROMISED_POLICIES),
            Ratio("with policies / without, CPU", judged.cpu / ours.cpu, None),
            Ratio("with a pack of nothing / without, wall", empty.wall / ours.wall, None),
            Ratio("with policies / with a pack of nothing, wall", judged.wall / empty.wall, None),
        ]
    return found


def _as_json(rows: Sequence[Row], found: Sequence[Ratio]) -> str:
    told: dict[str, Any] = {
        "rows": [dataclasses.asdict(each) for each in rows],
        "ratios": [{**dataclasses.asdict(each), "kept": each.kept} for each in found],
        "load": os.getloadavg()[0],
    }
    return json.dumps(told, indent=1)


def _as_text(found: Sequence[Ratio]) -> str:
    lines = []
    for each in found:
        promise = "" if each.promised is None else f"  at most {each.promised}: {'kept' if each.kept else 'MISSED'}"
        lines.append(f"{each.what:<58}{each.value:6.2f}{promise}")
    return "\n".join([*lines, f"load of the machine: {os.getloadavg()[0]:.1f}"])


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench-preview", description=__doc__)
    parser.add_argument("--copies", type=int, nargs="*", default=[3, 10], help="also so many times over (3 10)")
    parser.add_argument("--aliases", action="store_true", help="the bare program with aliases at those, too")
    parser.add_argument("--runs", type=int, default=1, help="of each program")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with azure_alone() as instance, tempfile.TemporaryDirectory(prefix="tributary-bench-") as scratch:
        bench = Bench(instance, Path(scratch), options.runs)
        bench.record()
        bench.measure([OURS, JUDGED, EMPTY, BARE, CLEARED], 1)
        for copies in options.copies:
            bench.measure([OURS, CLEARED, *([BARE] if options.aliases else [])], copies)
    found = ratios(bench.rows)
    sys.stdout.write((_as_json(bench.rows, found) if options.json else _as_text(found)) + "\n")
    if not all(each.kept for each in found):
        raise RuntimeError("A promise was missed.")


if __name__ == "__main__":
    command(main)
