"""A service with a wrong environment does not start, and says what to do, without telling a secret."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from local.instance import REPOSITORY
from workloads.chassis.settings import SecretKeeperSettings, SettingsError
from workloads.services.connector.settings import ConnectorSettings

KEYLESS = {
    "DATABASE_URL": "postgresql+psycopg://host/db",
    "TOKEN_ISSUER": "https://issuer.example/t/v2.0",
    "TOKEN_AUDIENCE": "api://tributary",
}
GOOD = KEYLESS | {"KEY_VAULT_URL": "https://vault.example/"}


def test_good_settings_are_read() -> None:
    told = ConnectorSettings.load({**GOOD, "BANK_URLS": '{"aurora": "http://127.64.0.9:8080"}', "PORT": "8701"})
    assert told.port == 8701
    assert str(told.bank_urls["aurora"]) == "http://127.64.0.9:8080/"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "eighty", "'eighty' is not valid"),
        ("PORT", "70000", "a TCP port from 1 to 65535"),
        ("POD_IP", "nowhere", "POD_IP"),
        ("DATABASE_URL", "mysql://host/db", "dialect 'mysql' is not one of postgresql, mssql"),
        ("DATABASE_URL", "postgresql+psycopg://host", "names no database"),
        ("DATABASE_URL", "", "DATABASE_URL is missing"),
        ("TOKEN_ISSUER", "not a url", "TOKEN_ISSUER"),
        ("SERVICE_TOKEN_ISSUER", "https://sts.example/t", "SERVICE_TOKEN_AUDIENCE is missing"),
        ("SERVICE_TOKEN_AUDIENCE", "api://services", "come together or not at all"),
        ("BANK_URLS", "{", "BANK_URLS"),
        ("DATA_KEY", "c2hvcnQ=", "32 bytes"),
    ],
)
def test_a_bad_variable_is_named_with_what_is_allowed(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ConnectorSettings.load({**GOOD, name: value})
    assert name in str(refused.value)
    assert said in str(refused.value)


def test_a_secret_is_not_told() -> None:
    with pytest.raises(SettingsError) as refused:
        SecretKeeperSettings.load({**GOOD, "DATABASE_URL": "oracle://user:hunter2@host/db", "DATA_KEY": "hunter3"})
    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PORT": "x"}, "ACCOUNT_URL is missing"),
        (KEYLESS | {"ACCOUNT_URL": "http://account", "CONNECTOR_URL": "http://connector"}, "KEY_VAULT_URL is missing"),
    ],
    ids=["wrong alone", "wrong together"],
)
def test_a_service_with_bad_settings_exits_with_2_and_one_message(given: dict[str, str], said: str) -> None:
    environment = {"PATH": os.environ["PATH"], **given}
    command = [sys.executable, "-m", "workloads.services.transaction"]
    ended = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
