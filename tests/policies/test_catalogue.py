"""The catalogue and the policy configs are as the rules say; the pack knows nothing of the program it judges."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

from policies import catalogue, enforcement, pack

RULES = pack.load()
ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_committed_catalogue_and_configs_are_up_to_date() -> None:
    assert catalogue.differences(catalogue.written(RULES)) == [], "run: python -m policies.catalogue"


def test_a_changed_missing_or_left_over_page_is_noticed(tmp_path: Path) -> None:
    files = catalogue.written(RULES)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert catalogue.differences(files, tmp_path) == []
    pages = tmp_path / catalogue.PAGES
    (pages / "sql.md").write_text("changed")
    (pages / "kv.md").unlink()
    (pages / "gone.md").write_text("a service that is no more")
    assert [Path(each).name for each in catalogue.differences(files, tmp_path)] == ["gone.md", "kv.md", "sql.md"]


def test_prod_enforces_everything_and_dev_relaxes_its_topics_alone() -> None:
    assert enforcement.config("prod", RULES) == {"all": "mandatory"}
    dev = json.loads((ROOT / "policies/config/dev.json").read_text())
    assert dev.pop("all") == "mandatory"
    levels = {id_: said["enforcementLevel"] if isinstance(said, dict) else said for id_, said in dev.items()}
    advisory = {id_ for id_, level in levels.items() if level == "advisory"}
    assert set(levels.values()) <= {"advisory", "mandatory"}
    assert advisory == {each.id for each in RULES if each.topic in enforcement.ADVISORY_IN_DEV}


def test_every_rule_says_what_a_reader_needs() -> None:
    for each in RULES:
        assert each.title[0].isupper(), each.id
        assert not each.title.endswith("."), each.id
        assert each.why.endswith("."), each.id
        assert each.fix.endswith((".", ")")), each.id
        assert each.breaks, each.id


def test_the_pack_imports_nothing_of_the_program_it_judges() -> None:
    needed = {"policies", "pulumi_policy", "yaml"}
    for file in (ROOT / "policies").rglob("*.py"):
        # Only who asks for evidence needs more than the pack does.
        allowed = needed | {"jinja2"} if file.parent.name == "evidence" else needed
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                assert top in allowed or top in sys.stdlib_module_names, f"{file}: {name}"
                assert not name.startswith("policies.evidence") or file.parent.name == "evidence", file
