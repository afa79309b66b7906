"""Catalogue: writes docs/policies/ and policies/config/ from the rules. `python -m policies.catalogue [--check]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from policies import enforcement, pack
from policies.rule import Example, Rule

ROOT = Path(__file__).resolve().parent.parent
PAGES, CONFIG = Path("docs/policies"), Path("policies/config")
_HAND_WRITTEN = {"evidence.md", "waivers.md"}
_MAPPINGS = {
    "checkov": "checkov",
    "checkov_terraform": "checkov (Terraform only)",
    "psrule": "PSRule",
    "azure_policy": "Azure Policy (id starts with)",
    "trivy": "Trivy",
}


def written(rules: list[Rule]) -> dict[Path, str]:
    """Every generated file's text, by path from the repository's root."""
    services = sorted({each.service for each in rules})
    files = {PAGES / "README.md": _index(rules, services)}
    for service in services:
        files[PAGES / f"{service.lower()}.md"] = _page(service, [each for each in rules if each.service == service])
    files[PAGES / "checkov.md"] = _disagreements()
    for environment in enforcement.ENVIRONMENTS:
        levels = enforcement.config(environment, rules)
        files[CONFIG / f"{environment}.json"] = json.dumps(levels, indent=2) + "\n"
    return files


def differences(files: Mapping[Path, str], root: Path = ROOT) -> list[str]:
    """What on disk is not as generated: missing, changed, left over."""
    wrong = [
        str(path) for path, text in files.items() if not (root / path).exists() or (root / path).read_text() != text
    ]
    there = [*(root / PAGES).glob("*.md"), *(root / CONFIG).glob("*.json")]
    left = [each for each in there if each.relative_to(root) not in files and each.name not in _HAND_WRITTEN]
    return sorted([*wrong, *(str(each.relative_to(root)) for each in left)])


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _index(rules: list[Rule], services: Iterable[str]) -> str:
    lines = [
        "# Policies",
        "",
        f"{len(rules)} rules for everything that Pulumi deploys. Generated from `policies/rules` by "
        "`python -m policies.catalogue`; `make test` checks that it is up to date.",
        "",
        "    pulumi preview --policy-pack policies --policy-pack-config policies/config/prod.json",
        "    pulumi policy analyze --stack prod --policy-pack policies",
        "",
        "The folder `policies/` is all of it, and is loaded wherever it lies and whatever it is called. Beside the "
        "program, its environment has what the pack needs; elsewhere, or for a program in another language, an "
        "environment of the pack's own requirements, first on PATH:",
        "",
        "    python3 -m venv pack && pack/bin/pip install -r policies/requirements.txt",
        '    PATH="$PWD/pack/bin:$PATH" pulumi policy analyze --stack prod --policy-pack policies',
        "",
        "In prod every rule is mandatory, and without a config, too. In dev and local these topics are advisory: "
        f"{', '.join(sorted(enforcement.ADVISORY_IN_DEV))}. What can't hold for a while is waived: "
        "[waivers](waivers.md). What is known only after deployment is not evaluated in a preview; the update judges "
        "it before it is created.",
        "",
        "The engine shows a pack what resources would become, not what they are. What can't be changed later is judged "
        "where the pack is told what is deployed, and not evaluated elsewhere:",
        "",
        "    pulumi stack export --stack prod --file deployed.json",
        '    TRIBUTARY_DEPLOYED="$PWD/deployed.json" pulumi preview --stack prod --policy-pack policies',
        "",
        "`python -m policies.check [CONFIG.json …]` reads waivers and configs before the engine does, and names file "
        "and line of what is wrong.",
        "",
        "`make evidence STACK=prod` writes what an auditor is handed: [evidence](evidence.md). `make mutation` breaks "
        "one property of the prod stack at a time, and lists which rules noticed. [Checkov](checkov.md) is asked, too.",
        "",
        "Tags and TLS floors are set instead of refused where a config says `remediate` of their rules, which none of "
        "`policies/config` does: what is deployed is then not what the program says. The engine tells each that it "
        f"sets. These can: {', '.join(_link(each) for each in rules if each.remedy)}; any other rule of that level is "
        "mandatory.",
        "",
        '    {"all": "mandatory", "TRB-ALL-002": "remediate", "TRB-ST-002": "remediate"}',
        "",
        "Identifiers of others are named where they were verified, and left out otherwise. Controls are cited as "
        "Azure Policy's built-in initiatives group them; the grouping is Microsoft's.",
        "",
        *_table(("service", "rules", "about"), _services(rules, services)),
        "",
        "## What no rule judges",
        "",
        "- Certificates that others made in a vault: they are objects of its data plane, and azure-native has no "
        "resource of them. TRB-KV-011 judges those that this program asks for, which it never signs itself.",
        "- API Management's direct management endpoint: azure-native has no resource that could switch it on.",
        "- In a preview, a value that only Azure's answer holds: the update and `pulumi policy analyze` judge it.",
        "",
        "## By control",
        "",
        *_table(("framework", "control", "rules"), _controls(rules)),
    ]
    return "\n".join(lines) + "\n"


def _services(rules: list[Rule], services: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for service in services:
        ours = [each for each in rules if each.service == service]
        yield f"[{service}]({service.lower()}.md)", str(len(ours)), _about(ours)


def _controls(rules: list[Rule]) -> Iterator[tuple[str, ...]]:
    cited = [(name, item, each) for each in rules for name, items in each.controls.items() for item in items]
    for name, item in sorted({(name, item) for name, item, _ in cited}, key=lambda pair: (pair[0], _natural(pair[1]))):
        found = [_link(each) for framework, control, each in cited if (framework, control) == (name, item)]
        yield name, item, ", ".join(found)


def _disagreements() -> str:
    listed = yaml.safe_load((ROOT / "policies" / "checkov.yaml").read_text())
    rows = [(each["check"], f"`{each['type']}`", each["says"], each["reason"]) for each in listed]
    lines = [
        "# Checkov",
        "",
        "The prod stack, rendered as an ARM template and as Kubernetes manifests, also goes through "
        "[checkov](https://pypi.org/project/checkov/). Where it comes to something else than the rules that are mapped "
        "to its check, or finds what none demands, the reason is here. A disagreement that is not listed fails "
        "`make test-full`, and so does one that is no longer there. Generated from `policies/checkov.yaml` by "
        "`python -m policies.catalogue`.",
        "",
        *_table(("check", "resource", "checkov and the rules", "why"), rows),
    ]
    return "\n".join(lines) + "\n"


def _natural(item: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in item.replace("-", ".").split(".")]


def _link(rule: Rule) -> str:
    return f"[{rule.id}]({rule.service.lower()}.md#{rule.id.lower()})"


def _about(rules: list[Rule]) -> str:
    """First lines of the modules that a service's rules are in."""
    modules = dict.fromkeys(sys.modules[each.demand.__module__].__doc__ or "" for each in rules)
    return "; ".join(each.split("\n")[0].rstrip(".") for each in modules)


def _page(service: str, rules: list[Rule]) -> str:
    return (
        "\n".join([f"# {service}", "", f"{_about(rules)}.", *(line for each in rules for line in _entry(each))]) + "\n"
    )


def _entry(rule: Rule) -> Iterator[str]:
    dev = "advisory" if rule.topic in enforcement.ADVISORY_IN_DEV else "mandatory"
    yield from ("", f"## {rule.id}", "", f"**{rule.title}.**", "", rule.why, "", f"Fix: {rule.fix}", "")
    yield from _table(("", ""), _facts(rule, dev))
    yield from (
        "",
        "Complies, and is deployed so:" if rule.deployed else "Complies:",
        "",
        "```yaml",
        *_yaml(rule.passes),
        "```",
        "",
    )
    if rule.judges_stack:
        yield f"Does not: {', '.join(rule.breaks)}."
        return
    yield "Does not:"
    yield ""
    for path, value in rule.breaks.items():
        yield f"- `{path}: {json.dumps(value)}`"
    for path in rule.breaks:
        if path in rule.defaults:
            yield f"- absent, `{path}` is Azure's default `{json.dumps(rule.defaults[path])}`, which complies"
        elif path in rule.absent_passes:
            yield f"- absent, `{path}` complies"


def _facts(rule: Rule, dev: str) -> Iterator[tuple[str, str]]:
    yield "judges", ", ".join(f"`{each}`" for each in rule.on) or "the whole stack"
    yield "severity", rule.severity
    yield "topic", rule.topic
    yield "enforced", f"mandatory in prod, {dev} in dev and local"
    if rule.remedy:
        yield "remedy", "set by `remediate`, when asked for"
    for name, value in rule.settings.items():
        other = rule.settings_outside_prod.get(name)
        yield f"setting `{name}`", f"`{json.dumps(value)}`" + (f", in dev and local `{other}`" if other else "")
    for field, name in _MAPPINGS.items():
        if ids := getattr(rule, field):
            yield name, ", ".join(ids)
    for framework, items in rule.controls.items():
        yield framework, ", ".join(items)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    made = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in made]


def _yaml(example: Any) -> list[str]:
    shown = [_plain(each) for each in example] if isinstance(example, list) else example
    return yaml.dump(shown, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True).rstrip("\n").split("\n")


def _plain(example: Example) -> dict[str, Any]:
    said: dict[str, Any] = {"resource": example.reference, **example.properties}
    if example.uses:
        said["(from)"] = {key: list(value) for key, value in example.uses.items()}
    if example.protected:
        said["(protect)"] = True
    return said


class _Dumper(yaml.SafeDumper):
    """Repeats what is the same object, instead of pointing at it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main(arguments: list[str]) -> int:
    """Writes the files, or with --check says which are out of date (exit code 1)."""
    files = written(pack.load())
    wrong = differences(files)
    if arguments == ["--check"]:
        if wrong:
            sys.stderr.write(f"Out of date: {', '.join(wrong)}. Run `python -m policies.catalogue` and commit.\n")
        return bool(wrong)
    if arguments:
        sys.stderr.write(f"Unknown: {' '.join(arguments)}; allowed is --check, or nothing to write the files.\n")
        return 2
    for path in wrong:
        if Path(path) not in files:
            (ROOT / path).unlink()
    for path, text in files.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
