"""Transforms: what holds for every resource of the stack, whoever declares it."""

from __future__ import annotations

from importlib.metadata import version

import pulumi

_NATIVE = "azure-native:"


_HOLDS_DATA = {
    f"{_NATIVE}{each}"
    for each in (
        "keyvault:Key",
        "keyvault:Vault",
        "notificationhubs:Namespace",
        "notificationhubs:NotificationHub",
        "operationalinsights:Workspace",
        "servicebus:Namespace",
        "sql:Database",
        "sql:Server",
        "storage:BlobContainer",
        "storage:StorageAccount",
    )
}
"""What can't be had back once it is gone."""


_WORDS = {f"{_NATIVE}apimanagement:NamedValue"}
"""Types whose tags are words, not values by name."""


def installed_major() -> int:
    """Major version of azure-native's SDK that the program runs with."""
    return int(version("pulumi-azure-native").partition(".")[0])


def use_transforms(tags: dict[str, str], *, keep_provider_aliases: bool, protect_data: bool = False) -> None:
    """Puts default tags on everything that takes tags, and drops azure-native's aliases unless they are to be kept.

    tags: those that a resource sets itself win. Aliases: docs/adr/0002-provider-aliases.md. protect_data: has Pulumi
    refuse to delete what holds data; each resource by itself, as a component's option would reach all it is made of.
    """

    def apply(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith(_NATIVE):
            return None
        props = dict(args.props)
        if "tags" in props and args.type_ not in _WORDS:
            own = pulumi.Output.from_input(props["tags"])
            props["tags"] = own.apply(lambda given: {**tags, **(given or {})})
        opts = args.opts
        if protect_data and args.type_ in _HOLDS_DATA:
            opts.protect = True
        if not keep_provider_aliases:
            opts.aliases = [alias for alias in opts.aliases or [] if not _of_provider(alias)]
        return pulumi.ResourceTransformationResult(props, opts)

    pulumi.runtime.register_stack_transformation(apply)


def _of_provider(alias: object) -> bool:
    """Whether it only names an older API version of the same type; those the program itself sets say more."""
    if not isinstance(alias, pulumi.Alias):
        return False
    return isinstance(alias.type_, str) and alias.type_.startswith(_NATIVE) and alias.name is ...
