"""Settings: one typed, validated object per environment, read once from the stack's configuration.

Nothing else in the program reads configuration or asks which environment it runs in.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, NoReturn, Self

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import Field, ValidationError, model_validator

from stacks.explain import Problem, explain, say
from stacks.presets import PRESETS, Preset
from stacks.sections.entry import Domain
from stacks.sections.foundation import REGIONS, UNZONED, SignIn
from stacks.sections.observability import Alerts

NAMESPACE = "tributary"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NOBODYS = "00000000-0000-0000-0000-000000000000"
"""Tenant of the stack files as they are committed: a preview does with it, an update does not."""
_NAMES_NOBODY = f"names the tenant {_NOBODYS}, which is nobody's. Allowed:"


class Settings(Preset):
    """What one environment is made of: its preset and what the stack's YAML says otherwise."""

    preset: Literal["local", "dev", "prod"]
    location: Literal[REGIONS]  # type: ignore[valid-type]  # pydantic takes the tuple as the choices
    sign_in: SignIn
    domain: Domain
    alerts: Alerts
    tags: Annotated[dict[str, str], Field(max_length=15, description="at most 15 names, each with a text")] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _tenant_is_known(self) -> Self:
        if self.identity and not self.people_tenant:
            raise ValueError(
                f"identity.tenantId: is missing, and signIn.issuer ({self.sign_in.issuer}) names no tenant; allowed is "
                "a lower-case UUID, or identity: null for a tenant that is set up otherwise"
            )
        if self.identity and not self.sign_in.services:
            raise ValueError(
                "signIn.services: is missing, and no identity of a subscription gets tokens of a tenant that identity "
                "sets up for people; allowed is the issuer and audience of an application in the subscription's tenant"
            )
        if self.identity and self.sign_in.discovery:
            raise ValueError(
                f"signIn.discovery: is {self.sign_in.discovery}, and the tenant that identity sets up has a document "
                "of its own; allowed is null, or identity: null for a tenant that is set up otherwise"
            )
        return self

    @property
    def people_tenant(self) -> str | None:
        """Directory id of the tenant that people sign in at: as identity says, else the one that issues the tokens."""
        if self.identity and self.identity.tenant_id:
            return self.identity.tenant_id
        named = _UUID.findall(self.sign_in.issuer)
        return named[-1] if named else None

    @property
    def api_host(self) -> str:
        """Where apps find the API."""
        return f"api.{self.domain}"

    @property
    def app_host(self) -> str:
        """Where people find the web app."""
        return f"app.{self.domain}"

    @property
    def services_host(self) -> str:
        """Where the gateway finds the services: the cluster's ingress, in a zone of the virtual network alone."""
        return f"services.{self.inner_domain}"

    @property
    def inner_domain(self) -> str:
        """The private DNS zone of names that only the virtual network knows."""
        return f"internal.{self.domain}"

    @property
    def contact(self) -> str:
        """E-mail address of whoever runs the platform: the first of those that alerts go to."""
        return next(iter(self.alerts.emails.values()))


def load_settings() -> Settings:
    """The settings of the current stack.

    Raises pulumi.RunError, which ends the program before anything is registered, naming every wrong setting.
    """
    # Both ways in which language hosts hand over configuration: the environment, or the runtime's variable.
    everything = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    secret = {*runtime_config.get_config_secret_keys_env(), *runtime_config._SECRET_KEYS.get()}
    settings = parse(everything, secret=secret, stack=pulumi.get_stack())
    if settings.identity and settings.people_tenant == _NOBODYS:
        _not_yet("signIn.issuer", f"{_NAMES_NOBODY} the issuer of your Entra External ID tenant.")
    if (own := settings.sign_in.services) and _NOBODYS in own.issuer:
        _not_yet("signIn.services.issuer", f"{_NAMES_NOBODY} the issuer of the subscription's own tenant.")
    if not settings.cluster.private and not settings.cluster.allowed_addresses:
        _not_yet(
            "cluster.allowedAddresses",
            "is empty: the API server would answer the cluster's own nodes alone. Allowed: the public IPv4 addresses "
            "of whoever deploys, a pipeline's among them.",
        )
    return settings


def _not_yet(name: str, text: str) -> None:
    """A setting as it is committed: a preview warns of it, an update is refused."""
    if not pulumi.runtime.is_dry_run():
        _refuse(pulumi.get_stack(), [Problem(name, text)])
    pulumi.log.warn(f"{NAMESPACE}:{name} {text} An update is refused until then (docs/deploy.md).")


def parse(everything: Mapping[str, Any], *, secret: Collection[str] = (), stack: str = "dev") -> Settings:
    """The settings in a stack's configuration, whose other namespaces are left alone.

    secret: keys whose value is not shown. stack: name of the stack, for the error. Raises pulumi.RunError.
    """
    given = {key.split(":", 1)[1]: value for key, value in everything.items() if key.startswith(f"{NAMESPACE}:")}
    hidden = {key.split(":", 1)[1] for key in secret if key.startswith(f"{NAMESPACE}:")}
    values = {name: _decoded(name, value) for name, value in given.items()}
    # A wrong preset is reported with everything else that is wrong, which any preset shows as well as another.
    preset = PRESETS.get(values.get("preset", ""), PRESETS["dev"])
    merged = _merged(preset.model_dump(by_alias=True), values)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        _refuse(stack, explain(error, Settings, merged, hidden))
    if settings.location in UNZONED and (settings.cluster.zones or settings.registry.zone_redundant):
        zoned = ", ".join(each for each in REGIONS if each not in UNZONED)
        _refuse(
            stack,
            [Problem("location", f'is "{settings.location}": it has no availability zones. Allowed: {zoned}.')],
        )
    return settings


def _decoded(name: str, value: Any) -> Any:
    """Objects arrive as JSON, scalars as text."""
    field = next((f for n, f in Settings.model_fields.items() if (f.alias or n) == name), None)
    if field is None or field.annotation is None or not isinstance(value, str) or name in ("preset", "location"):
        return value
    if value == "" and type(None) in typing.get_args(field.annotation):
        return None  # as the engine hands over a null
    try:
        return json.loads(value)
    except ValueError:
        return value


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Objects are merged, everything else is replaced. An empty object, Pulumi.yaml's default, says nothing."""
    merged = dict(base)
    for name, value in over.items():
        if value == {} and name in merged:
            continue
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(before, value) if both else value
    return merged


def _refuse(stack: str, problems: list[Problem]) -> NoReturn:
    raise pulumi.RunError(say(NAMESPACE, stack, problems))
