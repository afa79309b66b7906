"""Receipts are kept once, sealed, belong to one's own transactions, and are gone when they are deleted."""

from __future__ import annotations

import hashlib
import uuid

import httpx
import psycopg
import pytest

from tests.workloads.files import RECEIPT, MemoryFiles, upload, uploaded
from tests.workloads.platform import Platform
from tests.workloads.servers import Issuer, Postgres
from workloads.services.document import domain


@pytest.fixture
def person() -> str:
    return f"keeps-{uuid.uuid4()}"


def files(platform: Platform) -> MemoryFiles:
    return platform.states["document"].files


def told(platform: Platform, user: uuid.UUID) -> list[str]:
    assert platform.bus
    platform.settle()
    return [each.type for each in platform.bus.published if each.user == user and each.type.startswith("document.")]


def test_a_receipt_is_found_by_what_it_says_attached_and_read_again(
    platform: Platform, person: str, issuer: Issuer
) -> None:
    platform.connect(person, "aurora")
    platform.synchronise(person)
    payment = next(each for each in platform.history(person) if each["minor"] < 0)
    kept = uploaded(platform, person)
    assert (kept["name"], kept["kind"], kept["transaction_id"]) == ("Beleg März.pdf", "application/pdf", None)
    assert kept["sha256"] == hashlib.sha256(RECEIPT).hexdigest()
    path = f"/documents/{kept['id']}"
    says = {"minor": -payment["minor"], "currency": payment["currency"], "date": payment["date"]}
    found = platform.call(person, "document", "GET", f"{path}/matches", params=says)["matches"]
    assert payment["id"] in {each["transaction_id"] for each in found}
    asked = {"transaction_id": payment["id"]}
    attached = platform.call(person, "document", "PUT", f"{path}/transaction", json=asked)
    assert attached["transaction_id"] == payment["id"]
    assert platform.call(person, "document", "GET", "/documents", params=asked)["documents"] == [attached]
    token = {"Authorization": f"Bearer {issuer.token(person)}"}
    answer = httpx.get(f"{platform.urls['document']}{path}/content", headers=token)
    assert (answer.content, answer.headers["content-type"]) == (RECEIPT, "application/pdf")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Beleg%20M%C3%A4rz.pdf"
    assert platform.call(person, "document", "DELETE", f"{path}/transaction")["transaction_id"] is None
    platform.call(person, "document", "DELETE", path, 204)
    platform.call(person, "document", "GET", f"{path}/content", 404)
    user = issuer.pseudonym(person)
    assert told(platform, user) == ["document.uploaded", "document.matched", "document.deleted"]
    assert not [each for each in files(platform).held if each[0] == user]


def test_the_same_content_is_kept_once_a_person(platform: Platform, person: str, issuer: Issuer) -> None:
    first, again = upload(platform, person, RECEIPT), upload(platform, person, RECEIPT, "other.pdf")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert uploaded(platform, f"other-{person}")["id"] != first.json()["id"]
    assert len([each for each in files(platform).held if each[0] == issuer.pseudonym(person)]) == 1


def test_neither_name_nor_content_is_readable_where_it_is_kept(
    platform: Platform, person: str, server: Postgres
) -> None:
    kept = uploaded(platform, person)
    [sealed] = [content for (_, document), content in files(platform).held.items() if str(document) == kept["id"]]
    assert b"PDF" not in sealed
    assert b"DE48500105170532013000" not in sealed
    with psycopg.connect(host=str(server.socket_folder), user="postgres", dbname="platform_document") as connection:
        row = connection.execute("SELECT d::text FROM document d WHERE id = %s", [kept["id"]]).fetchone()
    assert row
    assert b"Beleg".hex() not in row[0]
    assert kept["sha256"] not in row[0]


def test_what_is_no_document_too_large_or_without_a_name_is_refused(platform: Platform, person: str) -> None:
    assert upload(platform, person, b"MZ\x90").status_code == 415
    assert upload(platform, person, b"%PDF-" + bytes(domain.LARGEST_BYTES)).status_code == 413
    assert upload(platform, person, RECEIPT, "../x.pdf").status_code == 422
    platform.call(person, "document", "POST", "/documents", 422, content=RECEIPT)
    assert platform.call(person, "document", "GET", "/documents")["documents"] == []


def test_all_of_a_persons_documents_together_have_a_limit(
    platform: Platform, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "MOST_BYTES", len(RECEIPT) + 10)
    uploaded(platform, person)
    refused = upload(platform, person, RECEIPT + b"more than ten bytes")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/storage-full")


def test_a_transaction_of_somebody_else_is_none(platform: Platform, person: str) -> None:
    other = f"other-{person}"
    platform.connect(other, "aurora")
    platform.synchronise(other)
    theirs = {"transaction_id": platform.history(other)[0]["id"]}
    path = f"/documents/{uploaded(platform, person)['id']}/transaction"
    platform.call(person, "document", "PUT", path, 404, json=theirs)
