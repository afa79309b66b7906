"""A person's way through a deployed stack, from signing up and consent to one history, until everything is erased.

``python -m tests.end_to_end.journey OUTPUTS`` makes it wherever the stack is; OUTPUTS: a file with what ``pulumi stack
output --json --show-secrets`` says of it.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.end_to_end.platform import PEOPLE, people_at
from tests.end_to_end.ways import WAYS, outputs_of
from tests.workloads.files import uploaded
from tests.workloads.platform import Platform
from workloads.services.privacy.domain import HOLDERS

T = TypeVar("T")
BANKS = ("aurora", "borealis", "albion")
"""The last one speaks UK Open Banking."""
_AWAKE = {"timezone": "UTC", "quiet_from": "00:00", "quiet_to": "00:00"}
_IBAN = "DE48500105170532013000"
"""One that the banks tell."""


def eventually(what: str, look: Callable[[], T | None], seconds: float = 90, pause: float = 0.3) -> T:
    """What a look shows as soon as it shows something."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(pause)
    return seen


def signed_up(platform: Platform, person: str) -> str:
    """The user's id; told of things at any hour."""
    user = platform.call(person, "user", "GET", "/profile")["id"]
    platform.call(person, "notification", "PUT", "/preferences", json=_AWAKE)
    return user


def connected(platform: Platform, person: str, banks: Collection[str] = BANKS) -> None:
    """The person's consent at each bank."""
    for bank in banks:
        assert platform.connect(person, bank)["status"] == "valid", bank


def read(platform: Platform, person: str, banks: Collection[str] = BANKS) -> int:
    """How many transactions came of it: each bank is read as soon as it is connected."""
    runs = platform.until_read(person, len(banks))
    failures = [each["failures"] for each in runs]
    assert not any(failures), f"failures of the first reading: {failures}"
    added = sum(each["added"] for each in runs)
    assert added > 200, f"{added} transactions were read"
    return added


def one_history(platform: Platform, person: str, added: int, banks: Collection[str] = BANKS) -> None:
    """One list of all banks, newest first, that a second synchronisation leaves as it is."""
    history = platform.history(person, limit=50)
    found = {each["bank"] for each in history}
    assert found == set(banks), f"the history is of {sorted(found)}"
    assert len(history) == added, f"{added} transactions were read, {len(history)} are listed"
    dates = [each["date"] for each in history]
    assert dates == sorted(dates, reverse=True), "the history is not sorted, newest first"
    before = platform.ledger(person)
    again = platform.synchronise(person)
    anew = [each["added"] for each in again["accounts"]]
    assert not any(anew), f"a second synchronisation added {anew}"
    assert platform.ledger(person) == before, "a second synchronisation changed the history"


def nothing_for(platform: Platform, stranger: str, person: str) -> None:
    """Somebody else sees nothing of it."""
    assert platform.history(stranger) == [], "somebody else has a history"
    some = platform.history(person)[0]["id"]
    platform.call(stranger, "transaction", "GET", f"/transactions/{some}", expect=404)


def told_of(platform: Platform, person: str) -> set[str]:
    """Kinds of the person's notifications."""
    listed = platform.call(person, "notification", "GET", "/notifications")["notifications"]
    return {each["kind"] for each in listed}


def used(platform: Platform, person: str, mark: str) -> dict[str, Any]:
    """A browser, a budget that is spent and told of, a file at a payment, a ticket; the file. mark: in all of them."""
    channel = {"endpoint": f"https://push.example/{mark}", "p256dh": "B" * 87, "auth": "A" * 22}
    browser = {"platform": "browser", "channel": channel}
    platform.call(person, "notification", "POST", "/devices", 201, json=browser)
    budget = {"name": mark, "categories": ["eating-out"], "currency": "EUR", "limit": 100, "start": "2026-01"}
    platform.call(person, "budget", "POST", "/budgets", 201, json=budget)
    eventually(
        "a budget that is spent is told of",
        lambda: "budget-threshold" in told_of(platform, person),
        platform.patience,
        platform.pause,
    )
    receipt = uploaded(platform, person, f"%PDF-1.7\n{_IBAN} {mark}".encode())
    payment = {"transaction_id": platform.history(person)[0]["id"]}
    attach = f"/documents/{receipt['id']}/transaction"
    assert platform.call(person, "document", "PUT", attach, json=payment)["transaction_id"] == payment["transaction_id"]
    platform.call(person, "help", "POST", "/tickets", 201, json={"subject": mark, "text": f"{mark}?"})
    return receipt


def taken_along(platform: Platform, person: str, receipt: dict[str, Any], mark: str, added: int) -> dict[str, Any]:
    """The export, which holds it all."""
    token = {"Authorization": f"Bearer {platform.issuer.token(person)}"}
    answer = httpx.get(f"{platform.urls['privacy']}/export", headers=token, timeout=60)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        parts = json.loads(archive.read("export.json"))
        assert mark.encode() in archive.read(f"documents/{receipt['id']}-{receipt['name']}")
    assert len(parts["transactions"]) == added, f"{len(parts['transactions'])} of {added} transactions are exported"
    named = {each["name"] for each in parts["budgets"]} | {each["subject"] for each in parts["tickets"]}
    assert named == {mark}, f"budgets and tickets are exported as {named}"
    devices = [each["platform"] for each in parts["devices"]]
    assert devices == ["browser"], f"{devices} are exported as devices"
    banks = {each["bank"] for each in parts["consents"]}
    assert banks == set(BANKS), f"consents of {sorted(banks)} are exported"
    return parts


def erased(platform: Platform, person: str) -> None:
    """Every service has erased, twice, and said so."""
    path = f"/erasures/{platform.call(person, 'privacy', 'POST', '/erasures', 202)['id']}"

    def receipt() -> dict[str, Any] | None:
        told = platform.call(person, "privacy", "GET", path)
        return told if told["completed"] else None

    done = eventually("every service has erased, twice", receipt, platform.patience, platform.pause)
    replied = {each["service"] for each in done["replies"]}
    assert replied == HOLDERS, f"only {sorted(replied)} have erased"
    elsewhere = {each["service"]: each["elsewhere"] for each in done["replies"] if each["round"] == 1}
    counted = tuple(elsewhere[each] for each in ("consent", "document", "notification"))
    assert counted == (len(BANKS), 1, 1), f"erased elsewhere: {elsewhere}"


def walk(platform: Platform, say: Callable[[str], None]) -> None:
    """The whole way. Raises AssertionError at the first step that is not as it should be."""
    person, stranger, mark = f"maria-{uuid.uuid4().hex[:8]}", f"ben-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    signed_up(platform, person)
    connected(platform, person)
    added = read(platform, person)
    say(f"{person} consented at {', '.join(BANKS)}: {added} transactions were read.")
    one_history(platform, person, added)
    say("One history of all banks; a second synchronisation changed nothing.")
    nothing_for(platform, stranger, person)
    say(f"{stranger} sees nothing of it.")
    receipt = used(platform, person, mark)
    taken_along(platform, person, receipt, mark, added)
    say("A budget was told of, a file attached, a ticket opened; the export holds it all.")
    erased(platform, person)
    say("Every service has erased it.")


def main() -> int:
    """Read the command line and walk the journey, saying each step."""
    parser = argparse.ArgumentParser(prog="python -m tests.end_to_end.journey", description=__doc__)
    parser.add_argument("outputs", type=Path, help="file with the stack's outputs as JSON, secrets shown")
    people = "who signs in: test users made on this machine's embedded Azure, or people in a browser"
    parser.add_argument("--people", choices=sorted(PEOPLE), required=True, help=people)
    way = "how the services are reached: tests/end_to_end/ways.py"
    parser.add_argument("--through", choices=sorted(WAYS), required=True, help=way)
    options = parser.parse_args()
    told = outputs_of(options.outputs)
    with people_at(told, PEOPLE[options.people](told), options.through) as platform:
        walk(platform, lambda text: print(text, flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
