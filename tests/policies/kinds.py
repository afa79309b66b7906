"""Where the kinds of Kubernetes workloads have what rules' examples, which are Deployments, have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEMPLATE = "spec.template."
_PLACES = {"kubernetes:batch:CronJob": "spec.jobTemplate.spec.template.", "kubernetes:core:Pod": ""}
"""By type without API version."""


def _place(type_: str) -> str:
    return _PLACES.get(type_, _TEMPLATE)


def path_in(type_: str, path: str) -> str:
    """The path of a pod's property in another kind of workload; other paths stay."""
    return _place(type_) + path.removeprefix(_TEMPLATE) if path.startswith(_TEMPLATE) else path


def example_of(type_: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """An example of a Deployment as another kind of workload; other examples stay."""
    if _place(type_) == _TEMPLATE or "template" not in example.get("spec", {}):
        return dict(example)
    made: Any = example["spec"]["template"]
    for part in reversed(_place(type_).split(".")[:-1]):
        made = {part: made}
    return made
