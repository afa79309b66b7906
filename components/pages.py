"""Pages: writes docs/components/ from the blocks' docstrings and annotations. `python -m components.pages [--check]`.

A page a module that has a ComponentResource. What stands behind the end marker is kept by hand: what it costs by.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent / "docs" / "components"
_END = "<!-- end of what is generated; by hand from here -->"
_COSTS = "## Costs by"


@dataclass(frozen=True)
class Field:
    """An argument or output. default: as written, empty where there is none."""

    name: str
    type: str
    default: str
    text: str


@dataclass(frozen=True)
class Described:
    """A class with its fields and the first paragraph of its docstring."""

    name: str
    text: str
    fields: tuple[Field, ...]


def blocks() -> list[str]:
    """Names of the modules that have a ComponentResource."""
    return sorted(each.stem for each in HERE.glob("*.py") if _components(_tree(each.stem)))


def generated(module: str) -> str:
    """The generated part of a block's page."""
    tree = _tree(module)
    said = ast.get_docstring(tree) or ""
    head, *rest = said.split("\n\n")
    name, _, purpose = head.partition(": ")
    lines = [f"# {name}", "", f"<!-- generated from components/{module}.py by `python -m components.pages` -->"]
    lines += ["", _sentence(purpose), *(text for each in rest for text in ("", _joined(each)))]
    for component in _components(tree):
        described = _described(component)
        lines += ["", f"`components.{module}.{described.name}`: {_joined(described.text)}", "", "## Outputs", ""]
        lines += _table(("output", "type", "what"), ((f.name, f.type, f.text) for f in described.fields))
    lines += ["", "## Arguments"]
    for arguments in _arguments(tree):
        lines += ["", f"### {arguments.name}", "", _joined(arguments.text), ""]
        rows = ((f.name, f.type, f.default, f.text) for f in arguments.fields)
        lines += _table(("argument", "type", "default", "what"), rows)
    return "\n".join([*lines, "", _END]) + "\n"


def _tree(module: str) -> ast.Module:
    return ast.parse((HERE / f"{module}.py").read_text())


def _components(tree: ast.Module) -> list[ast.ClassDef]:
    bases = ("pulumi.ComponentResource", "ComponentResource")
    return [each for each in _classes(tree) if any(ast.unparse(base) in bases for base in each.bases)]


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [each for each in tree.body if isinstance(each, ast.ClassDef)]


def _arguments(tree: ast.Module) -> Iterator[Described]:
    """Argument classes of the module, then those that it takes from others."""
    yield from (_described(each) for each in _classes(tree) if each.name.endswith("Args"))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("components."):
            names = {alias.name for alias in node.names if alias.name.endswith("Args")}
            found = _classes(_tree(node.module.split(".", 1)[1].replace(".", "/"))) if names and node.module else []
            yield from (_described(each) for each in found if each.name in names)


def _described(node: ast.ClassDef) -> Described:
    said = ast.get_docstring(node) or ""
    annotated = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    names = [each.target.id for each in annotated if isinstance(each.target, ast.Name)]
    first, texts = _split(said, names)
    texts |= _beside(node)
    fields = [
        Field(
            name,
            ast.unparse(each.annotation).replace("pulumi.", ""),
            ast.unparse(each.value).replace("field(default_factory=dict)", "{}") if each.value else "",
            _joined(texts.get(name, "")),
        )
        for name, each in zip(names, annotated, strict=True)
    ]
    return Described(node.name, first, tuple(fields))


def _split(said: str, names: list[str]) -> tuple[str, dict[str, str]]:
    """A docstring's text before its fields, and the text of each: "name, other: what they are."."""
    one = "|".join(map(re.escape, names)) or "$^"
    marks = list(re.finditer(rf"(?:^|(?<=\s))((?:{one})(?:,\s(?:{one}))*):\s", said))
    texts: dict[str, str] = {}
    for mark, following in itertools.zip_longest(marks, marks[1:]):
        text = said[mark.end() : following.start() if following else len(said)]
        texts |= {name.strip(): text.split("\n\n")[0] for name in mark[1].split(",")}
    return (said[: marks[0].start()] if marks else said).strip(), texts


def _beside(node: ast.ClassDef) -> dict[str, str]:
    """The docstrings that follow annotated names."""
    found = {}
    for each, following in zip(node.body, node.body[1:], strict=False):
        value = following.value if isinstance(following, ast.Expr) else None
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and isinstance(value, ast.Constant):
            found[each.target.id] = str(value.value)
    return found


def _joined(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    joined = _joined(text)
    return joined[:1].upper() + joined[1:]


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    made = [
        tuple(f"`{cell}`" if cell and index < len(row) - 1 else cell for index, cell in enumerate(row)) for row in rows
    ]
    if not made:
        return ["None."]
    lines = [head, tuple("---" for _ in head), *made]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines]


def page(module: str) -> str:
    """A block's page: the generated part, and what is kept by hand."""
    path = PAGES / f"{module}.md"
    kept = path.read_text().split(_END, 1) if path.exists() else []
    return generated(module) + (kept[1].lstrip("\n") if len(kept) > 1 else f"\n{_COSTS}\n")


def wrong() -> Iterator[str]:
    """What is wrong with the pages: out of date, without a word on costs, of a block that is no more."""
    known = blocks()
    for module in known:
        path = PAGES / f"{module}.md"
        if not path.exists() or path.read_text() != page(module):
            yield f"docs/components/{module}.md is out of date"
        elif not path.read_text().split(_COSTS)[-1].strip():
            yield f"docs/components/{module}.md does not say what the block costs by"
    yield from (f"{each.name}: there is no such block" for each in PAGES.glob("*.md") if each.stem not in known)


def main(arguments: list[str]) -> int:
    """Writes the pages, or with --check says what is wrong with them (exit code 1)."""
    if arguments == ["--check"]:
        found = list(wrong())
        sys.stderr.write("".join(f"{each}. Run `python -m components.pages` and commit.\n" for each in found))
        return bool(found)
    if arguments:
        sys.stderr.write(f"Unknown: {' '.join(arguments)}; allowed is --check, or nothing to write the pages.\n")
        return 2
    PAGES.mkdir(exist_ok=True)
    for module in blocks():
        (PAGES / f"{module}.md").write_text(page(module))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
