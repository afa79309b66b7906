"""Requests judged by the Berlin Group's own OpenAPI document: path, query, headers and body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.workloads.wiremock import SPECS

DOCUMENT = SPECS / "berlin-group-psd2-api-1.3.11.yaml"
_ROOT = "urn:xs2a"


class Contract:
    """The document, ready to judge."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, DRAFT4.create_resource(document))
        named_first = sorted(document["paths"], key=lambda path: path.count("{"))
        self._paths = {re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"): path for path in named_first}

    @classmethod
    @cache
    def of(cls, path: Path) -> Contract:
        """A document, read once."""
        return cls(yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

    def faults(self, method: str, url: str, headers: Mapping[str, str], body: str) -> list[str]:
        """What the document does not allow about a request; headers and parameters it does not know are left alone."""
        parts = urlsplit(url)
        place = parts.path[parts.path.find("/v1/") :]
        template = next((known for form, known in self._paths.items() if form.match(place)), None)
        operation = self._document["paths"].get(template, {}).get(method.lower())
        if template is None or operation is None:
            return [f"{method} {place} is no operation"]
        item = self._document["paths"][template]
        sent = {"header": {name.lower(): each for name, each in headers.items()}, "query": dict(parse_qsl(parts.query))}
        parameters = [self._resolved(p) for p in [*item.get("parameters", []), *operation.get("parameters", [])]]
        found = [fault for each in parameters for fault in self._parameter(each, sent)]
        known = {each["name"] for each in parameters if each["in"] == "query"}
        found += [f"{name} is no query parameter" for name in sent["query"].keys() - known]
        return found + self._body(operation, headers, body)

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            place: Any = self._document
            for name in node["$ref"].removeprefix("#/").split("/"):
                place = place[name]
            node = place
        return node

    def _parameter(self, parameter: dict[str, Any], sent: Mapping[str, Mapping[str, str]]) -> list[str]:
        where, name = parameter["in"], parameter["name"]
        if where not in sent:
            return []
        value: Any = sent[where].get(name.lower() if where == "header" else name)
        if value is None:
            return [f"{where} {name} is missing"] if parameter.get("required") else []
        schema = self._resolved(parameter["schema"])
        if schema.get("type") in ("boolean", "integer"):
            value = json.loads(value) if value in ("true", "false") or value.isdigit() else value
        return [f"{where} {name}: {each}" for each in self._judge(schema, value)]

    def _body(self, operation: dict[str, Any], headers: Mapping[str, str], body: str) -> list[str]:
        wanted = operation.get("requestBody")
        if not wanted or not body:
            return [f"no body is wanted, but {len(body)} bytes were sent"] if body else []
        kind = next((each for name, each in headers.items() if name.lower() == "content-type"), "")
        content = self._resolved(wanted)["content"]
        if kind.partition(";")[0] not in content:
            return [f"Content-Type {kind} is none of {', '.join(content)}"]
        schema = content[kind.partition(";")[0]]["schema"]
        if "oneOf" in schema:  # its first alternative is {}, which everything matches: one of the others, or nothing
            told = json.loads(body)
            others = [self._judge(each, told) for each in schema["oneOf"] if each]
            return [] if told == {} or [] in others else [f"body: {others}"]
        return [f"body: {each}" for each in self._judge(schema, json.loads(body))]

    def _judge(self, schema: Any, value: Any) -> list[str]:
        rooted = {"$id": _ROOT, **self._absolute(schema)} if isinstance(schema, dict) else schema
        validator = Draft4Validator(rooted, registry=self._registry, format_checker=FormatChecker())
        return [each.message for each in validator.iter_errors(value)]

    def _absolute(self, schema: dict[str, Any]) -> dict[str, Any]:
        return json.loads(json.dumps(schema).replace('"#/', f'"{_ROOT}#/'))
