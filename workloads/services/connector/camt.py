"""Account reports and statements of ISO 20022 (camt.052, camt.053) made into entries.

What a bank sends is not trusted: a document type is refused, so that no entity is expanded and nothing is fetched, and
libxml2's limits on depth and size stay on. Elements are found by name whatever the version of the message.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from workloads.chassis.money import Money
from workloads.services.connector import parse
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.parse import Amount, Balance, Entry

_NAMESPACES = ("urn:iso:std:iso:20022:tech:xsd:camt.052.", "urn:iso:std:iso:20022:tech:xsd:camt.053.")
_STATUSES = {"BOOK": "booked", "PDNG": "pending"}
_BALANCES = {
    "CLBD": "closingBooked", "OPBD": "openingBooked", "PRCD": "openingBooked", "ITBD": "interimBooked",
    "ITAV": "interimAvailable", "CLAV": "closingAvailable", "XPCD": "expected", "FWAV": "forwardAvailable",
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """What a message tells. unreadable: entries left out because no amount could be read.

    complete: False where it says that it is one page of several (``LastPgInd``).
    """

    entries: list[Entry] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    unreadable: int = 0
    tells_pending: bool = False
    complete: bool = True


def read(content: bytes, reference: str | None = None) -> Statement:
    """The entries of every report or statement of a message.

    reference: type of the proprietary reference that identifies an entry at this bank. Raises BankFailure when it is
    no such message.
    """
    root = _root(content)
    result = Statement()
    entries, unreadable = result.entries, 0
    reports = [*_children(root, "BkToCstmrAcctRpt/Rpt"), *_children(root, "BkToCstmrStmt/Stmt")]
    for report in reports:
        for entry in _children(report, "Ntry"):
            found = _entries(entry, reference)
            if found is None:
                unreadable += 1
            else:
                entries += found
        result.balances.extend(b for each in _children(report, "Bal") if (b := _balance(each)))
    pending = any(each.status == "pending" for each in entries)
    pages = [*_children(root, "BkToCstmrAcctRpt/GrpHdr/MsgPgntn"), *_children(root, "BkToCstmrStmt/GrpHdr/MsgPgntn")]
    pages += [page for each in reports for name in ("RptPgntn", "StmtPgntn") for page in _children(each, name)]
    complete = all(_text(each, "LastPgInd") in ("true", "1") for each in pages)
    return Statement(entries, result.balances, unreadable, pending, complete)


def _root(content: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, dtd_validation=False, no_network=True, huge_tree=False, recover=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise BankFailure("bank-answer-unreadable", "The bank's statement is not well-formed XML.") from None
    if root.getroottree().docinfo.doctype:
        raise BankFailure("bank-answer-unreadable", "The bank's statement has a document type: it is not read.")
    if etree.QName(root).localname != "Document" or not (etree.QName(root).namespace or "").startswith(_NAMESPACES):
        raise BankFailure("bank-answer-unreadable", "The bank's XML is no camt.052 or camt.053 message.")
    return root


def _children(node: Any, path: str) -> list[Any]:
    found = [node]
    for name in path.split("/"):
        found = [each for parent in found for each in parent if etree.QName(each).localname == name]
    return found


def _text(node: Any, *paths: str) -> str | None:
    """The first text at one of the paths."""
    for path in paths:
        for each in _children(node, path):
            if told := parse.text(each.text):
                return told
    return None


def _money(node: Any, path: str, *, credit: bool | None = None) -> Money | None:
    """The amount at a path, negative where it is no credit; None where none can be read."""
    for each in _children(node, path):
        amount = parse.read_money((each.text or "").strip(), each.get("Ccy") or "")
        return amount if amount is None or credit is None or credit else -amount
    return None


def _credit(node: Any) -> bool | None:
    told = _text(node, "CdtDbtInd")
    return {"CRDT": True, "DBIT": False}.get(told or "")


def _date(node: Any, name: str) -> datetime.date | None:
    return parse.date(_text(node, f"{name}/Dt", f"{name}/DtTm"))


def _entries(entry: Any, reference: str | None) -> list[Entry] | None:
    """An entry, or the transactions that a batch holds where each tells its amount; None when none can be read."""
    status, credit = _STATUSES.get(_text(entry, "Sts", "Sts/Cd") or ""), _credit(entry)
    if _text(entry, "Sts", "Sts/Cd") == "INFO":
        return []
    total = _money(entry, "Amt", credit=credit)
    if status is None or credit is None or total is None:
        return None
    details = _children(entry, "NtryDtls/TxDtls")
    parts = [_part(each, total, credit=credit) for each in details]
    if len(details) > 1 and all(parts) and sum(each.minor for each in parts if each) == total.minor:
        return [_entry(entry, d, status, p, reference, batch=True) for d, p in zip(details, parts, strict=True) if p]
    return [_entry(entry, details[0] if len(details) == 1 else entry, status, total, reference, batch=False)]


def _part(details: Any, total: Money, *, credit: bool) -> Money | None:
    own = _credit(details)
    own = credit if own is None else own
    found = _money(details, "Amt", credit=own) or _money(details, "AmtDtls/TxAmt/Amt", credit=own)
    return found if found and found.currency == total.currency else None


def _entry(entry: Any, details: Any, status: Any, amount: Money, reference: str | None, *, batch: bool) -> Entry:
    side, account = ("Cdtr", "CdtrAcct") if amount.is_negative else ("Dbtr", "DbtrAcct")
    party = f"RltdPties/{side}"
    remittance = " ".join(filter(None, (parse.text(each.text) for each in _children(details, "RmtInf/Ustrd"))))
    return Entry(
        status=status,
        transaction_id=_reference(entry, details, reference, batch=batch),
        entry_reference=None if batch else parse.reference(_text(entry, "NtryRef")),
        booking_date=_date(entry, "BookgDt") if status == "booked" else None,
        value_date=_date(entry, "ValDt"),
        amount=Amount(minor=amount.minor, currency=amount.currency),
        counterparty=_text(details, f"{party}/Nm", f"{party}/Pty/Nm", f"RltdPties/Ultmt{side}/Nm"),
        counterparty_iban=_text(details, f"RltdPties/{account}/Id/IBAN"),
        remittance=remittance or _text(details, "RmtInf/Strd/CdtrRefInf/Ref", "AddtlTxInf", "AddtlNtryInf")
        or _text(entry, "AddtlNtryInf"),
    )  # fmt: skip


def _reference(entry: Any, details: Any, wanted: str | None, *, batch: bool) -> str | None:
    """What identifies a transaction: the bank's proprietary reference, its own, else the servicer's."""
    proprietary = next(
        (_text(each, "Ref") for each in _children(details, "Refs/Prtry") if wanted and _text(each, "Tp") == wanted),
        None,
    )
    own = parse.reference(_text(details, "Refs/TxId")) or parse.reference(_text(details, "Refs/AcctSvcrRef"))
    return proprietary or own or (None if batch else parse.reference(_text(entry, "AcctSvcrRef")))


def _balance(node: Any) -> Balance | None:
    credit = _credit(node)
    amount = _money(node, "Amt", credit=credit) if credit is not None else None
    if amount is None:
        return None
    code = _text(node, "Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry") or "unknown"
    return Balance(
        kind=_BALANCES.get(code, code), amount=Amount(minor=amount.minor, currency=amount.currency),
        date=parse.date(_text(node, "Dt/Dt", "Dt/DtTm")),
    )  # fmt: skip
