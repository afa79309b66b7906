"""The body of a consent request, in the form that a bank's profile names."""

from __future__ import annotations

import datetime
from typing import Any

from workloads.chassis.problems import Problem
from workloads.services.connector.profile import Profile

_LONGEST = datetime.date(9999, 12, 31)
"""Asks for the bank's maximum (XS2A Implementation Guidelines 1.3, section 6.3.1)."""


def consent_body(profile: Profile, accounts: list[dict[str, str]], today: datetime.date) -> dict[str, Any]:
    """The request's body. accounts: iban and currency of each account to list. today: at the bank.

    Raises Problem 422 when the bank wants accounts listed and none is given.
    """
    form = profile.consent
    if form.access == "accounts":
        if not accounts:
            raise Problem(422, "accounts-required", f"{profile.name} wants IBANs beforehand: list accounts.")
        references = [{name: each[name] for name in form.reference if each.get(name)} for each in accounts]
        access: dict[str, Any] = dict.fromkeys(form.scopes, references)
    elif form.access == "bankOffered":
        access = {scope: [] for scope in form.scopes}
    else:
        access = {form.access: form.everything}
    until = _LONGEST if form.valid_days is None else today + datetime.timedelta(days=form.valid_days)
    return {
        "access": access,
        "recurringIndicator": form.recurring,
        "validUntil": until.isoformat(),
        "frequencyPerDay": form.frequency,
        "combinedServiceIndicator": False,
        **form.body,
    }
