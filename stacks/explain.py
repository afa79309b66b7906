"""Explains what is wrong with a stack's settings: key as in the YAML, value, what is allowed, what to do."""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


@dataclass(frozen=True)
class Problem:
    """One wrong setting. path: its key without the namespace, e.g. "network.addressSpace"."""

    path: str
    text: str


def say(namespace: str, stack: str, problems: Sequence[Problem]) -> str:
    """The one error that lists every problem."""
    lines = [f"  {namespace}:{each.path} {each.text}" for each in problems]
    return (
        f"{len(problems)} setting{'s are' * (len(problems) > 1) or ' is'} wrong, so nothing was touched:\n"
        + "\n".join(lines)
        + f"\nCorrect Pulumi.{stack}.yaml and run again."
    )


def closest(name: Any, choices: Iterable[str]) -> str:
    """A hint at what was likely meant, or nothing."""
    by_lower = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(str(name).lower(), by_lower, 1)
    return f" Did you mean {by_lower[near[0]]}?" if near else ""


def explain(
    error: ValidationError, model: type[BaseModel], values: Mapping[str, Any], hidden: Collection[str]
) -> list[Problem]:
    """Every problem of a failed validation, in the order of the model's fields.

    values: what was validated. hidden: top-level names whose value is not shown.
    """
    return [_problem(each, model, hidden) for each in error.errors()]


def _problem(error: Any, model: type[BaseModel], hidden: Collection[str]) -> Problem:
    location: tuple[int | str, ...] = error["loc"]
    path = _dotted(location)
    if error["type"] == "extra_forbidden":
        names = sorted(_names(_model_at(model, location[:-1])))
        return Problem(path, f"is not a setting.{closest(location[-1], names)} Allowed: {', '.join(names)}.")
    field = _field(model, location)
    allowed = _allowed(error, field)
    if error["type"] == "missing":
        return Problem(path, f"is missing. Allowed: {allowed}.")
    value = _shown(error, location, field, hidden)
    if error["type"] == "value_error":
        reason = str(error["ctx"]["error"])
        if field is None or _description(field) is None:
            # A rule over several settings names the one at fault itself: "subnets.cluster: … is too small; allowed …".
            name, _, rest = reason.partition(": ")
            fact, _, rule = rest.partition("; allowed ")
            key = ".".join(filter(None, (path, name)))
            return Problem(key, f"is wrong: {fact}." + (f" Allowed {rule}." if rule else ""))
        return Problem(path, f"is {value}: {reason}. Allowed: {allowed}.")
    hint = ""
    if error["type"] == "literal_error":
        hint = closest(error["input"], _choices(field))
    return Problem(path, f"is {value}. Allowed: {allowed}.{hint}")


def _shown(error: Any, location: Sequence[int | str], field: FieldInfo | None, hidden: Collection[str]) -> str:
    if location and location[0] in hidden:
        return "not shown, as it is a secret"
    if field is not None and not field.repr:
        return "not shown, as it may be personal or secret"
    return json.dumps(error["input"])


def _dotted(location: Sequence[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _allowed(error: Any, field: FieldInfo | None) -> str:
    if error["type"] == "literal_error":
        choices = error["ctx"]["expected"].replace("'", "")
        return choices.replace(" or ", ", ")
    if field is not None and (known := _description(field)):
        return known
    if error["type"] in _KINDS:
        return _KINDS[error["type"]]
    return _described(field) if field else error["msg"]


def _description(field: FieldInfo) -> str | None:
    """What a field, or the value that it may have beside None, says of itself."""
    parts = [getattr(each, "__metadata__", ()) for each in typing.get_args(field.annotation)]
    said = [field, *(each for metadata in parts for each in metadata if isinstance(each, FieldInfo))]
    return next((each.description for each in said if each.description), None)


def _described(field: FieldInfo) -> str:
    choices = _choices(field)
    if choices:
        return ", ".join(choices)
    inner = _model(field.annotation)
    return f"an object with {', '.join(sorted(_names(inner)))}" if inner else "a value of its type"


def _choices(field: FieldInfo | None) -> list[str]:
    if field is None:
        return []
    return [str(each) for each in _literals(field.annotation)]


def _literals(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from typing.get_args(annotation)
    else:
        for each in typing.get_args(annotation):
            yield from _literals(each)


def _model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in typing.get_args(annotation) if (found := _model(each))), None)


def _names(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _field(model: type[BaseModel], location: Sequence[int | str]) -> FieldInfo | None:
    found: FieldInfo | None = None
    at: type[BaseModel] | None = model
    keyed = False  # the next part is the key of an object whose values are of one kind
    for part in location:
        if keyed:
            keyed = False
            continue
        if at is None or isinstance(part, int):
            break
        found = next((f for n, f in at.model_fields.items() if (f.alias or n) == part), None)
        at = _model(found.annotation) if found else None
        keyed = bool(found) and typing.get_origin(found.annotation) is dict
    return found


def _model_at(model: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel] | None:
    if not location:
        return model
    field = _field(model, location)
    return _model(field.annotation) if field else None
