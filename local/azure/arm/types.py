"""The table of types: one line a type in ``types.jsonl``, read by the ARM endpoint and by the azure-native stand-in.

Made by ``generate_types.py``; what nested objects consist of is in ``shapes.jsonl``. Lines are parsed when first
asked for, so importing this is cheap; nothing but the standard library is needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from local.azure.arm.shapes import UNKNOWN, Codec, Shape, chosen
from local.instance import SUBSCRIPTION_ID

_FOLDER = Path(__file__).parent
_SUBSCRIPTION = "subscriptionId"
_SEVERAL = ("{scope}", "{resourceUri}", "{resourceId}", "{resourceScope}", "{parentResourcePath}")
"""Path parameters that stand for several segments."""


@dataclass(frozen=True)
class Type:
    """One resource type at the API version that azure-native pins.

    token: Pulumi's, e.g. "azure-native:storage:StorageAccount". type: ARM's. path: URL template with Pulumi's
    parameter names. version: pinned API version; versions: others that requests may use.
    names: rule per path parameter: "pattern" (regular expression), "min" and "max" characters, "enum".
    unique: "global" when the name is one of a kind in all of Azure. soft_delete: whether a deleted one holds its name.
    asynchronous: whether a PUT answers before it is done. created, deleted: status codes of a PUT that creates and of
    a DELETE (202: it goes on afterwards).
    """

    token: str
    type: str
    path: str
    version: str
    versions: tuple[str, ...]
    shape: Shape
    names: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unique: str = ""
    soft_delete: bool = False
    asynchronous: bool = False
    created: int = 201
    deleted: int = 200
    location: str = ""
    taken_code: str = "NameNotAvailable"

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Path parameters in order, the subscription apart."""
        return tuple(p for p in re.findall(r"{([^}]+)}", self.path) if p != _SUBSCRIPTION)

    @cached_property
    def _in_both(self) -> set[str]:
        """Path parameters that the body repeats (a web test's name)."""
        fields = self.shape.fields
        return {p for p in self.parameters if p in fields and not fields[p].read_only}

    @property
    def name_parameter(self) -> str | None:
        """The parameter that is the resource's own name (Pulumi may choose it); None when the name is fixed."""
        last = self.path.rsplit("/", 1)[1]
        return last[1:-1] if last.startswith("{") else None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches this type's ids; groups are ``parameters`` by position, the subscription first where there is one."""
        pieces = []
        for index, segment in enumerate(self.path.strip("/").split("/")):
            if segment in _SEVERAL:
                pieces.append("/(.+)" if index else "(?:/(.+))?")  # no scope is the tenant's
            else:
                pieces.append("/([^/]+)" if segment.startswith("{") else "/" + re.escape(segment))
        return re.compile("".join(pieces), re.IGNORECASE)

    @cached_property
    def has_state(self) -> bool:
        """Whether its body shows ``properties.provisioningState``."""
        known = self.shape.by_path
        if "properties" in known and known["properties"].type.startswith("@"):
            return "provisioningState" in shapes()[known["properties"].type[1:]].by_path
        return "properties.provisioningState" in known

    def type_of(self, resource_id: str) -> str:
        """The ARM type of an id of this line; a record set's type has its record type in it."""
        if "{" not in self.type:
            return self.type
        rest = resource_id.rstrip("/").rsplit("/providers/", 1)[1].split("/")
        return "/".join((self.type.split("/")[0], *rest[1::2]))

    def parse_id(self, resource_id: str) -> dict[str, str]:
        """The path parameters of an id. Raises ValueError when it is not one of this type."""
        found = self.pattern.fullmatch("/" + resource_id.strip("/"))
        if found is None:
            raise ValueError(f"{resource_id!r} is no id of {self.type}; expected is {self.path}.")
        names = re.findall(r"{([^}]+)}", self.path)
        return dict(zip(names, (each or "" for each in found.groups()), strict=True))

    def to_arm(self, inputs: Mapping[str, Any], subscription: str = SUBSCRIPTION_ID) -> tuple[str, dict[str, Any]]:
        """The resource id and the request body of Pulumi's inputs; "<unknown>" passes through.

        Raises ValueError when a path parameter is missing.
        """
        given = {_SUBSCRIPTION: subscription} | {k: v for k, v in inputs.items() if v is not None}
        missing = [p for p in self.parameters if p not in given]
        if missing:
            raise ValueError(f"{self.token} needs {', '.join(missing)} for its id {self.path}.")
        path = re.sub(r"{([^}]+)}", lambda m: str(given[m[1]]).strip("/"), self.path)
        apart = {_SUBSCRIPTION, *(p for p in self.parameters if p not in self._in_both)}
        body = {k: v for k, v in inputs.items() if k not in apart and v is not None}
        return "/" + "/".join(part for part in path.split("/") if part), _codec().object_to_wire(body, self.shape)

    def from_arm(self, resource_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Pulumi's outputs of an ARM body: the envelopes opened, with id and name."""
        outputs = _codec().object_from_wire(body, self.shape)
        return {**outputs, "id": body.get("id", resource_id), "name": body.get("name", resource_id.rsplit("/", 1)[1])}

    def inputs_of(self, resource_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a program would have to say to get this resource: for import and refresh."""
        inputs = {k: v for k, v in self.parse_id(resource_id).items() if k != _SUBSCRIPTION}
        codec = _codec()
        flat = codec.object_from_wire(body, self.shape)
        for name, each in self.shape.fields.items():
            if name in flat and not each.read_only and name not in ("id", "name", "type"):
                inputs[name] = _writable(flat[name], each.type, codec)
        return inputs

    def wire_path(self, path: str) -> str:
        """Where an input's path lies in the request body, e.g. "sku.name" or "properties.addressSpace"."""
        fields, found = self.shape.fields, []
        for step in path.split("."):
            name, bracket, index = step.partition("[")
            each = fields.get(name)
            found.append((each.path if each else name) + bracket + index)
            kind = (each.type if each else "any").strip("[]{}")
            fields = shapes()[kind[1:]].fields if kind.startswith("@") else {}
        return ".".join(found)

    def fixed_at_creation(self, path: str) -> bool:
        """Whether an input, e.g. "sku.name", or the object that holds it can only be set at creation."""
        fields = self.shape.fields
        for step in path.split("."):
            each = fields.get(step)
            if each is None or each.create_only:
                return each is not None
            fields = shapes()[each.type[1:]].fields if each.type.startswith("@") else {}
        return False

    def replaces(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Paths of the inputs whose change needs a new resource: path parameters and what is fixed at creation.

        A value that is not known yet counts as changed, as in the official provider.
        """
        changed = [p for p in self.parameters if not _same(p, old.get(p), new.get(p))]
        codec = _codec()
        return [*changed, *_fixed(self.shape, old, new, "", codec)]


def _fixed(shape: Shape, old: Mapping[str, Any], new: Mapping[str, Any], at: str, codec: Codec) -> Iterator[str]:
    for name, each in shape.fields.items():
        before, after = old.get(name), new.get(name)
        path = f"{at}.{name}" if at else name
        if each.create_only:
            # A value left out keeps what the service chose.
            if after is not None and (before is None or not _same(name, before, after)):
                yield path
        elif each.type.startswith("@") and isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _fixed(codec.shapes[each.type[1:]], before, after, path, codec)


def _same(name: str, before: Any, after: Any) -> bool:
    if name == "location" and isinstance(before, str) and isinstance(after, str):
        return plain_location(before) == plain_location(after)
    if isinstance(before, str) and isinstance(after, str) and before.startswith("/subscriptions/"):
        return before.lower() == after.lower()
    return before == after


def plain_location(location: str) -> str:
    """Azure's two spellings of a region, as one: "West Europe" is "westeurope"."""
    return location.replace(" ", "").lower()


def _writable(value: Any, kind: str, codec: Codec) -> Any:
    if kind == "ids":
        return list(value) if isinstance(value, Mapping) else value
    match kind[0], value:
        case "%", dict():
            return _writable(value, chosen(kind, value), codec)
        case "[", list():
            return [_writable(each, kind[1:-1], codec) for each in value]
        case "[", dict():  # a set of ids, which is a map on the wire
            return list(value)
        case "{", dict():
            return {k: _writable(each, kind[1:-1], codec) for k, each in value.items()}
        case "@", dict():
            fields = codec.shapes[kind[1:]].fields
            return {
                k: _writable(v, fields[k].type, codec)
                for k, v in value.items()
                if k in fields and not fields[k].read_only
            }
    return value


class _Lines(Mapping[str, Any]):
    """Objects of a JSON Lines file by their first member's value, each parsed when asked for."""

    def __init__(self, path: Path, make: Any) -> None:
        self._make = make
        self._raw: dict[str, str] = {}
        self._made: dict[str, Any] = {}
        for line in path.read_text().splitlines():
            self._raw[line.split('"', 4)[3]] = line

    def __getitem__(self, key: str) -> Any:
        if key not in self._made:
            self._made[key] = self._make(json.loads(self._raw[key]))
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def _type(line: dict[str, Any]) -> Type:
    shape = Shape(line["token"], line.pop("fields"))
    versions = tuple(line.pop("versions"))
    return Type(shape=shape, versions=versions, **line)


def _shape(line: dict[str, Any]) -> Any:
    return Shape(line["shape"], line["fields"]) if "shape" in line else tuple(line["values"])


@cache
def _types() -> Mapping[str, Type]:
    return _Lines(_FOLDER / "types.jsonl", _type)


@cache
def shapes() -> Mapping[str, Any]:
    """Shapes of nested objects and values of enumerations, by name."""
    return _Lines(_FOLDER / "shapes.jsonl", _shape)


@cache
def _codec() -> Codec:
    return Codec(shapes())


@cache
def _by_address() -> dict[tuple[str, int], list[str]]:
    """Tokens by namespace and number of segments after it; read off the lines without parsing them all."""
    index: dict[tuple[str, int], list[str]] = {}
    for token, each in _types().items():
        namespace, *rest = each.type.lower().split("/")
        index.setdefault((namespace, len(rest)), []).append(token)
    return index


def by_token(token: str) -> Type | None:
    """The type of a Pulumi token, None when the table lacks it."""
    return _types().get(token)


def by_path(path: str, version: str = "") -> Type | None:
    """The type of a resource id, None when the table lacks it.

    Of several that fit, the most exact is taken, and of those one that knows the API version: azure-native has two
    resources of some ARM types, each at a version of its own.
    """
    path = "/" + path.strip("/")
    lower = path.lower()
    if "/providers/" in lower:
        rest = lower.rsplit("/providers/", 1)[1].split("/")
        key = (rest[0], (len(rest) - 1) // 2)
    else:
        key = ("microsoft.resources", 1)
    fitting = [_types()[t] for t in _by_address().get(key, ()) if _types()[t].pattern.fullmatch(path)]
    # privateDnsZones/{recordType} fits privateDnsZones/virtualNetworkLinks too: the one named outright is meant.
    return min(
        fitting, key=lambda each: ("{" in each.type, version not in (each.version, *each.versions)), default=None
    )


def all_types() -> list[Type]:
    """Every type of the table."""
    return list(_types().values())


__all__ = ["UNKNOWN", "Type", "all_types", "by_path", "by_token", "plain_location", "shapes"]
