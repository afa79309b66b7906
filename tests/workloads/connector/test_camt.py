"""Statements of ISO 20022: what they tell is read, what is hostile is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.services.connector import camt
from workloads.services.connector.failures import BankFailure

SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.052.001.08"


def message(*entries: str, root: str = "BkToCstmrAcctRpt", report: str = "Rpt", space: str = SPACE) -> bytes:
    return f'<Document xmlns="{space}"><{root}><{report}>{"".join(entries)}</{report}></{root}></Document>'.encode()


def entry(amount: str = "5.00", sign: str = "DBIT", status: str = "<Cd>BOOK</Cd>", more: str = "") -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><DtTm>2026-01-02T03:04:05Z</DtTm></BookgDt><ValDt><Dt>2026-01-03</Dt></ValDt>{more}</Ntry>"
    )


def details(amount: str, name: str, reference: str) -> str:
    return (
        f'<TxDtls><Refs><TxId>{reference}</TxId></Refs><Amt Ccy="EUR">{amount}</Amt>'
        f"<RltdPties><Cdtr><Pty><Nm>{name}</Nm></Pty></Cdtr></RltdPties></TxDtls>"
    )


@given(st.integers(1, 10**9), st.sampled_from(["DBIT", "CRDT"]), st.sampled_from(["BOOK", "PDNG"]))
def test_an_entry_keeps_amount_sign_and_status(minor: int, sign: str, status: str) -> None:
    amount = str(Decimal(minor) / 100)
    for form in (status, f"<Cd>{status}</Cd>"):
        found = camt.read(message(entry(amount, sign, form))).entries
        assert [(each.amount.minor, each.status) for each in found] == [
            (minor if sign == "CRDT" else -minor, "booked" if status == "BOOK" else "pending")
        ]


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=6), st.booleans())
def test_a_batch_is_split_iff_its_parts_are_its_sum(parts: list[int], whole: bool) -> None:
    total = sum(parts) + (0 if whole else 1)
    inner = "".join(details(str(Decimal(each) / 100), f"P{i}", f"r{i}") for i, each in enumerate(parts))
    found = camt.read(message(entry(str(Decimal(total) / 100), more=f"<NtryDtls>{inner}</NtryDtls>"))).entries
    assert sum(each.amount.minor for each in found) == -total
    assert len(found) == (len(parts) if whole else 1)
    assert len({each.transaction_id for each in found}) == len(found)


@pytest.mark.parametrize(("told", "complete"), [("true", True), ("false", False), ("", False)])
def test_a_page_of_several_is_no_complete_statement(told: str, complete: bool) -> None:
    paging = f"<RptPgntn><PgNb>1</PgNb><LastPgInd>{told}</LastPgInd></RptPgntn>"
    assert camt.read(message(entry())).complete
    assert camt.read(message(paging, entry())).complete is complete


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_that_a_bank_sends_is_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(BankFailure):
        camt.read(content)


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<&>"), max_size=12))
def test_an_entry_with_a_foreign_amount_is_counted_and_not_guessed(amount: str) -> None:
    found = camt.read(message(entry(amount), entry("1.00")))
    assert len(found.entries) + found.unreadable == 2


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE Document [<!ENTITY x "y">]><Document xmlns="%s">&x;</Document>' % SPACE.encode(),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document xmlns="%s">&x;</Document>' % SPACE.encode(),
        b'<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd"><Document xmlns="%s"/>' % SPACE.encode(),
        b"<a>" * 100_000,
        b"<html/>",
        b"",
        message(entry(), space="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"),
    ],
)
def test_document_types_depth_and_other_messages_are_refused(hostile: bytes) -> None:
    with pytest.raises(BankFailure) as refused:
        camt.read(hostile)
    assert refused.value.kind == "bank-answer-unreadable"
    assert "passwd" not in refused.value.detail


def test_information_entries_are_no_movements_and_statements_are_read_too() -> None:
    found = camt.read(message(entry(status="INFO"), entry(), root="BkToCstmrStmt", report="Stmt",
                              space="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"))  # fmt: skip
    assert [(str(each.booking_date), str(each.value_date)) for each in found.entries] == [("2026-01-02", "2026-01-03")]
    assert found.unreadable == 0


def test_a_reference_that_says_there_is_none_identifies_nothing() -> None:
    more = "<NtryRef>NOTPROVIDED</NtryRef><AcctSvcrRef>NONREF</AcctSvcrRef>"
    found = camt.read(message(entry(more=more))).entries[0]
    assert (found.transaction_id, found.entry_reference) == (None, None)
