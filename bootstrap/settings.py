"""Settings of the bootstrap: one typed, validated object, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import Field, ValidationError, field_validator, model_validator

from stacks.explain import explain, say
from stacks.sections.foundation import REGIONS, Cidr, HttpsUrl, Section, Uuid

NAMESPACE = "tributary-bootstrap"
_ID = "^/subscriptions/[0-9a-f-]{36}/resourceGroups/.+/providers/.+$"
_Id = Annotated[str, Field(pattern=_ID, description="a resource id, /subscriptions/…/providers/…")]


class GitHub(Section):
    """A repository whose jobs in the environment of the same name deploy."""

    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$", description="organisation/repository")]


class AzureDevOps(Section):
    """A service connection that deploys: issuer and subject as its page shows them.

    Azure DevOps' own issuer (https://vstoken.dev.azure.com/…, subject sc://organisation/project/connection) ends on
    1 July 2027; connections made today show Entra's (learn.microsoft.com/azure/devops/pipelines/release/
    convert-service-connections).
    """

    issuer: HttpsUrl
    subject: Annotated[str, Field(min_length=1, description="the subject identifier of the service connection")]


class Environment(Section):
    """Who may deploy a stack."""

    github: GitHub | None = None
    azure_dev_ops: AzureDevOps | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.github is None and self.azure_dev_ops is None:
            raise ValueError("neither github nor azureDevOps is named")
        return self


class Runner(Section):
    """Build agents inside the network. ssh_public_key: Azure asks for one; nobody signs in with it."""

    ssh_public_key: Annotated[
        str, Field(pattern="^(ssh-rsa|ssh-ed25519) [A-Za-z0-9+/=]+", description="an SSH public key")
    ]
    size: Annotated[str, Field(pattern="^Standard_[A-Za-z0-9_]+$", description="a VM size, e.g. Standard_D2ads_v5")] = (
        "Standard_D2ads_v5"
    )


class Peer(Section):
    """A private stack that the runner reaches. zone_ids: of its private DNS zones."""

    network_id: _Id
    zone_ids: list[_Id] = Field(default_factory=list)


class SignInTenant(Section):
    """The External ID tenant. graph: base URL of Microsoft Graph."""

    tenant_id: Uuid
    graph: HttpsUrl = "https://graph.microsoft.com"


class Settings(Section):
    """What is made once a subscription."""

    location: Literal[REGIONS]  # type: ignore[valid-type]  # pydantic takes the tuple as the choices
    environments: Annotated[
        dict[str, Environment],
        Field(min_length=1, description="github, azureDevOps or both, by a stack's name; at least one stack"),
    ]
    address_space: Cidr
    allowed_addresses: list[str]
    purge_protection: bool
    runner: Runner | None
    peers: dict[str, Peer]
    sign_in: SignInTenant | None

    @field_validator("runner", "sign_in", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """Pulumi.yaml's default, an empty object, says the same as nothing."""
        return value or None


def load_settings() -> Settings:
    """The settings of the current stack. Raises pulumi.RunError, naming every wrong setting."""
    return parse({**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}, pulumi.get_stack())


def parse(everything: Mapping[str, Any], stack: str = "main") -> Settings:
    """The settings in a stack's configuration. Raises pulumi.RunError."""
    given = {key.split(":", 1)[1]: value for key, value in everything.items() if key.startswith(f"{NAMESPACE}:")}
    values = {name: _decoded(name, value) for name, value in given.items()}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise pulumi.RunError(say(NAMESPACE, stack, explain(error, Settings, values, ()))) from None


def _decoded(name: str, value: Any) -> Any:
    """Everything arrives as text: objects, lists and truth values as JSON."""
    if name in ("location", "addressSpace") or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
