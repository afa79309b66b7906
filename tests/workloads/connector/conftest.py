"""Fixtures of the connector's tests: one WireMock for all recordings, and the Berlin Group's document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workloads.contract import DOCUMENT, Contract
from tests.workloads.wiremock import WireMock
from tests.workloads.wiremock import wiremock as running


@pytest.fixture(scope="session")
def wiremock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireMock]:
    """A WireMock: it serves one recording after the other."""
    with running(tmp_path_factory.mktemp("wiremock")) as found:
        yield found


@pytest.fixture(scope="session")
def xs2a() -> Contract | None:
    """What judges requests; None where the document is absent."""
    return Contract.of(DOCUMENT) if DOCUMENT.exists() else None
