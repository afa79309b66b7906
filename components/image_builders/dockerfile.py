"""What the builders that read a Dockerfile share: fingerprint, context, sign-in, and running the program.

Options: dockerfile (path below the root), context (further files that it copies), arguments (its ARGs by name).
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.image_builders.contract import Recipe
from components.image_builders.files import archive

if TYPE_CHECKING:
    from components.registry_client import RegistryClient

_TAIL = 4000
"""Characters of a failed program's output that an error shows."""


@dataclass(frozen=True)
class Workplace:
    """A folder of one build. context: what the Dockerfile sees. login: a Docker configuration with the sign-in."""

    context: Path
    login: Path


def fingerprint(recipe: Recipe) -> str:
    """Hash of every file the build sees and of its arguments.

    A base image that moves under its tag is not seen: name it by digest, or change its tag, to have it built anew.
    """
    arguments = json.dumps([recipe.options["dockerfile"], sorted(recipe.options["arguments"].items())])
    return hashlib.sha256(arguments.encode() + b"\0" + _context(recipe)).hexdigest()


@contextmanager
def workplace(recipe: Recipe, client: RegistryClient) -> Iterator[Workplace]:
    """A copy of the context, so that nobody changes it under way, and a sign-in that is gone after the build."""
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        made = Workplace(Path(folder) / "context", Path(folder) / "login")
        made.context.mkdir()
        made.login.mkdir(mode=0o700)
        with tarfile.open(fileobj=io.BytesIO(_context(recipe))) as tar:
            tar.extractall(made.context, filter="data")
        config = made.login / "config.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps({"auths": {client.server: {"auth": client.login("pull,push")}}}))
        yield made


def build_arguments(recipe: Recipe) -> list[str]:
    """The part of the command line that is the same for every program."""
    given = [f"--build-arg={name}={value}" for name, value in sorted(recipe.options["arguments"].items())]
    return [f"--file={recipe.options['dockerfile']}", "--platform=linux/amd64", *given]


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], to_do: str) -> str:
    """Runs a program and answers its standard output. to_do: advice where it is not installed.

    Raises RuntimeError with the end of what it said when it fails.
    """
    if shutil.which(command[0], path=environment.get("PATH")) is None:
        raise RuntimeError(f"The program {command[0]!r} is not on PATH. {to_do}")
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-_TAIL:].strip()
        raise RuntimeError(f"`{' '.join(command[:2])}` ended with {done.returncode}:\n{said}")
    return done.stdout


def _context(recipe: Recipe) -> bytes:
    return archive(recipe.root, [*recipe.sources, recipe.options["dockerfile"], *recipe.options["context"]])
