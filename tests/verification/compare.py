"""Compare: where two Resource Managers' answers differ in form, and two programs' requests in content."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local.azure.arm.ids import canonical
from tests.verification.exchange import Exchange
from tests.verification.replay import Pair

_UNKNOWN = "<unknown>"


def answers(pairs: Iterable[Pair]) -> Counter[str]:
    """Each difference of answers, and how often: in status, in a property that one lacks, in a property's type."""
    found: Counter[str] = Counter()
    for pair in pairs:
        where = f"{pair.recorded.method} {_kind(pair.recorded.path)}"
        if _class(pair.status) != _class(pair.recorded.status):
            found[f"{where}: status {pair.recorded.status} there, {pair.status} here"] += 1
            continue
        there, here = _form(pair.recorded.answered), _form(pair.answered)
        found.update(f"{where}: {path} ({there[path]}) is there, not here" for path in there.keys() - here.keys())
        found.update(f"{where}: {path} ({here[path]}) is here, not there" for path in here.keys() - there.keys())
        found.update(
            f"{where}: {path} is {there[path]} there, {here[path]} here"
            for path in there.keys() & here.keys()
            if there[path] != here[path] and "null" not in (there[path], here[path])
        )
    return found


def requests(recording: Iterable[Exchange], planned: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Where the last body that was sent for a resource differs from the one that is planned for it.

    planned: ids and bodies. What is known only after deployment is not compared; of an id it stands for anything.
    """
    sent = {canonical(each.path): each.sent for each in recording if each.makes}
    # What is known best is looked for first: it leaves less to the others.
    for path, body in sorted(((canonical(path), body) for path, body in planned), key=_unknown):
        differing = {each: list(_unlike(each, sent[each], body)) for each in sent if _stands_for(path, each)}
        if not differing:
            yield f"{path}: planned, and not sent"
            continue
        # Several may stand for it, two roles at one scope for instance, in whatever order they were sent.
        nearest = min(differing, key=lambda each: len(differing[each]))
        yield from differing[nearest]
        del sent[nearest]
    yield from (f"{path}: sent, and not planned" for path in sorted(sent))


def _unknown(planned: tuple[str, Mapping[str, Any]]) -> tuple[int, str]:
    return planned[0].count(_UNKNOWN), planned[0]


def _stands_for(planned: str, path: str) -> bool:
    if _UNKNOWN not in planned:
        return planned == path
    return bool(re.fullmatch(".+".join(map(re.escape, planned.split(_UNKNOWN))), path))


def _unlike(where: str, sent: Any, planned: Any) -> Iterator[str]:
    if isinstance(planned, str) and _UNKNOWN in planned:
        return
    if isinstance(sent, Mapping) and isinstance(planned, Mapping):
        for key in sorted({*sent, *planned}):
            # Absent and null are one to Resource Manager.
            yield from _unlike(f"{where}.{key}", sent.get(key), planned.get(key))
    elif isinstance(sent, list) and isinstance(planned, list) and len(sent) == len(planned):
        for index, (one, other) in enumerate(zip(sent, planned, strict=True)):
            yield from _unlike(f"{where}[{index}]", one, other)
    elif sent != planned and {repr(sent), repr(planned)} - {"None", "{}", "[]"}:
        yield f"{where}: sent is another value than planned"  # values may be secrets: they are not shown


def _kind(path: str) -> str:
    """The type that a path is of, without names."""
    if "/providers/" not in path:
        return re.sub(r"(/(?:subscriptions|resourceGroups))/[^/]+", r"\1", path, flags=re.IGNORECASE)
    namespace, *segments = path.rsplit("/providers/", 1)[1].strip("/").split("/")
    return "/".join((namespace, *segments[::2]))


def _class(status: int) -> int:
    """2 for every success: whether a creation is told by 200, 201 or 202 is a matter of time."""
    return 2 if 200 <= status < 300 else status


def _form(value: Any, path: str = "") -> dict[str, str]:
    """The type of each leaf, by its path; elements of a list count as one."""
    if isinstance(value, Mapping):
        return {k: v for key, each in value.items() for k, v in _form(each, f"{path}.{key}".lstrip(".")).items()}
    if isinstance(value, list):
        return {k: v for each in value for k, v in _form(each, f"{path}[]").items()}
    names = {str: "text", bool: "flag", int: "number", float: "number", type(None): "null"}
    return {path: names[type(value)]}
