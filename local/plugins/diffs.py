"""What changed between two versions of a resource's inputs, as Pulumi's detailed diff."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2 as rpc

from local.plugins.values import step

Same = Callable[[str, Any, Any], bool]


def equal(path: str, old: Any, new: Any) -> bool:
    """Plain equality; 1 and true differ."""
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def changes(old: Any, new: Any, same: Same = equal, at: str = "") -> Iterator[tuple[str, str]]:
    """Property paths that differ, each with "ADD", "DELETE" or "UPDATE"."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            path = step(at, key)
            if key not in old:
                yield path, "ADD"
            elif key not in new:
                yield path, "DELETE"
            else:
                yield from changes(old[key], new[key], same, path)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            path = f"{at}[{index}]"
            if index >= len(old):
                yield path, "ADD"
            elif index >= len(new):
                yield path, "DELETE"
            else:
                yield from changes(old[index], new[index], same, path)
    elif not same(at, old, new):
        yield at, "UPDATE"


def response(found: Mapping[str, str], replaces: list[str], *, delete_first: bool) -> rpc.DiffResponse:
    """The answer to Diff. found: changed paths and their kind. replaces: paths whose change needs a new resource."""
    detailed, roots = {}, []
    for path, kind in found.items():
        causes = any(path == each or path.startswith((each + ".", each + "[")) for each in replaces)
        kind_value = rpc.PropertyDiff.Kind.Value(f"{kind}_REPLACE" if causes else kind)
        detailed[path] = rpc.PropertyDiff(kind=kind_value, inputDiff=True)
        if causes:
            roots.append(path)
    return rpc.DiffResponse(
        changes=rpc.DiffResponse.DIFF_SOME if found else rpc.DiffResponse.DIFF_NONE,
        diffs=sorted({re.split(r"[.\[]", path, maxsplit=1)[0] for path in found}),
        replaces=roots,
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=bool(roots) and delete_first,
    )


def carry_over(inputs: Any, before: Any, after: Any) -> Any:
    """Inputs with what changed from ``before`` to ``after``, two projections of the outputs, applied to them.

    So a refresh takes over what somebody changed, and none of the values that the service chose from the start.
    """
    if isinstance(inputs, Mapping) and isinstance(before, Mapping) and isinstance(after, Mapping):
        result = {key: value for key, value in inputs.items() if key in after or key not in before}
        for key, value in after.items():
            if key not in before:
                result[key] = value
            elif before[key] != value:
                result[key] = carry_over(inputs[key], before[key], value) if key in inputs else value
        return result
    if isinstance(inputs, list) and isinstance(before, list) and isinstance(after, list):
        shared = min(len(inputs), len(before))
        return [
            (inputs[i] if before[i] == each else carry_over(inputs[i], before[i], each)) if i < shared else each
            for i, each in enumerate(after)
        ]
    return after
