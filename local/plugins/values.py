"""Values as the Pulumi engine sends them: protobuf Structs with markers for secrets, unknowns and references.

Wire format: pulumi/pulumi, sdk/proto (struct) and ``pulumi.runtime.rpc``. Here an unknown is the string
``"<unknown>"``, as ARM's dry run takes it, and a secret is a ``Secret`` around its value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

UNKNOWN = "<unknown>"
"""Stands for a value known only after deployment."""
ENGINE_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The same in what the engine sends and prints."""
_UNKNOWNS = {
    ENGINE_UNKNOWN,
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
    "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
    "e48ece36-62e2-4504-bad9-02848725956a",  # archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
}
SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Member of an object that stands for a secret, an asset or a resource."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # a marker, not a secret
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


@dataclass(frozen=True)
class Secret:
    """A value that must not be shown or stored in clear."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(…)"


class UnsupportedValue(ValueError):
    """A kind of value that no stand-in takes."""


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct as Python values. Raises UnsupportedValue for assets and archives."""
    return {key: _decoded(value) for key, value in struct.fields.items()}


def _decoded(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_decoded(each) for each in value.list_value.values]
        case "struct_value":
            return _decoded_object(value.struct_value)
    return None


def _decoded_object(struct: struct_pb2.Struct) -> Any:
    fields = struct.fields
    if SIGNATURE not in fields:
        return {key: _decoded(value) for key, value in fields.items()}
    match fields[SIGNATURE].string_value:
        case sign if sign == SECRET:
            return Secret(_decoded(fields["value"]))
        case sign if sign == _OUTPUT:
            value = _decoded(fields["value"]) if "value" in fields else UNKNOWN
            return Secret(value) if "secret" in fields and fields["secret"].bool_value else value
        case sign if sign == _RESOURCE:
            return _decoded(fields["id"]) if "id" in fields else fields["urn"].string_value
    raise UnsupportedValue("Assets and archives are not supported by this stand-in; hand their content in as a string.")


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Python values as a Struct."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        _encode(value, struct.fields[key])
    return struct


def _encode(value: Any, into: struct_pb2.Value) -> None:
    match value:
        case None:
            into.null_value = struct_pb2.NULL_VALUE
        case bool():
            into.bool_value = value
        case int() | float():
            into.number_value = value
        case str():
            into.string_value = ENGINE_UNKNOWN if value == UNKNOWN else value
        case Secret():
            into.struct_value.fields[SIGNATURE].string_value = SECRET
            _encode(value.value, into.struct_value.fields["value"])
        case Mapping():
            into.struct_value.SetInParent()
            for key, each in value.items():
                _encode(each, into.struct_value.fields[key])
        case list() | tuple():
            into.list_value.SetInParent()
            for each in value:
                _encode(each, into.list_value.values.add())
        case _:
            raise TypeError(f"{type(value).__name__} can't be sent to the Pulumi engine")


def plain(value: Any) -> Any:
    """The value with every ``Secret`` opened and nulls left out of objects."""
    match value:
        case Secret():
            return plain(value.value)
        case dict():
            return {key: plain(each) for key, each in value.items() if each is not None}
        case list():
            return [plain(each) for each in value]
    return value


def has_secret(value: Any) -> bool:
    """Whether a ``Secret`` is somewhere in it."""
    match value:
        case Secret():
            return True
        case dict():
            return any(map(has_secret, value.values()))
        case list():
            return any(map(has_secret, value))
    return False


def has_unknown(value: Any) -> bool:
    """Whether something in it is known only after deployment."""
    match value:
        case str():
            return value == UNKNOWN
        case Secret():
            return has_unknown(value.value)
        case dict():
            return any(map(has_unknown, value.values()))
        case list():
            return any(map(has_unknown, value))
    return False


def keep_secret(outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs, with those made secret whose input of the same name holds a secret."""
    return {
        key: Secret(plain(value)) if has_secret(inputs.get(key)) and not isinstance(value, Secret) else value
        for key, value in outputs.items()
    }


def walk(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its property path."""
    match value:
        case dict() if value:
            for key, each in value.items():
                yield from walk(each, step(at, key))
        case list() if value:
            for index, each in enumerate(value):
                yield from walk(each, f"{at}[{index}]")
        case _:
            yield at, value


def step(at: str, key: str) -> str:
    """The property path of an object's member (Pulumi's resource.PropertyPath)."""
    if any(sign in key for sign in '."[]') or not key:
        escaped = key.replace('"', '\\"')
        return f'{at}["{escaped}"]'
    return f"{at}.{key}" if at else key
