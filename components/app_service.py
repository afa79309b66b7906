"""App Service: what a web app, its slot and a function app have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_azure_native import web

from components.common import Site


def transport() -> dict[str, Any]:
    """The part of a site's configuration that closes what is old: TLS before 1.2, remote debugging.

    Nothing of FTP: Flex Consumption has none, and refuses a site that says so (azure-cli#31414).
    """
    return {
        "http20_enabled": True,
        "min_tls_version": web.SupportedTlsVersions.SUPPORTED_TLS_VERSIONS_1_2,
        "scm_min_tls_version": web.SupportedTlsVersions.SUPPORTED_TLS_VERSIONS_1_2,
        "remote_debugging_enabled": False,
    }


def flex_configuration(app_settings: list[web.NameValuePairArgs]) -> web.SiteConfigArgs:
    """The configuration of a site on Flex Consumption."""
    made = web.SiteConfigArgs(**transport(), app_settings=app_settings)
    # The SDK says v4.6 where nothing is said, and Flex Consumption refuses any (pulumi-azure-native#4168).
    made.net_framework_version = None
    return made


def settings(values: Mapping[str, pulumi.Input[str]]) -> list[web.NameValuePairArgs]:
    """Application settings, inside the app's own body: its one writer.

    WebAppApplicationSettings beside it would replace the whole set, and each would undo the other
    (pulumi-azure-native#1876).
    """
    return [web.NameValuePairArgs(name=name, value=value) for name, value in sorted(values.items())]


def refuse_passwords(name: str, app: web.WebApp, site: Site, opts: pulumi.ResourceOptions) -> None:
    """Switches off the publishing passwords of FTP and of the deployment site: Entra identities deploy."""
    place: dict[str, Any] = {"name": app.name, "resource_group_name": site.resource_group, "allow": False, "opts": opts}
    web.WebAppFtpAllowed(name, **place)
    web.WebAppScmAllowed(name, **place)


def refuse_slot_passwords(
    name: str, slot: web.WebAppSlot, label: str, app: web.WebApp, site: Site, opts: pulumi.ResourceOptions
) -> None:
    """The same for a slot, which has passwords of its own. label: the slot's name in Azure."""
    place: dict[str, Any] = {
        "name": app.name,
        "slot": label,
        "resource_group_name": site.resource_group,
        "allow": False,
        "opts": pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[slot])),
    }
    web.WebAppFtpAllowedSlot(name, **place)
    web.WebAppScmAllowedSlot(name, **place)
