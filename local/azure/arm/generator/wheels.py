"""Reads azure-mgmt-* wheels: URL templates of PUT requests, name rules, models. Nothing is imported.

Two generations of generated code are understood: autorest's (``_attribute_map``) and TypeSpec's (``rest_field``).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass
class Attribute:
    """One attribute of a model. path: its place on the wire below the object; model: the model it holds, if one."""

    client: str
    path: tuple[str, ...]
    model: str | None
    read_only: bool
    create_only: bool
    is_map: bool = False


@dataclass
class Put:
    """One request, mostly a PUT. parameters: wire name → (client's name, rule). body, answer: model names."""

    url: str
    package: Package
    versions: set[str]
    parameters: dict[str, tuple[str, dict[str, Any]]]
    method: str = "PUT"
    body: str | None = None
    answer: str | None = None
    asynchronous: bool = False
    codes: list[int] = field(default_factory=list)
    deletion: int | None = None
    """Status code of a DELETE of the same URL."""

    @property
    def type(self) -> str:
        """The ARM type that the URL names."""
        rest = self.url.rsplit("/providers/", 1)[-1].strip("/").split("/")
        if "/providers/" not in self.url:
            return "Microsoft.Resources/" + {2: "subscriptions", 4: "resourceGroups"}.get(self.url.count("/"), "?")
        return "/".join((rest[0], *rest[1::2]))


def camel(name: str) -> str:
    """snake_case as camelCase."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


class Package:
    """One folder with ``operations`` and ``models``: a wheel, or one API version of a multi-version wheel."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder, self.version = folder, version
        self._attributes: dict[str, dict[str, Attribute]] = {}

    @cached_property
    def models(self) -> dict[str, ast.ClassDef]:
        """Model classes by name."""
        found: dict[str, ast.ClassDef] = {}
        for path in (self.folder / "models").glob("_models*.py"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    found[node.name] = node
        return found

    def attributes(self, model: str) -> dict[str, Attribute]:
        """A model's attributes, inherited ones included, by client's name."""
        if model not in self._attributes:
            node = self.models.get(model)
            result: dict[str, Attribute] = {}
            self._attributes[model] = result
            if node is not None:
                for base in node.bases:
                    name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
                    result.update(self.attributes(name))
                result.update(_old(node) or _new(node))
        return self._attributes[model]

    @cached_property
    def puts(self) -> list[Put]:
        """Every PUT request of the package."""
        found: list[Put] = []
        gets: dict[str, str] = {}
        deletions: dict[str, int | None] = {}
        for path in sorted((self.folder / "operations").glob("*.py")):
            tree = ast.parse(path.read_text())
            built: dict[str, Put] = {}
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("build_") and (put := self._built(node)):
                    built[node.name] = put
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
            for function in (each for c in classes for each in c.body if isinstance(each, ast.FunctionDef)):
                for put in (built[name] for name in _built_names(function) if name in built):
                    _learn(put, function, gets)
            found += [put for put in built.values() if put.method == "PUT" and _names_one(put.url)]
            deletions |= {put.url: put.deletion for put in built.values() if put.method == "DELETE" and put.deletion}
        for put in found:
            put.answer, put.deletion = gets.get(put.url), deletions.get(put.url)
        return found

    def _built(self, node: ast.FunctionDef) -> Put | None:
        text = ast.unparse(node)
        method = re.search(r"method='(PUT|GET|DELETE)'", text)
        urls = re.findall(r"'(/[^']*)'", text)
        urls = [u for u in urls if u.startswith(("/subscriptions", "/providers", "/{"))]
        if not method or not urls:
            return None
        parameters = {}
        for call in ast.walk(node):
            if isinstance(call, ast.Dict):
                for key, value in zip(call.keys, call.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Call):
                        parameters[str(key.value)] = _parameter(value)
        version = re.search(r"'api-version', '([0-9a-z-]+)'", text)
        versions = {version[1]} if version else {self.version}
        return Put(urls[0], self, versions, parameters, method[1])


def _names_one(url: str) -> bool:
    """Whether a URL names a resource; some wheels also have a PUT that replaces a whole collection."""
    rest = url.strip("/").rsplit("providers/", 1)[-1].split("/")
    return "/providers/" not in url or len(rest) % 2 == 1


def _learn(put: Put, function: ast.FunctionDef, gets: dict[str, str]) -> None:
    """What an operation's method tells of the request that it builds."""
    if put.method == "GET":
        if model := _model_of(function.returns):
            gets[put.url] = model
        return
    if put.method == "DELETE":
        if codes := _codes(function):
            later = function.name.endswith("_initial") and 202 in codes
            put.deletion = 202 if later else 200 if 200 in codes else 204 if 204 in codes else codes[0]
        return
    put.asynchronous = put.asynchronous or function.name.endswith("_initial")
    put.codes = _codes(function) or put.codes
    models = [m for a in (*function.args.args, *function.args.kwonlyargs) if (m := _model_of(a.annotation))]
    put.body = put.body or (models[0] if models else None)


def _parameter(call: ast.Call) -> tuple[str, dict[str, Any]]:
    client = str(call.args[0].value) if call.args and isinstance(call.args[0], ast.Constant) else ""
    names = {"pattern": "pattern", "min_length": "min", "max_length": "max"}
    rule = {names[k.arg]: k.value.value for k in call.keywords if k.arg in names and isinstance(k.value, ast.Constant)}
    return camel(client), rule


def _built_names(function: ast.FunctionDef) -> list[str]:
    return [
        each.func.id
        for each in ast.walk(function)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id.startswith("build_")
    ]


def _model_of(annotation: ast.expr | None) -> str | None:
    if annotation is None:
        return None
    found = re.search(r"_models\.(\w+)", ast.unparse(annotation))
    return found[1] if found else None


def _codes(function: ast.FunctionDef) -> list[int]:
    found = re.search(r"status_code not in \[([0-9, ]+)\]", ast.unparse(function))
    return [int(each) for each in found[1].split(",")] if found else []


def _literal(node: ast.ClassDef, name: str) -> dict[str, Any] | None:
    for each in node.body:
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        if any(isinstance(t, ast.Name) and t.id == name for t in targets) and isinstance(each.value, ast.Dict):  # type: ignore[union-attr]
            return ast.literal_eval(each.value)  # type: ignore[union-attr]
    return None


def _old(node: ast.ClassDef) -> dict[str, Attribute] | None:
    mapped = _literal(node, "_attribute_map")
    if mapped is None:
        return None
    rules = _literal(node, "_validation") or {}
    result = {}
    for name, entry in mapped.items():
        path = tuple(part.replace("\\", "") for part in re.split(r"(?<!\\)\.", entry["key"]))
        word = entry["type"].strip("[]{}")
        model = word if word[:1].isupper() else None
        read_only = bool(rules.get(name, {}).get("readonly"))
        result[camel(name)] = Attribute(camel(name), path, model, read_only, False, entry["type"].startswith("{"))
    return result


def _new(node: ast.ClassDef) -> dict[str, Attribute]:
    result = {}
    for each in node.body:
        if not (isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)):
            continue
        call = each.value
        if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("rest_field", "rest_discriminator")):
            continue
        options = {k.arg: k.value for k in call.keywords}
        wire = ast.literal_eval(options["name"]) if "name" in options else each.target.id
        visibility = ast.literal_eval(options["visibility"]) if "visibility" in options else []
        found = re.search(r"_models\.(\w+)", ast.unparse(each.annotation))
        client = camel(each.target.id)
        result[client] = Attribute(
            client,
            (wire,),
            found[1] if found else None,
            visibility == ["read"],
            "create" in visibility and "update" not in visibility,
            bool(re.match(r"Optional\[(dict|Dict)\[|(dict|Dict)\[", ast.unparse(each.annotation))),
        )
    return result


def packages(root: Path) -> list[Package]:
    """Every package below a folder into which wheels were unpacked, each with its API version where it has one."""
    found = []
    for operations in sorted(root.glob("**/operations")):
        folder = operations.parent
        if folder.name == "aio" or not (folder / "models").is_dir():
            continue
        dated = re.fullmatch(r"v(\d{4})_(\d\d)_(\d\d)(_preview)?", folder.name)
        version = "-".join(dated.groups()[:3]) + ("-preview" if dated[4] else "") if dated else ""
        found.append(Package(folder, version))
    return found
