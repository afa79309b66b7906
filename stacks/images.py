"""Images: what each service's image is made of, by the builder that the settings name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pulumi

from components.image import DigestArgs, DockerfileArgs, Image, ImageArgs, LayerArgs
from stacks.sections.foundation import Images

ROOT = Path(__file__).resolve().parent.parent
_SHARED = ("workloads/__init__.py", "workloads/services/__init__.py", "workloads/chassis", "workloads/banks")
_DOCKERFILE = "workloads/images/Dockerfile"
_PACKAGES = ("constraints.txt", "workloads/requirements.txt", "workloads/images/mssql.txt")
UNDECIDED = "sha256:" + "0" * 64
"""Stands in a preview for an image that nobody has named yet; an update refuses it."""


def service_images(
    packages: Sequence[str], registry: pulumi.Input[str], settings: Images, database_scheme: str
) -> dict[str, Image]:
    """The image of each package of workloads/services. Raises pulumi.RunError when one is not named by digest."""
    references = _references(packages, settings) if settings.builder == "digests" else {}
    return {
        package: Image(
            package,
            ImageArgs(
                registry=registry,
                repository=repository(package),
                root=ROOT,
                sources=[*_SHARED, f"workloads/services/{package}"],
                build=_build(package, settings, database_scheme, references),
            ),
        )
        for package in packages
    }


def repository(package: str) -> str:
    """Name of a package's repository."""
    return package.replace("_", "-")


def _build(
    package: str, settings: Images, database_scheme: str, references: Mapping[str, str]
) -> LayerArgs | DockerfileArgs | DigestArgs:
    if settings.builder == "layer":
        return LayerArgs(
            entrypoint=["python", "-m", f"workloads.services.{package}"],
            # glibc gives each thread a heap of its own, up to eight a core, which a service's threads never fill.
            environment={"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "2"},
        )
    if settings.builder == "digests":
        return DigestArgs(reference=references[package])
    return DockerfileArgs(
        program=settings.builder,
        dockerfile=_DOCKERFILE,
        context=_PACKAGES,
        arguments={
            "BASE_IMAGE": settings.base_image,
            "SERVICE": package,
            "DATABASE": database_scheme.partition("+")[0],
        },
    )


def _references(packages: Sequence[str], settings: Images) -> Mapping[str, str]:
    """The reference of each package. In a preview all are undecided where there is no file yet."""
    file = ROOT / settings.digests
    if not file.exists() and pulumi.runtime.is_dry_run():
        pulumi.log.warn(
            f"There is no {settings.digests} yet: which images will run is not decided. An update needs it."
        )
        return dict.fromkeys(packages, UNDECIDED)
    listed = _listed(file, settings.digests)
    missing = [repository(each) for each in packages if not isinstance(listed.get(repository(each)), str)]
    if missing:
        _refuse(settings.digests, f"names no image of {', '.join(missing)}")
    return {each: listed[repository(each)] for each in packages}


def _listed(file: Path, name: str) -> Mapping[str, str]:
    try:
        listed = json.loads(file.read_text())
    except OSError:
        _refuse(name, "is not there")
    except ValueError as error:
        _refuse(name, f"is no JSON ({error})")
    if not isinstance(listed, dict):
        _refuse(name, "is no JSON object")
    return listed


def _refuse(name: str, why: str) -> NoReturn:
    raise pulumi.RunError(
        f"tributary:images.digests: {name} {why}, so nothing was touched. Allowed: a JSON object, repository → "
        "<registry>/<repository>@sha256:…. Write it from the stack that the images were tried in: "
        f"pulumi stack output images --json --stack dev > {name}"
    )
