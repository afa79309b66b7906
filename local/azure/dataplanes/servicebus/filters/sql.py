"""SQL filters: read into a function over a message, with SQL's three truth values (None is unknown)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from local.azure.dataplanes.servicebus.filters.values import (
    SYSTEM,
    FilterError,
    Scope,
    calculate,
    compare,
    is_number,
    like,
)

Evaluation = Callable[[Scope], Any]
LONGEST = 1024
"""Characters of an expression (Service Bus quotas)."""


@cache
def compiled(expression: str) -> Evaluation:
    """The function of an expression: True, False or None for a message. Raises FilterError when it can't be read."""
    if len(expression) > LONGEST:
        raise FilterError(f"the expression has {len(expression)} characters; allowed are {LONGEST}")
    try:
        return _parser().parse(expression)  # type: ignore[return-value]  # the transformer makes functions
    except UnexpectedInput as error:
        place = expression[max(0, (error.pos_in_stream or 0)) :][:20]
        raise FilterError(f"the expression can't be read at {place!r}: {expression!r}") from None
    except VisitError as error:
        raise FilterError(str(error.orig_exc)) from None


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("sql.lark").read_text()
    return Lark(grammar, parser="lalr", transformer=_Functions(), maybe_placeholders=True)


@v_args(inline=True)
class _Functions(Transformer):
    """Makes a function of each node, from the leaves up."""

    def either(self, left: Evaluation, right: Evaluation) -> Evaluation:
        return lambda scope: _any(left(scope), right(scope))

    def both(self, left: Evaluation, right: Evaluation) -> Evaluation:
        return lambda scope: _all(left(scope), right(scope))

    def negated(self, inner: Evaluation) -> Evaluation:
        return lambda scope: _not(inner(scope))

    def compared(self, left: Evaluation, sign: Token, right: Evaluation) -> Evaluation:
        return lambda scope: compare(str(sign), left(scope), right(scope))

    def absent(self, inner: Evaluation) -> Evaluation:
        return lambda scope: inner(scope) is None

    def present(self, inner: Evaluation) -> Evaluation:
        return lambda scope: inner(scope) is not None

    def among(self, left: Evaluation, *options: Evaluation) -> Evaluation:
        return lambda scope: _among(left(scope), (each(scope) for each in options))

    def not_among(self, left: Evaluation, *options: Evaluation) -> Evaluation:
        return lambda scope: _not(_among(left(scope), (each(scope) for each in options)))

    def like(self, text: Evaluation, pattern: Evaluation, escape: Evaluation | None) -> Evaluation:
        return lambda scope: like(text(scope), pattern(scope), escape and escape(scope))

    def not_like(self, text: Evaluation, pattern: Evaluation, escape: Evaluation | None) -> Evaluation:
        return lambda scope: _not(like(text(scope), pattern(scope), escape and escape(scope)))

    def calculated(self, left: Evaluation, sign: Token, right: Evaluation) -> Evaluation:
        return lambda scope: calculate(str(sign), left(scope), right(scope))

    def unary(self, sign: Token, inner: Evaluation) -> Evaluation:
        return lambda scope: _signed(str(sign), inner(scope))

    def integer(self, token: Token) -> Evaluation:
        value = int(token)
        if value > 2**63 - 1:
            raise FilterError(f"the number {value} is more than 64 bits hold")
        return lambda _: value

    def decimal(self, token: Token) -> Evaluation:
        value = float(token)
        return lambda _: value

    def text(self, token: Token) -> Evaluation:
        value = token[1:-1].replace("''", "'")
        return lambda _: value

    def true(self) -> Evaluation:
        return lambda _: True

    def false(self) -> Evaluation:
        return lambda _: False

    def user(self, name: Token) -> Evaluation:
        key = _plain(name).lower()
        return lambda scope: scope.user.get(key)

    def scoped(self, where: Token, name: Token) -> Evaluation:
        if where.lower() == "user":
            return self.user(name)
        key = _plain(name).lower()
        if key not in SYSTEM:
            raise FilterError(f"sys.{_plain(name)} is not known; allowed: {', '.join(sorted(SYSTEM))}")
        return lambda scope: scope.system.get(key)

    def function(self, name: Token, argument: Evaluation | None) -> Evaluation:
        match name.lower(), argument:
            case "newid", None:
                return lambda _: uuid.uuid4()
            case (("p" | "property"), wanted) if wanted is not None:
                return lambda scope: _named(scope, wanted(scope))
        raise FilterError(f"the function {name} is not known so; allowed: newid(), property(name), p(name)")


def _plain(name: Token) -> str:
    if name[0] == "[":
        return name[1:-1].replace("]]", "]")
    return name[1:-1].replace('""', '"') if name[0] == '"' else str(name)


def _named(scope: Scope, name: Any) -> Any:
    if name is None:
        return None
    if not isinstance(name, str):
        raise FilterError("property(name) needs text")
    return scope.user.get(name.lower())


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _all(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _any(left: bool | None, right: bool | None) -> bool | None:
    return _not(_all(_not(left), _not(right)))


def _among(value: Any, options: Iterable[Any]) -> bool | None:
    found: bool | None = None if value is None else False
    for each in options:
        found = _any(found, compare("=", value, each))
    return found


def _signed(sign: str, value: Any) -> Any:
    if value is None:
        return None
    if not is_number(value):
        raise FilterError(f"{sign} needs a number")
    return -value if sign == "-" else value
