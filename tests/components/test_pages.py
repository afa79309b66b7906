"""A page a block: as its docstrings and annotations say, with every argument and output explained."""

from __future__ import annotations

import ast

from components import pages


def test_the_committed_pages_are_up_to_date_and_say_what_blocks_cost_by() -> None:
    assert list(pages.wrong()) == [], "run: python -m components.pages"


def test_the_index_leads_to_every_page() -> None:
    index = (pages.PAGES.parent / "components.md").read_text()
    assert [each for each in pages.blocks() if f"(components/{each}.md)" not in index] == []


def test_arguments_are_told_apart_by_the_names_before_their_colons() -> None:
    node = ast.parse(
        "class CacheArgs:\n"
        '    """What a cache needs: little.\n\n'
        '    site: where. sku, tier: which one, e.g. "B5".\n    size: gigabytes.\n    """\n'
        "    site: Site\n    sku: pulumi.Input[str]\n    tier: str = 'Basic'\n    size: int = 1\n"
    ).body[0]
    assert isinstance(node, ast.ClassDef)
    described = pages._described(node)
    assert described.text == "What a cache needs: little."
    assert [(each.name, each.type, each.default, each.text) for each in described.fields] == [
        ("site", "Site", "", "where."),
        ("sku", "Input[str]", "", 'which one, e.g. "B5".'),
        ("tier", "str", "'Basic'", 'which one, e.g. "B5".'),
        ("size", "int", "1", "gigabytes."),
    ]
