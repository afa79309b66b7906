"""An export holds everything, in forms that people's programs open without harm."""

from __future__ import annotations

import csv
import io
import json
import uuid
import zipfile

import httpx
import pytest

from tests.workloads.files import RECEIPT, uploaded
from tests.workloads.platform import Platform
from workloads.services.privacy.export import archive


def test_everything_of_a_person_is_in_the_export_as_json_and_csv(platform: Platform) -> None:
    person = f"exported-{uuid.uuid4()}"
    platform.connect(person, "aurora")
    platform.synchronise(person)
    platform.settle()
    receipt = uploaded(platform, person)
    token = {"Authorization": f"Bearer {platform.issuer.token(person)}"}
    answer = httpx.get(f"{platform.urls['privacy']}/export", headers=token, timeout=60)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        told = json.loads(zipped.read("export.json"))
        kept = zipped.read(f"documents/{receipt['id']}-Beleg März.pdf")
        listed = list(csv.DictReader(io.StringIO(zipped.read("transactions.csv").decode())))
    history = platform.history(person)
    assert [each["id"] for each in told["transactions"]] == [each["id"] for each in history]
    assert [each["counterparty"] for each in listed] == [each["counterparty"] for each in history]
    assert kept == RECEIPT
    assert told["documents"] == [receipt]
    assert {"profile", "tickets", "consents", "accounts", "budgets", "recurring", "audit"} <= set(told)
    assert len(told["accounts"]) == 2


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3"])
def test_no_text_becomes_a_formula(text: str) -> None:
    with zipfile.ZipFile(io.BytesIO(archive({"rules": [{"words": text, "minor": -480, "decimal": "-4.80"}]}))) as found:
        [row] = csv.DictReader(io.StringIO(found.read("rules.csv").decode()))
    assert row == {"words": f"'{text}", "minor": "-480", "decimal": "-4.80"}
