"""One service by itself, called as people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient

from tests.workloads.servers import Issuer


@dataclass
class Called:
    """A service in this process. issuer: of the tokens that people call it with."""

    app: Any
    client: TestClient
    issuer: Issuer

    def call(self, person: str, method: str, path: str, expect: int = 200, **options: Any) -> Any:
        """What the service answers to a person, as JSON; None where it answers nothing."""
        headers = {"Authorization": f"Bearer {self.issuer.token(person)}"}
        answer = self.client.request(method, path, headers=headers, **options)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None
