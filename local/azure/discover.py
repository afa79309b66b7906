"""Finds the behaviours and data planes: every module in their folders takes part by being there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import local.azure.behaviours
import local.azure.dataplanes
from local.azure.context import Azure, Behaviour


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


def behaviours(azure: Azure) -> dict[str, Behaviour]:
    """One behaviour a type (lower case), of every Behaviour subclass that a module in ``behaviours`` defines.

    Raises ValueError when two modules claim one type.
    """
    found: dict[str, Behaviour] = {}
    for module in _modules(local.azure.behaviours):
        for _, each in inspect.getmembers(module, inspect.isclass):
            if not issubclass(each, Behaviour) or each.__module__ != module.__name__ or "type" not in vars(each):
                continue
            key = each.type.lower()
            if key in found:
                raise ValueError(f"{each.type} has two behaviours: {type(found[key]).__name__} and {each.__name__}.")
            found[key] = each(azure)
    return found


def data_plane_modules() -> list[ModuleType]:
    """Every module in ``dataplanes`` that defines ``data_planes(azure)``; it may define ``daemons`` and ``prepare``.

    The other modules there are parts of these.
    """
    return [each for each in _modules(local.azure.dataplanes) if hasattr(each, "data_planes")]
