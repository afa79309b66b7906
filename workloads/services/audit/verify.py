"""The operator's command: whether the audit trail is as it was written.

    python -m workloads.services.audit.verify

Told the database by DATABASE_URL, as the service is. Ends with 0 when the chain holds, with 1 and where when not.
"""

from __future__ import annotations

import os
import sys

from workloads.chassis.database import Database
from workloads.chassis.settings import DataSettings, SettingsError
from workloads.services.audit import store


def main() -> int:
    """Verify and say so."""
    try:
        settings = DataSettings.load(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    database = Database(settings.database_url, settings.ssl_cert_file)
    with database.session() as session:
        length, broken = store.verify(session)
    database.close()
    if broken:
        print(f"The audit trail does not hold at entry {broken.number}: {broken.reason}.")
        return 1
    print(f"The audit trail holds: {length} entries.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
