"""The function app's package has what its code imports, and the rights and settings that it uses are given."""

from __future__ import annotations

import ast
import io
import re
import sys
import zipfile
from importlib import metadata
from pathlib import PurePosixPath

import pytest

from stacks.functions import code


@pytest.fixture(scope="module")
def package() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(code("remote").pack()))


def imported(source: bytes) -> set[str]:
    """Full names of what a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return found


def test_the_package_has_every_module_that_its_code_imports_and_none_that_it_does_not(
    package: zipfile.ZipFile,
) -> None:
    modules = {
        ".".join(PurePosixPath(name).with_suffix("").parts).removesuffix(".__init__")
        for name in package.namelist()
        if name.endswith(".py")
    }
    wanted = {each for name in package.namelist() if name.endswith(".py") for each in imported(package.read(name))}
    ours = {each for each in wanted if each.startswith("workloads.")}
    assert {each for each in ours if each not in modules and each.rpartition(".")[0] not in modules} == set()
    folders = {"workloads", "workloads.chassis", "workloads.chassis.events", "workloads.functions"}
    assert modules - ours - folders == {"function_app"}


def test_the_packages_that_its_code_imports_are_required_and_pinned(package: zipfile.ZipFile) -> None:
    required = {
        re.split(r"[=;]", line)[0]
        for line in package.read("requirements.txt").decode().splitlines()
        if not line.startswith(("#", "-c"))
    }
    names = {each for name in package.namelist() if name.endswith(".py") for each in imported(package.read(name))}
    tops = {each.split(".")[0] for each in names} - set(sys.stdlib_module_names) - {"workloads"}
    distributions = metadata.packages_distributions()
    azure = {"azure.core": "azure-core", "azure.functions": "azure-functions", "azure.identity": "azure-identity"}
    azure |= {"azure.servicebus": "azure-servicebus"}
    used = {azure[".".join(each.split(".")[:2])] for each in names if each.startswith("azure.")}
    used |= {distributions[each][0] for each in tops - {"azure"}}
    assert used - {"azure-core"} == required, "azure-core is what the others stand on"
    pinned = package.read("constraints.txt").decode()
    assert not [each for each in used if not re.search(rf"^{each}==", pinned, re.MULTILINE)]
