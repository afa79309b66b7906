"""What the sandbox banks tell of people: IBANs, names and texts that must be nowhere but in their owners' own data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

_DATASETS = Path(__file__).resolve().parents[2] / "workloads" / "services" / "bank_sandbox" / "datasets"
_SHORTEST = 10
"""Shorter single words ("Resa", "Interest") are no sign of a leak: they stand in other words and texts."""


def _of(bank: dict[str, Any]) -> Iterator[str]:
    for account in bank["accounts"].values():
        yield account["owner"]
        yield account["iban"]
        yield account["name"]
        for series in account["series"]:
            yield from (series["party"], series["text"], series.get("iban", ""), series.get("uk_number", ""))


def ibans() -> set[str]:
    """Every account number there is, as it is spelled: the persons' own, those of whom they pay, those in texts."""
    return {
        each[0]
        for word in words()
        for each in re.finditer("[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?", word)
    }


def uk_numbers() -> set[str]:
    """Every sort code and account number there is: of whom the persons pay, and those within their own IBANs."""
    alone = {word for word in words() if word.isdigit()}
    return alone | {each[-14:] for each in ibans() if each.startswith("GB")}


def words() -> set[str]:
    """Every name, text and account number that the banks tell; banks themselves may be named."""
    banks = [yaml.safe_load(each.read_text()) for each in sorted(_DATASETS.glob("*.yaml"))]
    told = {word for bank in banks for word in _of(bank)} - {bank["name"] for bank in banks}
    return {each for each in told if " " in each or len(each) >= _SHORTEST}


def spelled(texts: Iterable[str]) -> set[str]:
    """The texts as they may stand in a file: as they are, and as JSON escapes them."""
    return {form for each in texts for form in (each, json.dumps(each)[1:-1])}
