"""Messaging: what carries events between services, and notifications to people."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.common import PrivateAccess, Site
from components.customer_key import CustomerKey
from components.messaging import Messaging, MessagingArgs
from components.notifications import AppleArgs, BrowserArgs, GoogleArgs, Notifications, NotificationsArgs
from components.vault import Vault
from components.web_push_key import WebPushKey
from stacks.data import PUSH_LISTEN, PUSH_SEND
from stacks.sections.foundation import partner
from stacks.services import Service
from stacks.settings import Settings
from stacks.topics import queues, topics


def make_messaging(
    settings: Settings,
    site: Site,
    services: tuple[Service, ...],
    access: PrivateAccess | None,
    key: CustomerKey | None,
) -> Messaging:
    """The Service Bus of the services' events. access, key: of a Premium one."""
    wanted = settings.messaging
    return Messaging(
        "main",
        MessagingArgs(
            site=site,
            tier=wanted.tier,
            capacity=wanted.capacity,
            replica=partner(site.location) if wanted.replicated else None,
            allowed_addresses=wanted.allowed_addresses,
            access=access,
            key=key if wanted.tier == "Premium" else None,
            locked=settings.safeguards.locked,
            topics=topics(services),
            queues=queues(),
        ),
    )


def make_notifications(settings: Settings, site: Site, access: PrivateAccess | None) -> Notifications:
    """The hub that reaches people's devices. access: of a Standard one."""
    wanted = settings.notifications
    key = WebPushKey("browsers")
    return Notifications(
        "main",
        NotificationsArgs(
            site=site,
            tier=wanted.tier,
            zone_redundant=wanted.zone_redundant,
            access=access,
            browser=BrowserArgs(
                subject=f"mailto:{settings.contact}", public_key=key.public_key, private_key=key.private_key
            ),
            google=GoogleArgs(**wanted.google.model_dump()) if wanted.google else None,
            apple=AppleArgs(**wanted.apple.model_dump()) if wanted.apple else None,
            locked=settings.safeguards.locked,
        ),
    )


def keep_push_keys(vault: Vault, notifications: Notifications) -> Mapping[str, pulumi.Output[str]]:
    """What opens the hub, in the vault: it knows no identities. Resource ids of the secrets, by name."""
    strings = {PUSH_LISTEN: notifications.listen, PUSH_SEND: notifications.send}
    return {name: vault.keep(name, string) for name, string in strings.items()}
