"""An operator's command that lists things, and does something with one of them: its command line, and how it ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WRONG = 2
"""What a command ends with that was called wrongly, or in a wrong environment."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """Beside ``list``, what there is to do.

    module: that is run with ``python -m``. about: its docstring. doings: what is done with one thing. item: what a
    thing is called, its type, and what names it. within: further arguments before it, and what each is.
    """

    module: str
    about: str | None
    doings: Sequence[str]
    item: tuple[str, Callable[[str], Any], str]
    within: Mapping[str, str] = field(default_factory=dict)

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """What is asked: ``what``, the arguments of ``within``, the item. Ends the process with 2 when it is wrong."""
        name, type_, named_by = self.item
        parser = argparse.ArgumentParser(prog=f"python -m {self.module}", description=self.about)
        parser.add_argument("what", choices=["list", *self.doings])
        for each, what in self.within.items():
            parser.add_argument(each, help=what)
        parser.add_argument(name, type=type_, nargs="?", help=named_by)
        asked = parser.parse_args(arguments)
        if (getattr(asked, name) is None) != (asked.what == "list"):
            *others, last = self.doings
            parser.error(f"{', '.join(others)} and {last} need a {name}, list takes none")
        return asked


def refuse(why: object) -> int:
    """Say why the environment does not let it run."""
    print(why, file=sys.stderr)
    return WRONG


def say(outcome: tuple[int, str]) -> int:
    """Say what came of it. outcome: what to end with, and the text."""
    code, told = outcome
    print(told)
    return code
