"""Test users of the running platform's tenant: made through Graph, signed in at the token endpoint."""

from __future__ import annotations

import json
import secrets
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from local.instance import Instance
from workloads.chassis.scopes import Scope


@dataclass
class Users:
    """Issues bearer tokens of test users, each made on first use with a password nobody keeps. They grant all scopes.

    audience: the resource that the tokens are for, e.g. "api://tributary".
    """

    instance: Instance
    audience: str
    _passwords: dict[str, str] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    _ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._deployer: dict[str, str] = json.loads((self.instance.azure / "deployer.json").read_text())
        trust = ssl.create_default_context(cafile=str(self.instance.ca_certificate))
        self._http = httpx.Client(verify=trust, base_url=f"https://{self.instance.arm}")

    def token(self, person: str) -> str:
        """A token of the person, taken anew shortly before it ends."""
        kept, until = self._tokens.get(person, ("", 0.0))
        if time.monotonic() < until:
            return kept
        if person not in self._passwords:
            self._create(person)
        answer = self._ask(
            grant_type="password",
            client_id=self._deployer["client_id"],
            username=f"{person}@tributary.test",
            password=self._passwords[person],
            scope=" ".join(f"{self.audience}/{each}" for each in Scope),
        )
        self._tokens[person] = (answer["access_token"], time.monotonic() + int(answer["expires_in"]) - 120)
        return answer["access_token"]

    def close(self) -> None:
        """Remove the users again."""
        for user in self._ids:
            self._http.delete(f"/v1.0/users/{user}", headers=self._graph())
        self._http.close()

    def _create(self, person: str) -> None:
        password = secrets.token_urlsafe(24)
        body = {
            "accountEnabled": True,
            "displayName": person,
            "mailNickname": person,
            "userPrincipalName": f"{person}@tributary.test",
            "passwordProfile": {"password": password},
        }
        answer = self._http.post("/v1.0/users", json=body, headers=self._graph())
        answer.raise_for_status()
        self._ids.append(answer.json()["id"])
        self._passwords[person] = password

    def _graph(self) -> dict[str, str]:
        answer = self._ask(
            grant_type="client_credentials",
            client_id=self._deployer["client_id"],
            client_secret=self._deployer["client_secret"],
            scope="https://graph.microsoft.com/.default",
        )
        return {"Authorization": f"Bearer {answer['access_token']}"}

    def _ask(self, **form: str) -> dict[str, Any]:
        answer = self._http.post(f"/{self._deployer['tenant_id']}/oauth2/v2.0/token", data=form)
        answer.raise_for_status()
        return answer.json()
