"""The properties of a bank's profile as tables in docs/banks.md, made from the model that checks them.

    python -m workloads.bank_document [--check]

Writes what lies between the page's two marks; with --check it only says whether it is as it would be written.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from workloads.services.connector.profile import Profile
from workloads.services.connector.sections.base import VARIABLES
from workloads.services.connector.sections.operation import STANDARD, Operation

PAGE = Path(__file__).resolve().parent.parent / "docs" / "banks.md"
BEGIN, END = "<!-- made by python -m workloads.bank_document -->", "<!-- end of what is made -->"


def tables() -> str:
    """All sections, operations and variables."""
    schema = Profile.model_json_schema()
    sections = [("The profile", schema), *((_title(name), each) for name, each in schema["$defs"].items())]
    lines = [BEGIN, ""]
    for title, section in sections:
        if section.get("properties"):
            lines += [f"### {title}", "", _about(title, section), "", "| property | default | values | meaning |"]
            lines += ["|---|---|---|---|", *(_row(name, of, section) for name, of in section["properties"].items()), ""]
    lines += ["### Operations by name", "", "| operation | the standard's request |", "|---|---|"]
    for name, (method, path, query) in STANDARD.items():
        asked = "&".join(f"{key}={value}" for key, value in query)
        lines.append(f"| `{name}` | `{method} {path}{'?' + asked if asked else ''}` |")
    lines += ["", "### Variables of templates", "", ", ".join(f"`{{{each}}}`" for each in sorted(VARIABLES)) + ".", ""]
    return "\n".join([*lines, END])


def _title(name: str) -> str:
    """Where a section stands in the profile: "sca.encryption: Encryption"."""
    return next((f"`{path}`" for path, model in _places(Profile) if model.__name__ == name), "`operations.<name>`")


def _places(model: type[BaseModel], prefix: str = "") -> list[tuple[str, type[BaseModel]]]:
    found: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        options = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for each in options:
            if isinstance(each, type) and issubclass(each, BaseModel) and each is not Operation:
                found += [(prefix + name, each), *_places(each, f"{prefix}{name}.")]
    return found


def _about(title: str, section: dict[str, Any]) -> str:
    return "A bank." if title == "The profile" else section.get("description", "").split("\n\n")[0]


def _row(name: str, of: dict[str, Any], section: dict[str, Any]) -> str:
    default = "required" if name in section.get("required", ()) else _default(of)
    told = (of.get("description") or "").replace("|", "\\|").replace("\n", " ")
    return f"| `{name}` | {default} | {_values(of)} | {told} |"


def _default(of: dict[str, Any]) -> str:
    value = of.get("default")
    if isinstance(value, dict) and value:
        return "see its section"
    return "none" if value in (None, {}, []) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _values(of: dict[str, Any]) -> str:
    several = of.get("anyOf")
    if several:
        return " or ".join(_values(each) for each in several)
    if "enum" in of:
        return ", ".join(f"`{each}`" for each in of["enum"])
    if of.get("type") == "array" and "items" in of:
        return f"list of {_values(of['items'])}"
    if "$ref" in of:
        return "section"
    limits = [f"{word} {of[name]}" for name, word in (("minimum", "from"), ("maximum", "to")) if name in of]
    return " ".join([(of.get("const") and f"`{of['const']}`") or of.get("type", "list of pairs"), *limits])


def written(page: str) -> str:
    """The page with its tables made anew. Raises ValueError when it lacks the marks."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{PAGE.name} lacks the marks {BEGIN} and {END}")
    return before + tables() + after


def main() -> int:
    """Write the tables, or check them."""
    parser = argparse.ArgumentParser(prog="python -m workloads.bank_document", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    page = PAGE.read_text()
    if parser.parse_args().check:
        return int(written(page) != page)
    PAGE.write_text(written(page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
