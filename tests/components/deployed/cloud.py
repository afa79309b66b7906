"""An embedded Azure that blocks are deployed on: what it lists, which names deleted ones hold, its plan of faults."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from local.azure.arm.types import by_path
from local.instance import SUBSCRIPTION_ID, Instance

LOCKS = "/providers/microsoft.authorization/locks/"


@dataclass
class Cloud:
    """One embedded Azure. environment: what the engine's plugins are told of it."""

    instance: Instance
    arm: httpx.Client
    environment: dict[str, str]

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Bring a resource about beside Pulumi. path: below the subscription."""
        identity = f"/subscriptions/{SUBSCRIPTION_ID}/{path}"
        kind = by_path(identity)
        assert kind, identity
        url = f"{quote(identity)}?api-version={kind.version}"
        answer = self.arm.put(url, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        if kind.asynchronous:
            self._await(answer)
        return self.arm.get(url).json()

    def delete(self, identity: str) -> None:
        """Take a resource down beside Pulumi."""
        kind = by_path(identity)
        assert kind, identity
        answer = self.arm.delete(f"{quote(identity)}?api-version={kind.version}")
        assert answer.is_success, f"{identity}: {answer.text}"
        self._await(answer)

    def _await(self, answer: httpx.Response) -> None:
        watched = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location")
        for _ in range(600 if watched else 0):
            told = self.arm.get(watched)
            if told.status_code != 202 and told.json().get("status", "Succeeded") != "InProgress":
                return

    def listed(self) -> set[str]:
        """Lower-case ids of everything there is, children and extensions too, which no list of ARM's shows."""
        return self._read("SELECT key FROM resources")

    def held(self) -> set[str]:
        """Lower-case ids of what is deleted and still holds its name."""
        return self._read("SELECT key FROM deleted")

    def _read(self, query: str) -> set[str]:
        database = sqlite3.connect(f"file:{self.instance.azure / 'azure.db'}?mode=ro", uri=True)
        try:
            return {row[0] for row in database.execute(query)}
        finally:
            database.close()

    def plan(self, *faults: dict[str, Any]) -> int:
        """Replace the plan of faults; answers how many requests the one before befell."""
        befallen = sum(each["times"] for each in self.arm.get("/faults").json()["value"])
        self.arm.put("/faults", json=list(faults)).raise_for_status()
        return befallen

    def clear(self, identities: Iterable[str]) -> None:
        """Take down what a test made, locks first, then what lies highest."""
        left = set(identities)
        for each in sorted(left, key=lambda each: (LOCKS not in each, each.count("/"))):
            if each in self.listed():
                self.delete(each)
