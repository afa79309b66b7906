"""A bank's JSON brought into the standard's form, as its profile's section ``answers`` says."""

from __future__ import annotations

import datetime
import json
from typing import Any

from workloads.services.connector.failures import BankFailure
from workloads.services.connector.sections.reading import Answers

_DEEPEST = 60


def decode(content: bytes) -> Any:
    """The JSON value; None of an empty body. Raises BankFailure when it is none."""
    if not content.strip():
        return None
    try:
        # An amount sent as a number keeps its digits as text; a float would round it.
        return json.loads(content, parse_float=str)
    except (ValueError, RecursionError):
        raise BankFailure("bank-answer-unreadable", "The bank's answer is not JSON.") from None


def leniently(content: bytes) -> Any:
    """The JSON value of an error's body; None when it is none."""
    try:
        return decode(content)
    except BankFailure:
        return None


def standard(body: Any, form: Answers) -> Any:
    """The body that lies at the form's root, with its members named and its dates written as in the standard."""
    for name in form.root:
        body = body.get(name) if isinstance(body, dict) else None
    return _walk(body, form, 0) if form.rename or form.date_formats else body


def _walk(value: Any, form: Answers, depth: int) -> Any:
    if depth > _DEEPEST:
        raise BankFailure("bank-answer-unreadable", "The bank's answer is nested too deeply.")
    if isinstance(value, dict):
        return {form.rename.get(name, name): _walk(each, form, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [_walk(each, form, depth + 1) for each in value]
    return _date(value, form.date_formats) if isinstance(value, str) else value


def _date(value: str, formats: tuple[str, ...]) -> str:
    for each in formats:
        try:
            return datetime.datetime.strptime(value, each).date().isoformat()
        except ValueError:
            continue
    return value
