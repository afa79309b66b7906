"""Builder ``layer``: one layer of our own files, made by the program itself, for a node that brings the rest.

Options: entrypoint (program and arguments), environment (variables that the image sets).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.image_builders.contract import Recipe
from components.image_builders.layer_image import LayerImage, build

if TYPE_CHECKING:
    from components.registry_client import RegistryClient


def fingerprint(recipe: Recipe) -> str:
    """Hash of the image's configuration, which names the layer by its content."""
    return _image(recipe).fingerprint


def push(recipe: Recipe, client: RegistryClient, tag: str) -> str:
    """Uploads layer, configuration and manifest."""
    return client.push(_image(recipe), tag)


def _image(recipe: Recipe) -> LayerImage:
    return build(recipe.root, recipe.sources, recipe.options["entrypoint"], recipe.options["environment"])
