"""Page: writes docs/constraints.md from constraints.yaml. `python -m policies.constraints.page [--check]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from policies.constraints.constraint import SCHEMA, Constraint, constraints

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("docs/constraints.md")
_INTRODUCTION = """\
# What Azure refuses

{count} rules on SKUs, features and networks: what needs which tier, what excludes what, what can't be changed later.
Generated from `policies/constraints.yaml` by `python -m policies.constraints.page`; `make test` checks that it is up
to date.

Each is enforced twice, by one evaluation (`policies/constraints`):

- The embedded Azure refuses it in the dry run of a preview and in a request, with code `AzureConstraint`, the rule and
  its source. A resource that refers to another is judged once the other is there.
- The policy pack has a rule of the same id, so that it holds with the official plugins, too, and in a preview
  for what refers to what. What can't be changed later is judged where the pack is told what is deployed
  ([policies](policies/README.md)): the engine shows it new inputs only.

Values that are known only after deployment are not judged before. Nothing is judged that no source says: a rule that
is not here may still be Azure's.

## Vocabulary
A condition is an object of dotted paths, as azure-native names its inputs; all must hold. `any` takes a list of
conditions, `not` one. `when` says which resources are judged, `demand` what must hold of them; `related` names
another resource that a property refers to, whose inputs are read at `related`. `immutable` fixes `paths`: always, only
`once` they have a value, or between `groups` of values; `when` looks at what is deployed then. A plain value is
the test `is`; what is null or empty is absent, and fails every test unless said otherwise. The schema is
`policies/constraints/schema.json`.
"""


def text() -> str:
    """The page."""
    found = constraints()
    lines = [_INTRODUCTION.format(count=len(found)), *_tests()]
    for kind in dict.fromkeys(each.type for each in found):
        lines += [
            "",
            f"## {kind.removeprefix('azure-native:')}",
            "",
            "| id | rule | condition | source |",
            "|---|---|---|---|",
        ]
        lines += [_row(each) for each in found if each.type == kind]
    return "\n".join(lines) + "\n"


def _tests() -> Iterator[str]:
    yield from ("| test | holds for |", "|---|---|")
    tests = json.loads(SCHEMA.read_text())["$defs"]["test"]["oneOf"][1]["properties"]
    for name, said in tests.items():
        yield f"| `{name}` | {said['description']} |"


def _row(constraint: Constraint) -> str:
    rule = f"**{constraint.title}.** {constraint.reason} {constraint.fix}"
    source = f"[{constraint.source.split('/')[2]}]({constraint.source}), {constraint.checked}"
    return f"| {constraint.id} | {rule} | {_condition(constraint)} | {source} |".replace("\n", " ")


def _condition(constraint: Constraint) -> str:
    if constraint.immutable:
        said = f"when {_shown(constraint.when)}: " if constraint.when else ""
        said += f"fixed: {_code(', '.join(constraint.paths))}"
        said += f" once {_code(json.dumps(constraint.once))}" if constraint.once is not None else ""
        groups = (", ".join(map(str, each)) for each in constraint.groups)
        return said + (f" but within {'; '.join(groups)}" if constraint.groups else "")
    related = (
        f"the {constraint.related['type'].rsplit(':', 1)[1]} in {_code(constraint.related['by'])}; "
        if constraint.related
        else ""
    )
    when = f"when {_shown(constraint.when)}: " if constraint.when else ""
    return f"{related}{when}{_shown(constraint.demand)}"


def _shown(condition: Mapping[str, Any]) -> str:
    return ", ".join(_code(f"{path}: {json.dumps(test, ensure_ascii=False)}") for path, test in condition.items())


def _code(said: str) -> str:
    return f"`{said}`".replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Writes the page, or with --check says that it is out of date (exit code 1)."""
    path, made = ROOT / PAGE, text()
    if arguments == ["--check"]:
        if not path.exists() or path.read_text() != made:
            sys.stderr.write(f"Out of date: {PAGE}. Run `python -m policies.constraints.page` and commit.\n")
            return 1
        return 0
    if arguments:
        sys.stderr.write(f"Unknown: {' '.join(arguments)}; allowed is --check, or nothing to write the page.\n")
        return 2
    path.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
