"""Notifications: a notification hub that pushes to Android, iOS and browsers.

Leaves out: the other push services. Its data plane takes shared access signatures only: the one declared exception
to "no keys", kept small by a rule that can only listen and one that can only send.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import notificationhubs

from components.common import PrivateAccess, Site, diagnose, private_endpoint
from components.lock import lock

_APPLE = {
    "production": "https://api.push.apple.com:443/3/device",
    "sandbox": "https://api.development.push.apple.com:443/3/device",
}


_LONGEST = 90
"""Days that a hub may keep a registration
(learn.microsoft.com/previous-versions/azure/azure-services/dn530747).
"""


@dataclass(frozen=True, kw_only=True)
class GoogleArgs:
    """Firebase Cloud Messaging v1: fields of the service account's key file. private_key: PEM."""

    project_id: pulumi.Input[str]
    client_email: pulumi.Input[str]
    private_key: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class AppleArgs:
    """Apple Push Notification service, by token. stage: "sandbox" for apps that run from Xcode.

    bundle_id: of the app. team_id, key_id: of the developer account and its key. token: the key (.p8), without its
    first and last line.
    """

    stage: Literal["production", "sandbox"]
    bundle_id: pulumi.Input[str]
    team_id: pulumi.Input[str]
    key_id: pulumi.Input[str]
    token: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class BrowserArgs:
    """Web Push (RFC 8292). subject: "mailto:" or "https:" address of the sender. The keys are base64url."""

    subject: pulumi.Input[str]
    public_key: pulumi.Input[str]
    private_key: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class NotificationsArgs:
    """What notifications need to know. Credentials come from the vault: they enter Azure as values.

    site: resource group, region, tags and workspace that every block shares.
    tier: "Free" is for trying out. zone_redundant: with Standard; can't be changed later.
    forgets_after_days: since a device was last registered, 1 to 90.
    google, apple, browser: None leaves a push service out. access: where its private endpoint is (Standard); closes
    the public address. locked: keeps it, and the devices that it knows, from being deleted.
    """

    site: Site
    tier: Literal["Free", "Basic", "Standard"]
    zone_redundant: bool = False
    forgets_after_days: int = 90
    google: GoogleArgs | None = None
    apple: AppleArgs | None = None
    browser: BrowserArgs | None = None
    access: PrivateAccess | None = None
    locked: bool = False

    def __post_init__(self) -> None:
        if not (self.google or self.apple or self.browser):
            raise ValueError("google, apple, browser: none is given. Give the credentials of at least one.")
        if not 1 <= self.forgets_after_days <= _LONGEST:
            raise ValueError(
                f"forgets_after_days: {self.forgets_after_days} is not allowed; allowed is 1 to {_LONGEST}."
            )
        if self.tier != "Standard" and (self.access or self.zone_redundant):
            raise ValueError(f"access, zone_redundant: need tier Standard, and tier is {self.tier}. Leave them out.")


class Notifications(pulumi.ComponentResource):
    """A hub whose registrations stay in its region."""

    hub_id: pulumi.Output[str]
    """Resource id of the hub."""
    hub: pulumi.Output[str]
    """Name of the hub."""
    listen: pulumi.Output[str]
    """Connection string of what may register devices; secret."""
    send: pulumi.Output[str]
    """Connection string of what may send; secret."""
    browser_key: pulumi.Output[str] | None
    """What the web app has browsers subscribe with (VAPID, base64url); None without browsers."""

    def __init__(self, name: str, args: NotificationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        own = args.site.global_name("ntfns", name, longest=50)
        super().__init__("tributary:azure:Notifications", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args.site

        namespace = notificationhubs.Namespace(
            name,
            namespace_name=own,
            resource_group_name=site.resource_group,
            location=site.location,
            sku=notificationhubs.SkuArgs(name=args.tier),
            namespace_type="NotificationHub",
            zone_redundancy="Enabled" if args.zone_redundant else "Disabled",
            # Left out, registrations are copied to the paired region, wherever that is.
            replication_region=notificationhubs.ReplicationRegion.NONE,
            public_network_access="Disabled" if args.access else "Enabled",
            tags=site.tags,
            opts=child,
        )
        if args.access:
            private_endpoint(f"{name}-notifications", namespace, "namespace", args.access, site, child)
        diagnose(f"{name}-notifications", namespace, site, child, logs=["OperationalLogs"], metrics=(), tables=False)
        hub = notificationhubs.NotificationHub(
            name,
            notification_hub_name=site.name("ntf", name),
            namespace_name=namespace.name,
            resource_group_name=site.resource_group,
            location=site.location,
            registration_ttl=f"{args.forgets_after_days}.00:00:00",
            fcm_v1_credential=_google(args.google),
            apns_credential=_apple(args.apple),
            browser_credential=_browser(args.browser),
            tags=site.tags,
            opts=child,
        )

        self.hub_id = hub.id
        self.hub = hub.name
        self.listen = self._rule(name, "listen", notificationhubs.AccessRights.LISTEN, hub, namespace, site)
        self.send = self._rule(name, "send", notificationhubs.AccessRights.SEND, hub, namespace, site)
        self.browser_key = pulumi.Output.from_input(args.browser.public_key) if args.browser else None
        if args.locked:
            lock(f"{name}-notifications", namespace, self)
        self.register_outputs({"hub_id": self.hub_id, "hub": self.hub})

    def _rule(
        self,
        name: str,
        rule: str,
        right: notificationhubs.AccessRights,
        hub: notificationhubs.NotificationHub,
        namespace: notificationhubs.Namespace,
        site: Site,
    ) -> pulumi.Output[str]:
        made = notificationhubs.NotificationHubAuthorizationRule(
            f"{name}-{rule}",
            authorization_rule_name=rule,
            notification_hub_name=hub.name,
            namespace_name=namespace.name,
            resource_group_name=site.resource_group,
            location=site.location,
            rights=[right],
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["primary_key", "secondary_key"]),
        )
        keys = notificationhubs.list_notification_hub_keys_output(
            authorization_rule_name=made.name,
            notification_hub_name=hub.name,
            namespace_name=namespace.name,
            resource_group_name=site.resource_group,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        return pulumi.Output.secret(keys.primary_connection_string)


def _google(args: GoogleArgs | None) -> notificationhubs.FcmV1CredentialArgs | None:
    if args is None:
        return None
    return notificationhubs.FcmV1CredentialArgs(
        project_id=args.project_id,
        client_email=args.client_email,
        private_key=pulumi.Output.secret(args.private_key),
    )


def _apple(args: AppleArgs | None) -> notificationhubs.ApnsCredentialArgs | None:
    if args is None:
        return None
    return notificationhubs.ApnsCredentialArgs(
        endpoint=_APPLE[args.stage],
        app_name=args.bundle_id,
        app_id=args.team_id,
        key_id=args.key_id,
        token=pulumi.Output.secret(args.token),
    )


def _browser(args: BrowserArgs | None) -> notificationhubs.BrowserCredentialArgs | None:
    if args is None:
        return None
    return notificationhubs.BrowserCredentialArgs(
        subject=args.subject,
        vapid_public_key=args.public_key,
        vapid_private_key=pulumi.Output.secret(args.private_key),
    )
