"""The operator's command: whether the audit trail is as it was written.

    python -m workloads.services.audit.verify
    python -m workloads.services.audit.verify <number> <digest>

Told the database by DATABASE_URL, as the service is. Ends with 0 when the chain holds, with 1 and where when not.
It prints the number and the digest of the last entry: noted where nobody who can write the database can write, and
given to a later run, they show that the trail was not cut at its end, written anew, or restored from before.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence

from workloads.chassis import command
from workloads.chassis.database import Database
from workloads.chassis.settings import DataSettings, SettingsError
from workloads.services.audit import store
from workloads.services.audit.domain import End


def _noted(arguments: Sequence[str]) -> End | None:
    parser = argparse.ArgumentParser(prog="python -m workloads.services.audit.verify", description=__doc__)
    parser.add_argument("number", type=int, nargs="?", help="of the entry that was the last one when it was noted")
    parser.add_argument("digest", nargs="?", help="of that entry: 64 hexadecimal digits")
    asked = parser.parse_args(arguments)
    if asked.number is None:
        return None
    if asked.number < 1 or not re.fullmatch("[0-9a-f]{64}", asked.digest or ""):
        parser.error("an entry's number is 1 or more, and its digest has 64 hexadecimal digits, as this command prints")
    return End(asked.number, asked.digest)


def main(arguments: Sequence[str]) -> int:
    """Verify and say so."""
    noted = _noted(arguments)
    try:
        settings = DataSettings.load(os.environ)
    except SettingsError as error:
        return command.refuse(error)
    database = Database(settings.database_url, settings.ssl_cert_file)
    with database.session() as session:
        end = store.end(session)
        broken = store.verify(session, end, noted)
    database.close()
    if broken:
        return command.say((1, f"The audit trail does not hold at entry {broken.number}: {broken.reason}."))
    return command.say((0, f"The audit trail holds: {end.number} entries. The last one is {end.number} {end.digest}"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
