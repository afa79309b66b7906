"""Recording: what the engine handed to a policy pack, kept to be judged again, through CrossGuard's own proxies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pulumi_policy import PolicyResource, ResourceValidationArgs, deserialize, proxy

from policies.deployed import Deployed
from policies.subject import Stack, Subject, completed, without_version

VARIABLE = "TRIBUTARY_RECORDING"
"""Environment variable that tells the recorder where to write."""


class RecordingError(Exception):
    """The file is no recording; the message says what to do."""


def plain(resource: ResourceValidationArgs | PolicyResource, uses: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """A resource as JSON can hold it. uses: by property, URNs of what its value comes from."""
    return {
        "type": resource.resource_type,
        "name": resource.name,
        "urn": resource.urn,
        "protect": bool(resource.opts.protect),
        "properties": deserialize.serialize_properties(resource.props),
        "uses": dict(uses),
    }


def proxied(properties: Mapping[str, Any]) -> Any:
    """Properties as a pack gets them: behind the proxies that raise for what is unknown."""
    return proxy.unknown_checking_proxy(deserialize.deserialize_properties(dict(properties)))


def subject(resource: Mapping[str, Any]) -> Subject:
    """A kept resource as rules take it."""
    return Subject(
        without_version(resource["type"]),
        resource["name"],
        resource["urn"],
        proxied(resource["properties"]),
        resource["protect"],
        uses=resource["uses"],
    )


@dataclass(frozen=True)
class Recording:
    """registered: resources as they were judged one by one, in order. stack: as they were judged together."""

    registered: Sequence[Mapping[str, Any]]
    stack: Sequence[Mapping[str, Any]]

    @property
    def digest(self) -> str:
        """SHA-256 of all that was judged, whatever order the engine went in."""
        ordered = [sorted(each, key=lambda resource: resource["urn"]) for each in (self.registered, self.stack)]
        return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()

    def subjects(self, deployed: Deployed | None = None) -> list[Subject]:
        """The resources, as rules for a single one get them, with what they are deployed with."""
        found = [subject(each) for each in self.registered]
        return [replace(each, deployed=deployed.of(each.urn)) for each in found] if deployed else found

    def whole(self) -> Stack:
        """The stack, as rules for the whole get it."""
        inputs = {each["urn"]: proxied(each["properties"]) for each in self.registered}
        return Stack([completed(subject(each), inputs) for each in self.stack])


def read(path: Path) -> Recording:
    """What the recorder wrote. Raises RecordingError when the file is not there or is something else."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Recording(kept["registered"], kept["stack"])
    except FileNotFoundError:
        raise RecordingError("The engine ended before it had shown the whole stack; see what it says above.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path} is no recording ({error}). Record it again.") from None
