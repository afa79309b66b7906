"""ARM resource ids: their parts, their parents, and what kind of address a request path is."""

from __future__ import annotations

from dataclasses import dataclass

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"


def canonical(resource_id: str) -> str:
    """The form in which ids are compared: lower case, one leading slash, none at the end."""
    return "/" + resource_id.strip("/").lower()


@dataclass(frozen=True)
class Address:
    """A request path, taken apart.

    scope: what stands before the last ``/providers/`` ("" for a tenant-level one); the whole path where there is none.
    namespace: the resource provider. types, names: alternating segments after it; one name fewer for a collection
    or an action.
    """

    path: str
    scope: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def type(self) -> str:
        """E.g. "Microsoft.Network/virtualNetworks/subnets"."""
        return "/".join((self.namespace, *self.types))

    @property
    def whole(self) -> bool:
        """Whether it names a resource (else a collection of them, or an action on one)."""
        return len(self.types) == len(self.names)

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def parent(self) -> str:
        """The id of what must exist before: the enclosing resource, else the scope ("" for the tenant)."""
        pairs = len(self.names) - 1 if self.whole else len(self.names)
        if self.namespace == "Microsoft.Resources" and self.types[:1] in (("resourceGroups",), ("subscriptions",)):
            return self.scope
        if pairs == 0:
            return self.scope
        inner = "/".join(f"{t}/{n}" for t, n in zip(self.types[:pairs], self.names[:pairs], strict=True))
        return f"{self.scope}/providers/{self.namespace}/{inner}"


def parse(path: str) -> Address:
    """Take a path apart. Raises ArmError 400 (InvalidResourceId) when it is none of ARM's."""
    parts = path.strip("/").split("/")
    lower = [part.lower() for part in parts]
    if "" in parts:
        raise _malformed(path)
    odd = parts[0] == UNKNOWN  # a scope that is known only after deployment, in a dry run
    marks = [i for i, part in enumerate(lower) if part == "providers" and i % 2 == odd]
    if marks:
        mark = marks[-1]
        rest = parts[mark + 1 :]
        if len(rest) < 2:
            raise _malformed(path)
        scope = "/" + "/".join(parts[:mark]) if mark else ""
        return Address("/" + "/".join(parts), scope, rest[0], tuple(rest[1::2]), tuple(rest[2::2]))
    if lower[0] == "subscriptions":
        whole = "/" + "/".join(parts)
        if len(parts) <= 2:
            return Address(whole, "", "Microsoft.Resources", ("subscriptions",), tuple(parts[1:]))
        if lower[2] == "resourcegroups":
            types = ("resourceGroups", *parts[4::2])
            return Address(whole, "/" + "/".join(parts[:2]), "Microsoft.Resources", types, tuple(parts[3::2]))
        types = ("subscriptions", *parts[2::2])
        return Address(whole, "", "Microsoft.Resources", types, (parts[1], *parts[3::2]))
    raise _malformed(path)


def ancestors(resource_id: str) -> list[str]:
    """The scopes at which an assignment reaches this id: itself and everything above, in lower case, "/" last."""
    found, rest = [], canonical(resource_id)
    while rest and rest != "/":
        found.append(rest)
        head, _, _ = rest.rpartition("/")
        head, _, word = head.rpartition("/")
        if "/providers/" in rest and rest.rsplit("/providers/", 1)[1].count("/") <= 2:
            head = rest.rsplit("/providers/", 1)[0]
        rest = head
        if word == "" and head == "":
            break
    return [*found, "/"]


def group_of(resource_id: str) -> str | None:
    """The name of the resource group within an id, if it lies in one."""
    parts = resource_id.strip("/").split("/")
    return parts[3] if len(parts) > 3 and parts[2].lower() == "resourcegroups" else None


def _malformed(path: str) -> ArmError:
    return ArmError(
        400,
        "InvalidResourceId",
        f"{path!r} is no resource id; expected is /subscriptions/<id>/resourceGroups/<name>/providers/"
        "<namespace>/<type>/<name>.",
    )
