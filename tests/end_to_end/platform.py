"""The running platform's services, found through the stack's outputs, and a person who uses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from local.instance import Instance
from local.kubernetes.network import loopback
from tests.end_to_end.users import Users
from tests.workloads.platform import Platform


@contextmanager
def person_at(instance: Instance, told: Mapping[str, object]) -> Iterator[Platform]:
    """The platform from a person's side: addresses, tokens of test users, a browser. told: the stack's outputs."""
    services, sign_in = told["services"], told["signIn"]
    assert isinstance(services, dict)
    assert isinstance(sign_in, dict)
    users = Users(instance, sign_in["audience"])
    with httpx.Client(follow_redirects=False, timeout=10) as browser:
        try:
            yield Platform({name: _here(url) for name, url in services.items()}, users, browser)
        finally:
            users.close()


def _here(url: str) -> str:
    """A Service's address as it is reached on this machine, from its address in the cluster."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{loopback(str(parts.hostname))}:{parts.port}"
