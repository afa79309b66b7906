"""How the table writes types of values, and the two directions of the ``properties`` envelope.

A value's type is one word: ``str int num bool any``, ``[T]`` a list, ``{T}`` a map, ``@m:Shape`` an object of the
table's shapes, ``=m:Enum`` one of an enumeration's values, ``%by(value:@m:Shape|…)`` one of several objects that a
property tells apart, ``ids`` a list of ids to Pulumi and an object with these keys on the wire. A field is such a word
with flags behind it (``!`` required, ``-`` read-only, ``#`` fixed at creation, ``*`` never returned) and, after a
space, its name on the wire where that differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

UNKNOWN = "<unknown>"
"""Stands for a value known only after deployment."""
_FLAGS = "!-#*"


@dataclass(frozen=True)
class Field:
    """One property of an object.

    name: to Pulumi. where: dotted envelope that holds it on the wire ("" or "properties"). wire: its name there.
    """

    name: str
    where: str
    wire: str
    type: str
    required: bool
    read_only: bool
    create_only: bool
    write_only: bool

    @property
    def path(self) -> str:
        """Where it lies on the wire, e.g. "properties.addressPrefix"."""
        return f"{self.where}.{self.wire}" if self.where else self.wire


def field(name: str, where: str, code: str) -> Field:
    """Read a field as the table writes it."""
    word, _, wire = code.partition(" ")
    kind = word.rstrip(_FLAGS)
    flags = word[len(kind) :]
    return Field(name, where, wire or name, kind, "!" in flags, "-" in flags, "#" in flags, "*" in flags)


class Shape:
    """The fields of an object and where each goes in its envelopes."""

    def __init__(self, name: str, groups: Mapping[str, Mapping[str, str]]) -> None:
        self.name, self._groups = name, groups

    @cached_property
    def fields(self) -> dict[str, Field]:
        """By Pulumi's name."""
        return {n: field(n, where, code) for where, group in self._groups.items() for n, code in group.items()}

    @cached_property
    def by_path(self) -> dict[str, Field]:
        """By path on the wire; of two names for one path, the one that is both said and given back."""
        ordered = sorted(self.fields.values(), key=lambda each: not (each.read_only or each.write_only))
        return {each.path: each for each in ordered}

    @cached_property
    def envelopes(self) -> frozenset[str]:
        """Every dotted envelope, their prefixes included; empty when nothing is flattened."""
        parts = [where.split(".") for where in self._groups if where]
        return frozenset(".".join(p[: i + 1]) for p in parts for i in range(len(p)))


class Codec:
    """Moves values between Pulumi's flat form and ARM's. shapes: looks a shape up by its name."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes

    def to_wire(self, value: Any, kind: str) -> Any:
        """A value as ARM wants it. What the table does not know is passed on as it is, for ARM to judge."""
        if kind == "ids":
            return {each: {} for each in value} if isinstance(value, list) else value
        match kind[0], value:
            case "%", dict():
                return self.to_wire(value, chosen(kind, value))
            case "[", list():
                return [self.to_wire(each, kind[1:-1]) for each in value]
            case "{", dict():
                return {key: self.to_wire(each, kind[1:-1]) for key, each in value.items()}
            case "@", dict():
                return self.object_to_wire(value, self.shapes[kind[1:]])
        return value

    def object_to_wire(self, value: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
        """An object's fields put into their envelopes; an unknown one goes where most of its siblings go."""
        result: dict[str, Any] = {}
        for name, each in value.items():
            known = shape.fields.get(name)
            if known is None:
                known = Field(name, "properties" if shape.envelopes else "", name, "any", *(False,) * 4)
            target = result
            for step in known.where.split(".") if known.where else ():
                target = target.setdefault(step, {})
            target[known.wire] = self.to_wire(each, known.type)
        return result

    def from_wire(self, value: Any, kind: str) -> Any:
        """A value as Pulumi has it."""
        match kind[0], value:
            case "%", dict():
                return self.from_wire(value, chosen(kind, value))
            case "[", list():
                return [self.from_wire(each, kind[1:-1]) for each in value]
            case "{", dict():
                return {key: self.from_wire(each, kind[1:-1]) for key, each in value.items()}
            case "@", dict():
                return self.object_from_wire(value, self.shapes[kind[1:]])
        return value

    def object_from_wire(self, value: Mapping[str, Any], shape: Shape, where: str = "") -> dict[str, Any]:
        """An object taken out of its envelopes; properties that the table lacks keep their name."""
        result: dict[str, Any] = {}
        for wire, each in value.items():
            path = f"{where}.{wire}" if where else wire
            known = shape.by_path.get(path)
            if known and known.write_only and path in shape.envelopes and isinstance(each, dict):
                result = {**self.object_from_wire(each, shape, path), **result}
            elif known:
                result[known.name] = self.from_wire(each, known.type)
            elif path in shape.envelopes and isinstance(each, dict):
                result = {**self.object_from_wire(each, shape, path), **result}
            elif wire not in shape.fields:
                result[wire] = each
        return result


@cache
def alternatives(kind: str) -> tuple[str, dict[str, str]]:
    """The property that tells a union's objects apart, and the type for each of its values."""
    by, _, rest = kind[1:-1].partition("(")
    return by, dict(option.split(":", 1) for option in rest.split("|"))


def telling(by: str, value: Mapping[str, Any]) -> str:
    """The name under which an object has the property that tells what it is: on the wire, OData's has a dot."""
    names = ("odataType", "odata.type", "@odata.type") if by == "odataType" else (by,)
    return next((name for name in names if name in value), by)


def chosen(kind: str, value: Mapping[str, Any]) -> str:
    """The type of a union's object, in Pulumi's form or ARM's; "any" where its property names none."""
    by, options = alternatives(kind)
    return options.get(str(value.get(telling(by, value))), "any")
