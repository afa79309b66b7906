"""Check: reads waivers and a policy config as the engine will, and names file and line of the first thing wrong.

`python -m policies.check [CONFIG.json …]`; the engine itself says only "unexpected end of JSON input", and takes a rule
that does not exist without a word.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from policies import pack, waivers
from policies.rule import Rule

_LEVELS = ("advisory", "mandatory", "remediate", "disabled")


class ConfigError(Exception):
    """The file can't be used as a policy config; the message starts with file and line."""


def check(path: Path, rules: Mapping[str, Rule]) -> None:
    """Raises ConfigError for the first thing in a policy config that names no rule, level or setting there is."""
    try:
        # JSON is YAML, and YAML's reader knows lines.
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}:1: can't be read: {error}.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path}:{line}: {getattr(error, 'problem', '') or 'no JSON'}.") from None
    for where, id_, said in _entries(path, root):
        rule = rules.get(id_)
        if rule is None and id_ not in ("all", pack.WAIVERS):
            raise ConfigError(f"{where}: there is no rule {id_!r}; docs/policies/ lists those there are.")
        if isinstance(said, yaml.ScalarNode):
            _level(where, said.value)
        else:
            _settings(path, said, rule)


def _entries(path: Path, node: Any) -> Iterator[tuple[str, str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node else 1
        raise ConfigError(f'{path}:{line}: an object is expected, e.g. {{"all": "mandatory"}}.')
    for key, value in node.value:
        yield f"{path}:{key.start_mark.line + 1}", str(key.value), value


def _level(where: str, level: str) -> None:
    if level not in _LEVELS:
        raise ConfigError(f"{where}: {level!r} is no level; allowed are {', '.join(_LEVELS)}.")


def _settings(path: Path, node: yaml.Node, rule: Rule | None) -> None:
    known = rule.settings if rule else {}
    for where, name, value in _entries(path, node):
        if name == "enforcementLevel":
            _level(where, str(value.value))
            continue
        if name not in known:
            raise ConfigError(f"{where}: {name!r} is no setting; allowed are enforcementLevel, {', '.join(known)}.")
        given = yaml.SafeLoader("").construct_object(value, deep=True)
        wanted = (int, float) if isinstance(known[name], int | float) else type(known[name])
        if not isinstance(given, wanted) or isinstance(given, bool):
            raise ConfigError(f"{where}: {name} has the wrong type; the default is {known[name]!r}.")


def main(arguments: list[str]) -> int:
    """Checks the waivers and the named configs, else all of policies/config. Exit code 1: something is wrong."""
    here = Path(__file__).resolve().parent
    rules = {each.id: each for each in pack.load()}
    try:
        waivers.read(here / "waivers.yaml", rules)
        for path in map(Path, arguments) if arguments else sorted((here / "config").glob("*.json")):
            check(path, rules)
    except (ConfigError, waivers.WaiverError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
