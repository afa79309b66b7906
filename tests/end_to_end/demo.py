"""`make demo`: a person consents at two banks and sees one history. The same journey as the end-to-end test."""

from __future__ import annotations

import sys
import uuid
from typing import Any

from local.commands import engine
from local.instance import Instance
from tests.end_to_end.platform import person_at

_SHOWN = 12


def main() -> int:
    """Walk the journey on the platform that `make up` brought up, and say each step."""
    instance = Instance.load()
    person = f"anna-{uuid.uuid4().hex[:8]}"
    with person_at(instance, engine.outputs(instance)) as platform:
        print(f"{person} signs in at the tenant of this machine.")
        for bank in ("aurora", "borealis"):
            consent = platform.connect(person, bank)
            print(f"{person} consents at {bank}: {consent['status']}, to be confirmed by {consent['act_by'][:10]}.")
        added = sum(each["added"] for each in platform.until_read(person, 2))
        print(f"Both were read at once: {added} transactions.")
        again = platform.synchronise(person)
        print(f"Synchronised again, {len(again['accounts'])} accounts: {_added(again)} new.")
        history = platform.history(person)
        print(f"\nOne history of both banks, newest {_SHOWN} of {len(history)}:\n")
        for each in history[:_SHOWN]:
            print("  " + _line(each))
    return 0


def _added(result: dict[str, Any]) -> int:
    return sum(each["added"] for each in result["accounts"])


def _line(entry: dict[str, Any]) -> str:
    about = entry["counterparty"] or entry["remittance"] or ""
    money = f"{entry['decimal']:>12} {entry['currency']}"
    return f"{entry['date']}  {entry['bank']:<9} {money}  {entry['status']:<8} {about}"


if __name__ == "__main__":
    sys.exit(main())
