"""A body that is larger than any that there is, or nested as none is, is refused before it is looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from workloads.chassis.app import create_app
from workloads.chassis.bodies import LARGEST, LARGEST_JSON
from workloads.chassis.settings import Settings

router = APIRouter()


class Form(BaseModel):
    """Any."""

    text: str = Field(max_length=LARGEST_JSON)


@router.post("/forms")
def take(asked: Form) -> int:
    """Its length."""
    return len(asked.text)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app("probe", "Probe", Settings(), [router]), raise_server_exceptions=False) as opened:
        yield opened


def in_parts(size: int) -> Iterator[bytes]:
    """Without saying how long it will be."""
    for start in range(0, size, 65536):
        yield b" " * min(65536, size - start)


@pytest.mark.parametrize(
    ("kind", "largest"), [("application/json", LARGEST_JSON), ("application/octet-stream", LARGEST)]
)
def test_a_body_that_is_too_large_is_refused_whether_its_length_is_told_or_not(
    client: TestClient, kind: str, largest: int
) -> None:
    for content in (b" " * (largest + 1), in_parts(largest + 1)):
        answer = client.post("/forms", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("content", "status"),
    [(b'{"text": "' + b"a" * (LARGEST_JSON - 100) + b'"}', 200), (b"[" * 100_000, 400), (b'{"text": "\\ud800"}', 422),
     (b"\x80", 400), (b"", 422)],
    ids=["large", "nested", "half a pair", "not UTF-8", "nothing"],
)  # fmt: skip
def test_what_is_not_too_large_is_read(client: TestClient, content: bytes, status: int) -> None:
    assert client.post("/forms", content=content, headers={"Content-Type": "application/json"}).status_code == status


def test_the_document_says_so(client: TestClient) -> None:
    assert "413" in client.get("/openapi.json").json()["paths"]["/forms"]["post"]["responses"]
