"""The certificate that banks are shown is taken from the file that is mounted, or the connector says what is wrong."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from workloads.chassis.settings import SettingsError
from workloads.services.connector import qwac
from workloads.services.connector.settings import ConnectorSettings

GOOD = {
    "DATABASE_URL": "postgresql+psycopg://sql/connector", "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "api",
}  # fmt: skip


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_a_key_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "qwac.pem"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"QWAC_CERTIFICATE: .*qwac\.pem holds no certificate with its key"):
        qwac.present(ssl.create_default_context(), file)


def test_a_file_that_is_not_mounted_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="QWAC_CERTIFICATE"):
        ConnectorSettings.load(GOOD | {"QWAC_CERTIFICATE": str(tmp_path / "none.pem")})
