"""Nothing sensitive leaves in a log line, and what is harmless stays readable."""

from __future__ import annotations

import io
import json
import logging
import uuid

import pytest
import structlog

from workloads.chassis import logs, redaction

SENSITIVE = [
    "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "se1350000000058398257460", "GB29NWBK60161331926819",
    "anna.berg+x@example.co.uk", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl", "Bearer abcdef0123456789",
    "20-20-15 55555555", "20-20-15/55555555", "4111 1111 1111 1111", "5500-0000-0000-0004",
]  # fmt: skip


@pytest.mark.parametrize("secret", SENSITIVE)
def test_sensitive_text_is_masked_wherever_it_stands(secret: str) -> None:
    for line in (secret, f"failed for {secret}.", f'{{"a": "{secret}"}}', f"https://h/p?x={secret}&y=1"):
        told = redaction.value({"message": line, "nested": [{"deep": line}]})
        assert secret not in json.dumps(told), line


@pytest.mark.parametrize(
    "harmless",
    [
        str(uuid.UUID(int=7)),
        "2026-11-23T14:06:00.123456Z",
        "GET /accounts/{account_id}",
        "ledger_transaction",
        "503",
        "2026-11-23 20261123",
    ],
)
def test_harmless_text_stays(harmless: str) -> None:
    assert redaction.text(harmless) == harmless


def test_a_telling_name_masks_its_value() -> None:
    told = redaction.value(
        {
            "password": "x",
            "Authorization": "y",
            "iban": "z",
            "uk_number": "20201555555555",
            "psu_id": "anna",
            "bank": "aurora",
        }
    )
    assert told == {"password": "[redacted]", "Authorization": "[redacted]", "iban": "[redacted]",
                    "uk_number": "[redacted]",
                    "psu_id": "[redacted]", "bank": "aurora"}  # fmt: skip


def test_structlog_and_the_standard_library_write_one_redacted_json_object_a_line() -> None:
    stream = io.StringIO()
    try:
        logs.configure("probe", stream=stream)
        structlog.get_logger("x").info("paid", iban="DE89370400440532013000", note="to DE89370400440532013000")
        logging.getLogger("library").warning("token %s", SENSITIVE[5])
        try:
            raise ValueError("account DE89370400440532013000")
        except ValueError as error:
            structlog.get_logger("x").error("failed", exc_info=error)
    finally:
        from tests.workloads import conftest

        logs.configure("tests", stream=conftest.LOG)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 3
    assert {each["service"] for each in lines} == {"probe"}
    assert "ValueError" in lines[2]["exception"]
    assert not [secret for secret in SENSITIVE if secret in stream.getvalue()]
