"""The services' APIs as pages in docs/api, made from their OpenAPI documents.

    python -m workloads.api_documents [--check]

Writes the pages; with --check it only says which are not as they would be written, and ends with 1 if any.
"""

from __future__ import annotations

import base64
import importlib
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workloads import made_files
from workloads.chassis.events import catalogue

PAGES = Path("docs/api")
_PLACEHOLDERS = {
    "database_url": "postgresql+psycopg://localhost/none",
    "token_audience": "api://none",
    "data_key": base64.b64encode(bytes(32)).decode(),
    "sandbox_bank": "aurora",
}
"""What an application needs to be told before it tells its operations; nothing of it is contacted."""


def documents() -> Mapping[str, dict[str, Any]]:
    """Each service's OpenAPI document, by the service's name. The sandbox bank's is the Berlin Group's, not ours."""
    packages = sorted(each.parent.name for each in (made_files.ROOT / "workloads/services").glob("*/api.py"))
    return {each.replace("_", "-"): _document(each) for each in packages if each != "bank_sandbox"}


def _document(package: str) -> dict[str, Any]:
    module = importlib.import_module(f"workloads.services.{package}.api")
    settings = typing.get_type_hints(module.build)["settings"]
    given = {
        name: _PLACEHOLDERS.get(name, "http://localhost")
        for name, field in settings.model_fields.items()
        if field.is_required() or name == "data_key"
    }
    return module.build(settings.model_validate(given)).openapi()


def written() -> Mapping[Path, str]:
    """Every page, by its path."""
    found = {PAGES / f"{name}.md": _page(name, document) for name, document in documents().items()}
    return {**found, PAGES / "README.md": _index(documents()), PAGES / "events.md": _events()}


def _events() -> str:
    lines = [
        "# Events",
        "",
        "Made by `python -m workloads.api_documents` from `workloads/chassis/events/catalogue.py`. Each is a",
        f"CloudEvent (1.0, JSON) on the topic `{catalogue.TOPIC}`, keyed by its user's pseudonym; none holds a name",
        "or a text.",
        "",
        "| event | published by | what it tells |",
        "|---|---|---|",
    ]
    for service, events in catalogue.EVENTS.items():
        lines += [f"| `{name}` | {service} | {told} |" for name, told in events.items()]
    told = "What it held of the person is erased: erasure_id, service, round, rows, elsewhere."
    lines.append(f"| `{catalogue.ERASURE_DONE}` | each that holds data of users | {told} |")
    return "\n".join(lines) + "\n"


def _index(services: Mapping[str, dict[str, Any]]) -> str:
    lines = [
        "# APIs",
        "",
        "Made by `python -m workloads.api_documents` from the services' OpenAPI documents, which each serves at",
        "`/openapi.json`. Errors are problem details (RFC 9457). An operation's scopes must all be",
        "granted by a person's token; a service that acts for the person with a token of its own needs none.",
        "",
        "| service | API | operations |",
        "|---|---|---|",
    ]
    for name, document in services.items():
        lines.append(f"| [{name}]({name}.md) | {document['info']['title']} | {len(_operations(document))} |")
    return "\n".join(lines) + "\n"


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if not path.startswith("/healthz/")
    ]


def _page(name: str, document: dict[str, Any]) -> str:
    lines = [f"# {document['info']['title']} (`{name}`)", ""]
    for method, path, operation in _operations(document):
        told = operation.get("description") or operation["summary"]
        lines += [f"## {operation['operationId']}", "", f"`{method} {path}`: {told}", ""]
        if scopes := [f"`{scope}`" for each in operation["security"] for names in each.values() for scope in names]:
            lines += [f"Scopes: {', '.join(scopes)}.", ""]
        if parameters := operation.get("parameters"):
            lines += ["| parameter | in | type | |", "|---|---|---|---|"]
            lines += [f"| `{p['name']}` | {p['in']} | {_type(p['schema'])} | {_about(p)} |" for p in parameters]
            lines.append("")
        if body := operation.get("requestBody"):
            lines += [f"Body: {_type(_content(body))}.", ""]
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                schema = _content(answer)
                lines.append(f"{status}: {_type(schema) if schema else 'nothing'}.")
        errors = ", ".join(status for status in operation["responses"] if not status.startswith("2"))
        lines += [f"Errors: {errors}.", ""]
    lines += _schemas(document)
    return "\n".join(lines).rstrip() + "\n"


def _content(of: dict[str, Any]) -> dict[str, Any]:
    return next((each.get("schema", {}) for each in of.get("content", {}).values()), {})


def _schemas(document: dict[str, Any]) -> list[str]:
    lines = ["## Schemas", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        if name in ("ProblemDetails", "Violation", "Health") or "properties" not in schema:
            continue
        lines += [f"### {name}", "", schema.get("description", "").split("\n\n")[0].replace("\n", " "), ""]
        lines += ["| member | type | |", "|---|---|---|"]
        lines += [f"| `{each}` | {_type(of)} | {_about(of)} |" for each, of in schema["properties"].items()]
        lines.append("")
    return lines


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_type(each) for each in several)
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return schema.get("format") or schema.get("type") or "any"


def _about(of: dict[str, Any]) -> str:
    schema = of.get("schema", {})
    examples = of.get("examples") or schema.get("examples") or []
    told = [of.get("description") or schema.get("description") or "", *(f"e.g. `{each}`" for each in examples[:1])]
    return "; ".join(filter(None, told)).replace("|", "\\|").replace("\n", " ")


def differences(root: Path = made_files.ROOT) -> list[str]:
    """The pages that are not as they would be written, and those of no service."""
    return made_files.differences(written(), root)


def main() -> int:
    """Write the pages, or check them."""
    return made_files.write_or_check("workloads.api_documents", __doc__, written)


if __name__ == "__main__":
    sys.exit(main())
