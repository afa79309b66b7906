"""A deployed stack's services, found through its outputs, and the people who use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from local.instance import Instance
from tests.end_to_end.sign_in import SignIn
from tests.end_to_end.users import Users
from tests.end_to_end.ways import WAYS, Outputs
from tests.workloads.platform import Platform


def _made(told: Outputs) -> Users:
    """Test users of this machine's embedded Azure."""
    return Users(Instance.load(), told["signIn"]["audience"])


def _browser(told: Outputs) -> SignIn:
    return SignIn(told["signIn"]["issuer"], told["signIn"]["clientId"], told["signIn"]["audience"])


PEOPLE: Mapping[str, Callable[[Outputs], Any]] = {"made": _made, "browser": _browser}
"""Who gives people their tokens: test users that are made, or people who sign in in a browser."""


@contextmanager
def people_at(told: Outputs, people: Users | SignIn, way: str) -> Iterator[Platform]:
    """A stack from a person's side. told: its outputs. way: one of WAYS."""
    with closing(people), WAYS[way](told) as reached:
        yield Platform(reached.urls, people, reached.browser, pause=reached.pause, patience=reached.patience)


@contextmanager
def person_at(instance: Instance, told: Outputs) -> Iterator[Platform]:
    """The platform of an embedded Azure on this machine from a person's side. told: the stack's outputs."""
    with people_at(told, Users(instance, told["signIn"]["audience"]), "loopback") as seen:
        yield seen
