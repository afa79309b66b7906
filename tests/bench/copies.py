"""The program so many times over in one stack: each copy's resources are registered under names of their own."""

from __future__ import annotations

import contextlib
import runpy
from collections.abc import Iterator
from typing import Any

import pulumi

from local.instance import REPOSITORY
from stacks import transforms


def run(copies: int) -> None:
    """Run the program's own ``__main__.py``; its transforms hold for the stack, so they are registered once."""
    for copy in range(copies):
        with _named_by(copy):
            runpy.run_path(str(REPOSITORY / "__main__.py"))
        transforms.use_transforms = _registered_already  # pyrefly: ignore


def _registered_already(*_given: Any, **_named: Any) -> None:
    pass


@contextlib.contextmanager
def _named_by(copy: int) -> Iterator[None]:
    """Names of resources end in the copy's number; the first copy has the program's own."""
    register = pulumi.Resource.__init__

    def renamed(self: pulumi.Resource, type_: str, name: str, *more: Any, **options: Any) -> None:
        register(self, type_, f"{name}-{copy}" if copy else name, *more, **options)

    pulumi.Resource.__init__ = renamed  # type: ignore[method-assign]
    try:
        yield
    finally:
        pulumi.Resource.__init__ = register  # type: ignore[method-assign]
