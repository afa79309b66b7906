"""Files in memory, behind the document service's own form; and a receipt."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from workloads.chassis.problems import not_found

if TYPE_CHECKING:
    from tests.workloads.platform import Platform

RECEIPT = b"%PDF-1.7\nBackhaus Sommer, 4.80 EUR, DE48500105170532013000"


@dataclass
class MemoryFiles:
    """What ``workloads.services.document.files.Files`` does, without a storage account."""

    held: dict[tuple[uuid.UUID, uuid.UUID], bytes] = field(default_factory=dict)

    def keep(self, user: uuid.UUID, document: uuid.UUID, sealed: bytes) -> None:
        self.held[user, document] = sealed

    def read(self, user: uuid.UUID, document: uuid.UUID) -> bytes:
        if (user, document) not in self.held:
            raise not_found("file")
        return self.held[user, document]

    def has(self, user: uuid.UUID, document: uuid.UUID) -> bool:
        return (user, document) in self.held

    def remove(self, user: uuid.UUID, document: uuid.UUID) -> None:
        self.held.pop((user, document), None)

    def remove_all(self, user: uuid.UUID) -> int:
        mine = [each for each in self.held if each[0] == user]
        for each in mine:
            del self.held[each]
        return len(mine)

    def close(self) -> None:
        """Nothing to close."""


def upload(platform: Platform, person: str, content: bytes, name: str = "Beleg März.pdf") -> httpx.Response:
    """What came of a person's upload."""
    token = f"Bearer {platform.issuer.token(person)}"
    headers = {"Authorization": token, "File-Name": quote(name), "Content-Type": "application/pdf"}
    return httpx.post(f"{platform.urls['document']}/documents", content=content, headers=headers, timeout=30)


def uploaded(platform: Platform, person: str, content: bytes = RECEIPT) -> dict[str, Any]:
    """A document that a person has uploaded."""
    answer = upload(platform, person, content)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()
