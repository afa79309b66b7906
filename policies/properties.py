"""Properties: reads a resource's inputs without ever raising, and answers in three values: yes, no, not known yet.

CrossGuard hands properties over in proxies that raise for what is unknown, hold floats for numbers, and are neither
dict nor list; secrets come in plain text. So no answer here holds a value, only where it was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pulumi_policy import proxy

_SENTINELS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))
"""What stands for an unknown value where no proxy checks: in `remediate`."""


class Undecided(Exception):
    """A question was put to a value that is known only after deployment."""


class Truth:
    """Yes, no, or not known yet (None), with the reason. `&`, `|` and `~` follow Kleene's three-valued logic.

    `and`, `or` and `not` work too, but give up (Undecided) at the first value that is not known.
    """

    __slots__ = ("reason", "value")

    def __init__(self, value: bool | None, reason: str = "") -> None:
        self.value = value
        self.reason = reason

    def __and__(self, other: Truth) -> Truth:
        return every((self, other))

    def __or__(self, other: Truth) -> Truth:
        return some((self, other))

    def __invert__(self) -> Truth:
        return self if self.value is None else Truth(not self.value, self.reason)

    def __bool__(self) -> bool:
        if self.value is None:
            raise Undecided(self.reason)
        return self.value

    def because(self, reason: str) -> Truth:
        """The same answer with a better reason; one that is not known keeps its own."""
        return self if self.value is None else Truth(self.value, reason)


YES = Truth(True)


def every(truths: Iterable[Truth]) -> Truth:
    """Yes if all are; no as soon as one is, however little is known of the others."""
    return _fold(truths, False)


def some(truths: Iterable[Truth]) -> Truth:
    """Yes if one is; no if none is."""
    return _fold(truths, True)


def _fold(truths: Iterable[Truth], decisive: bool) -> Truth:
    found: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for truth in truths:
        found[truth.value].append(truth.reason)
    for value in (decisive, None, not decisive):
        if found[value]:
            return Truth(value, "; ".join(dict.fromkeys(reason for reason in found[value] if reason)))
    return Truth(not decisive)


class _Mark:
    """What stands in the place of a value that is not there."""

    def __init__(self, told: str) -> None:
        self.told = told


_ABSENT = _Mark("is absent")
_UNKNOWN = _Mark("is known only after deployment")
_MISPLACED = _Mark("is inside something of another type")


class Property:
    """A value at a path of a resource's inputs.

    `resource["a.b"]` goes down by dots, `[0]` into a list, `.key("a.b")` takes a name as it is.
    """

    __hash__ = None  # type: ignore[assignment]  # equality is a question here

    def __init__(self, value: Any, path: str = "", defaults: Mapping[str, Any] | None = None) -> None:
        self._value = value
        self.path = path
        self._defaults = defaults or {}

    def __getitem__(self, where: str | int) -> Property:
        if isinstance(where, int):
            return self._down(where)
        found = self
        for part in where.split(".") if where else ():
            found = found._down(part)
        return found

    def key(self, name: str) -> Property:
        """The entry of that very name, dots and all."""
        return self._down(name)

    def or_default(self, value: Any) -> Property:
        """Itself, or what Azure takes when it is absent."""
        return Property(value, self.path) if self._value is _ABSENT else self

    def _down(self, part: str | int) -> Property:
        path = f"{self.path}.{part}" if self.path else str(part)
        value = _read(self._value, part)
        if value is _ABSENT and path in self._defaults:
            value = self._defaults[path]
        return Property(value, path, self._defaults)

    # --- questions ---

    def _ask(self, holds: Callable[[Any], bool], otherwise: str) -> Truth:
        if self._value is _UNKNOWN:
            return Truth(None, f"{self.path} {_UNKNOWN.told}")
        if isinstance(self._value, _Mark):
            return Truth(False, f"{self.path} {self._value.told}")
        return Truth(holds(self._value), f"{self.path} {otherwise}")

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]
        return self._ask(lambda value: _same(value, other), f"is not {other!r}")

    def __ne__(self, other: object) -> Truth:  # type: ignore[override]
        return self._ask(lambda value: not _same(value, other), f"is {other!r}")

    @property
    def is_true(self) -> Truth:
        """Whether it is the boolean true; absent is not."""
        return self._ask(lambda value: value is True, "is not true")

    @property
    def is_false(self) -> Truth:
        """Whether it is the boolean false; absent is not: say what Azure's default is."""
        return self._ask(lambda value: value is False, "is not false")

    @property
    def present(self) -> Truth:
        """Whether it is set to something: neither absent nor null nor empty."""
        return self._ask(lambda value: not isinstance(value, str | Mapping | Sequence) or len(value) > 0, "is empty")

    @property
    def absent(self) -> Truth:
        """Whether it is not set."""
        if self._value is _ABSENT:
            return Truth(True, f"{self.path} is absent")
        return self._ask(lambda _: False, "is set")

    @property
    def is_set(self) -> Truth:
        """Whether the program gives it a value, known already or not."""
        return YES if self._value is _UNKNOWN else self.present

    def one_of(self, *allowed: str | float) -> Truth:
        """Whether it is one of these values."""
        return self._ask(
            lambda value: any(_same(value, each) for each in allowed),
            f"is none of {', '.join(map(str, allowed))}",
        )

    def none_of(self, *refused: str) -> Truth:
        """Whether it is text and none of these, upper or lower case; absent is not."""
        lowered = {each.casefold() for each in refused}
        return self._ask(
            lambda value: isinstance(value, str) and value.casefold() not in lowered,
            f"is one of {', '.join(refused)}, or no text",
        )

    def unlike(self, other: Property) -> Truth:
        """Whether it and another property have different values; an absent one is unlike all."""
        if other._value is _UNKNOWN:
            return Truth(None, f"{other.path} {_UNKNOWN.told}")
        return self._ask(lambda value: not _same(value, other._value), f"is the same as {other.path}")

    def at_least(self, least: float) -> Truth:
        """Whether it is a number and not below."""
        return self._ask(lambda value: _is_number(value) and value >= least, f"is not a number of at least {least}")

    def below(self, other: Property) -> Truth:
        """Whether it and another property are numbers, and it is the lower one."""
        if other._value is _UNKNOWN:
            return Truth(None, f"{other.path} {_UNKNOWN.told}")
        most = other._value
        return self._ask(
            lambda value: _is_number(value) and _is_number(most) and value < most, f"is not below {other.path}"
        )

    def at_most(self, most: float) -> Truth:
        """Whether it is a number and not above."""
        return self._ask(lambda value: _is_number(value) and value <= most, f"is not a number of at most {most}")

    def matches(self, pattern: str) -> Truth:
        """Whether it is text in which the whole regular expression is found from start to end."""
        return self._ask(
            lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None,
            "does not have the demanded form",
        )

    def lacks(self, pattern: str) -> Truth:
        """Whether it is text in which the regular expression is found nowhere; absent is not."""
        return self._ask(
            lambda value: isinstance(value, str) and re.search(pattern, value, re.IGNORECASE) is None,
            "holds what is not allowed",
        )

    def excludes_ports(self, *ports: int) -> Truth:
        """Whether it is a port or a range such as "20-25" without these; "*" and what can't be read are not."""

        def leaves_out(value: Any) -> bool:
            known = re.fullmatch(r"none|(\d{1,5})(?:-(\d{1,5}))?", value) if isinstance(value, str) else None
            if known is None:
                return False
            first, last = int(known[1] or -1), int(known[2] or known[1] or -1)
            return not any(first <= port <= last for port in ports)

        return self._ask(leaves_out, f"covers port {', '.join(map(str, ports))}")

    def holds_nowhere(self, pattern: str) -> Truth:
        """Whether no text in it, however deep, has the regular expression in it; what is not known yet is left out."""
        if isinstance(self._value, str):
            return self.lacks(pattern).because(f"{self.path} holds what is not allowed")
        if isinstance(self._value, _Mark) or not _is_container(self._value):
            return YES
        return every(each.holds_nowhere(pattern) for each in self.elements)

    def without_spaces(self) -> Property:
        """The same text without spaces."""
        return Property(self._value.replace(" ", ""), self.path) if isinstance(self._value, str) else self

    def includes(self, wanted: str) -> Truth:
        """Whether it is a list with this element."""
        return self.some(lambda element: element == wanted).because(f"{self.path} does not include {wanted}")

    def every(self, holds: Callable[[Property], Truth]) -> Truth:
        """Whether it holds for each element of a list or value of an object; an absent list has none."""
        return self._over(holds, every, empty=True)

    def some(self, holds: Callable[[Property], Truth]) -> Truth:
        """Whether it holds for an element of a list or value of an object; an absent list has none."""
        return self._over(holds, some, empty=False)

    def _over(
        self, holds: Callable[[Property], Truth], fold: Callable[[Iterable[Truth]], Truth], *, empty: bool
    ) -> Truth:
        if self._value is _ABSENT or (_is_container(self._value) and not self._value):
            return Truth(empty, f"{self.path} is empty")
        if not _is_container(self._value):
            return self._ask(lambda _: False, "is neither a list nor an object")
        return fold(holds(each) for each in self.elements)

    # --- what stack-wide rules need: the values themselves ---

    @property
    def elements(self) -> list[Property]:
        """The elements of a list or values of an object, none when it is neither. Raises Undecided if unknown."""
        self._decide()
        if isinstance(self._value, Mapping):
            return [self._down(str(each)) for each in self._value]
        if _is_container(self._value):
            return [self._down(index) for index in range(len(self._value))]
        return []

    @property
    def keys(self) -> list[str]:
        """The names in an object, none when it is no object. Raises Undecided if unknown."""
        self._decide()
        return [str(each) for each in self._value] if isinstance(self._value, Mapping) else []

    @property
    def text(self) -> str:
        """Its text, empty when it is no text. Raises Undecided if unknown. Never put it into a message."""
        self._decide()
        return self._value if isinstance(self._value, str) else ""

    def _decide(self) -> None:
        if self._value is _UNKNOWN:
            raise Undecided(f"{self.path} {_UNKNOWN.told}")


def _read(container: Any, part: str | int) -> Any:
    if isinstance(container, _Mark):
        return container
    wanted = Sequence if isinstance(part, int) else Mapping
    if isinstance(container, str | bytes) or not isinstance(container, wanted):
        return _MISPLACED
    try:
        value = container[part]  # type: ignore[index]
    except proxy.UnknownValueError:
        return _UNKNOWN
    except (KeyError, IndexError):
        return _ABSENT
    if value is None:
        return _ABSENT
    return _UNKNOWN if isinstance(value, str) and value in _SENTINELS else value


def plain(value: Any, unknown: str) -> Any:
    """A value without CrossGuard's proxies; what is known only after deployment becomes the word given."""
    if isinstance(value, Mapping):
        return {str(key): _plain_at(value, key, unknown) for key in value}
    if _is_container(value):
        return [_plain_at(value, index, unknown) for index in range(len(value))]
    return unknown if isinstance(value, str) and value in _SENTINELS else value


def _plain_at(container: Any, part: Any, unknown: str) -> Any:
    try:
        return plain(container[part], unknown)
    except proxy.UnknownValueError:
        return unknown


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str | bytes)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any, other: object) -> bool:
    """Equal and of the same kind: true is not 1, and "1" is not 1."""
    if _is_number(value) and _is_number(other):
        return value == other
    return type(value) is type(other) and value == other
