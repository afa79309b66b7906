"""Reads pulumi_azure_native's sources: arguments, outputs, enumerations, API versions. Nothing is imported."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass
class Property:
    """One property of an SDK class: its wire name, its annotation, whether it must be given, its description."""

    name: str
    annotation: ast.expr
    required: bool
    description: str


@dataclass
class SdkClass:
    """A class of the SDK and its properties by wire name. parameters: documented with their descriptions."""

    name: str
    properties: dict[str, Property] = field(default_factory=dict)
    docs: str = ""


@dataclass
class Value:
    """A value's type. kind: str int num bool any list map shape enum union; of: item, names or alternatives."""

    kind: str
    of: object = None


class Sdk:
    """The SDK's folder. Raises FileNotFoundError for a module or class that is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cache  # noqa: B019  # one reader a run
    def _classes(self, module: str, file: str) -> dict[str, SdkClass]:
        path = self._folder / module / f"{file}.py"
        if not path.exists():
            return {}
        tree = ast.parse(path.read_text())
        return {node.name: _read(node) for node in tree.body if isinstance(node, ast.ClassDef)}

    def resource(self, token: str) -> tuple[SdkClass, SdkClass, str, list[str]]:
        """Arguments, outputs, API version and other available versions of a token."""
        _, module, name = token.split(":")
        for path in (self._folder / module).glob("*.py"):
            if f"class {name}(pulumi.CustomResource)" in path.read_text():
                classes = self._classes(module, path.stem)
                break
        else:
            raise FileNotFoundError(f"pulumi_azure_native.{module} has no resource {name}")
        arguments = classes.get(f"{name}InitArgs") or classes[f"{name}Args"]
        text = path.read_text()
        used = re.search(r"Uses Azure REST API version ([0-9a-z-]+)\.", text)
        others = re.search(r"Other available API versions: ([0-9a-z, -]+)\.", text)
        return (
            arguments,
            classes[name],
            used[1] if used else "",
            sorted(others[1].split(", ")) if others else [],
        )

    def input(self, module: str, name: str) -> SdkClass | None:
        """The class of a nested input, e.g. "SubnetArgs"."""
        return self._classes(module, "_inputs").get(name)

    def output(self, module: str, name: str) -> SdkClass | None:
        """The class of a nested output, e.g. "SubnetResponse"."""
        return self._classes(module, "outputs").get(name)

    @cache  # noqa: B019
    def enums(self, module: str) -> dict[str, list[object]]:
        """The enumerations of a module."""
        path = self._folder / module / "_enums.py"
        if not path.exists():
            return {}
        found = {}
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                values: list[object] = [
                    each.value.value
                    for each in node.body
                    if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
                ]
                found[node.name] = values
        return found

    def value(self, module: str, annotation: ast.expr) -> Value:
        """What an annotation says."""
        return _value(annotation, set(self.enums(module)))


def _read(node: ast.ClassDef) -> SdkClass:
    made = SdkClass(node.name, docs=ast.get_docstring(node) or "")
    for each in node.body:
        if not isinstance(each, ast.FunctionDef) or each.returns is None:
            continue
        for decorator in each.decorator_list:
            name = _getter(decorator, each.name)
            if name:
                annotation = _strip(each.returns)
                required = not _is(annotation, "Optional")
                made.properties[name] = Property(name, annotation, required, ast.get_docstring(each) or "")
    return made


def _getter(decorator: ast.expr, name: str) -> str | None:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not (isinstance(called, ast.Attribute) and called.attr == "getter"):
        return None
    if isinstance(decorator, ast.Call):
        for keyword in decorator.keywords:
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return name


def _is(annotation: ast.expr, name: str) -> bool:
    return isinstance(annotation, ast.Subscript) and _name(annotation.value) == name


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return str(node.value).rsplit(".", 1)[-1]
    return node.id if isinstance(node, ast.Name) else ""


def _strip(node: ast.expr) -> ast.expr:
    while _is(node, "Input") or _is(node, "Output"):
        node = node.slice  # type: ignore[attr-defined]
    return node


_PLAIN = {"str": "str", "int": "int", "float": "num", "bool": "bool", "Any": "any", "Asset": "any", "Archive": "any"}


def _value(node: ast.expr, enums: set[str]) -> Value:
    node = _strip(node)
    if isinstance(node, ast.Subscript):
        outer, inner = _name(node.value), node.slice
        if outer == "Optional":
            return _value(inner, enums)
        if outer == "Sequence":
            return Value("list", _value(inner, enums))
        if outer == "Mapping" and isinstance(inner, ast.Tuple):
            return Value("map", _value(inner.elts[1], enums))
        if outer == "Union" and isinstance(inner, ast.Tuple):
            options = [_value(each, enums) for each in inner.elts]
            closed = [each for each in options if each.kind == "enum"]
            shapes = [each for each in options if each.kind == "shape"]
            if closed:
                return closed[0]
            return Value("union", [each.of for each in shapes]) if shapes else Value("any")
    name = _name(node)
    if name in _PLAIN:
        return Value(_PLAIN[name])
    return Value("enum", name) if name in enums else Value("shape", name)
