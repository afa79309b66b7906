"""Judges a request body by the table, reporting every wrong property path at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from local.azure.arm.regions import REGIONS
from local.azure.arm.shapes import UNKNOWN, Field, Shape, alternatives, telling
from local.azure.arm.types import Type, plain_location, shapes
from local.azure.context import ArmError, Body

_ENVELOPE = {"id", "name", "type", "apiVersion", "systemData", "etag"}
"""What a client may send back as it read it; the id in the address counts."""
_KINDS: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "num": (int, float), "bool": (bool,)}
_WORDS = {"str": "a string", "int": "an integer", "num": "a number", "bool": "a boolean"}


class Judge:
    """One judgement. previous: the stored body when the resource exists.

    pinned: whether the request uses the version that the table describes; for another one only the types of known
    properties are judged, and the rest is taken as it comes.
    """

    def __init__(self, kind: Type, body: Mapping[str, Any], previous: Body | None, *, pinned: bool) -> None:
        self._kind, self._body, self._previous, self._pinned = kind, body, previous, pinned
        self._details: list[Body] = []

    def check(self, found: list[Body]) -> None:
        """Raises ArmError 400 InvalidRequestContent with one detail a wrong property, after those found before."""
        self._details = found
        self._object(self._body, self._kind.shape, "", "", self._previous)
        self._location()
        if self._details:
            raise refused(self._kind.type, self._details)

    def _wrong(self, path: str, code: str, message: str) -> None:
        self._details.append({"code": code, "target": path, "message": message})

    def _object(self, value: Mapping[str, Any], shape: Shape, at: str, where: str, stored: Any) -> None:
        """at: path from the body's root; where: envelope within the shape that value is."""
        if not where and self._pinned:
            for missing in self._missing(value, shape):
                path = f"{at}.{missing.path}" if at else missing.path
                self._wrong(path, "MissingRequiredProperty", f"The property '{path}' is required, but missing.")
        for wire, each in value.items():
            path = f"{at}.{wire}" if at else wire
            inner = f"{where}.{wire}" if where else wire
            old = stored.get(wire) if isinstance(stored, Mapping) else None
            known = shape.by_path.get(inner)
            if not at and wire in _ENVELOPE and (known is None or known.read_only):
                continue
            if known and inner in shape.envelopes and isinstance(each, Mapping):
                self._split(each, known, shape, path, inner, old)
            elif known:
                self._field(each, known, path, old)
            elif inner in shape.envelopes:
                if isinstance(each, Mapping):
                    self._object(each, shape, path, inner, old)
                elif each is not None and each != UNKNOWN:
                    self._wrong(path, "InvalidPropertyType", f"The property '{path}' must be an object.")
            elif self._pinned:
                siblings = [f.wire for f in shape.fields.values() if f.where == where]
                self._wrong(path, "UnknownProperty", f"The property '{path}' is not known here{_like(wire, siblings)}.")

    def _split(self, value: Mapping[str, Any], known: Field, shape: Shape, path: str, inner: str, stored: Any) -> None:
        """An object that is one input, and the envelope of the outputs (a Key Vault key's ``properties``)."""
        writable = shapes()[known.type[1:]].by_path
        own = {k: v for k, v in value.items() if k in writable or f"{inner}.{k}" not in shape.by_path}
        self._value(own, known.type, path, stored)
        self._object({k: v for k, v in value.items() if k not in own}, shape, path, inner, stored)

    @staticmethod
    def _missing(value: Mapping[str, Any], shape: Shape) -> Iterator[Field]:
        for each in shape.fields.values():
            if each.required:
                holder: Any = value
                for step in each.where.split(".") if each.where else ():
                    holder = holder.get(step) if isinstance(holder, Mapping) else None
                if holder != UNKNOWN and (not isinstance(holder, Mapping) or holder.get(each.wire) is None):
                    yield each

    def _field(self, value: Any, known: Field, path: str, stored: Any) -> None:
        if value is None or value == UNKNOWN:
            return
        if known.read_only:
            if self._pinned and value != stored:
                self._wrong(path, "ReadOnlyProperty", f"The property '{path}' is read-only: Azure sets it.")
            return
        self._value(value, known.type, path, stored)

    def _value(self, value: Any, kind: str, path: str, stored: Any) -> None:
        if value is None or value == UNKNOWN or kind == "any":
            return
        if kind in _KINDS:
            if kind == "int" and type(value) is float and value.is_integer():
                return  # JSON has one kind of number, and Pulumi sends 1 as 1.0
            wrong_bool = isinstance(value, bool) and kind != "bool"
            if wrong_bool or not isinstance(value, _KINDS[kind]):
                self._wrong(path, "InvalidPropertyType", f"The property '{path}' must be {_WORDS[kind]}.")
            return
        if kind == "ids":
            if not isinstance(value, Mapping):
                self._wrong(path, "InvalidPropertyType", f"The property '{path}' must be an object with ids as keys.")
        elif kind[0] == "=":
            self._enum(value, kind[1:], path)
        elif kind[0] == "%":
            self._union(value, kind, path, stored)
        elif kind[0] == "[":
            if not isinstance(value, list):
                self._wrong(path, "InvalidPropertyType", f"The property '{path}' must be an array.")
                return
            for index, each in enumerate(value):
                old = stored[index] if isinstance(stored, list) and index < len(stored) else None
                self._value(each, kind[1:-1], f"{path}[{index}]", old)
        elif not isinstance(value, Mapping):
            self._wrong(path, "InvalidPropertyType", f"The property '{path}' must be an object.")
        elif kind[0] == "{":
            for key, each in value.items():
                self._value(each, kind[1:-1], f"{path}.{key}", stored.get(key) if isinstance(stored, Mapping) else None)
        else:
            self._object(value, shapes()[kind[1:]], path, "", stored)

    def _union(self, value: Any, kind: str, path: str, stored: Any) -> None:
        by, options = alternatives(kind)
        if not isinstance(value, Mapping):
            self._wrong(path, "InvalidPropertyType", f"The property '{path}' must be an object.")
            return
        by = telling(by, value)
        chosen = value.get(by)
        if isinstance(chosen, str) and chosen in options:
            self._value(value, options[chosen], path, stored)
        elif self._pinned and not (isinstance(chosen, str) and UNKNOWN in chosen):
            self._wrong(
                f"{path}.{by}",
                "InvalidPropertyValue",
                f"The property '{path}.{by}' is {chosen!r}; allowed: {', '.join(options)}.",
            )

    def _enum(self, value: Any, name: str, path: str) -> None:
        allowed = shapes()[name]
        if value in allowed or (isinstance(value, str) and UNKNOWN in value):
            return
        if not self._pinned:
            return
        shown = ", ".join(str(each) for each in allowed[:20]) + (", …" if len(allowed) > 20 else "")
        self._wrong(
            path,
            "InvalidPropertyValue",
            f"The property '{path}' has the value {value!r}; allowed: {shown}{_like(value, allowed)}.",
        )

    def _location(self) -> None:
        location = self._body.get("location")
        if not isinstance(location, str) or UNKNOWN in location or "location" not in self._kind.shape.fields:
            return
        plain = plain_location(location)
        allowed = {"global"} if self._kind.location == "global" else REGIONS
        if plain not in allowed and not (plain == "global" and self._kind.location == "any"):
            self._wrong(
                "location",
                "LocationNotAvailableForResourceType",
                f"The provided location '{location}' is not available for resource type '{self._kind.type}'. "
                f"List of available regions for the resource type is '{','.join(sorted(allowed))}'.",
            )


def refused(type_name: str, details: list[Body]) -> ArmError:
    """The answer that names every wrong property. A single wrong one lends its code, as Azure does."""
    first = details[0]
    if len(details) == 1:
        return ArmError(400, first["code"], first["message"], first["target"], details)
    message = f"The request content for {type_name} was invalid in {len(details)} places; see details."
    return ArmError(400, "InvalidRequestContent", message, None, details)


def _like(value: object, choices: Any) -> str:
    near = difflib.get_close_matches(str(value), [str(each) for each in choices], 1, 0.7)
    return f" (did you mean {near[0]}?)" if near else ""
