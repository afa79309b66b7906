"""The operator's command after a backup was restored: erase again everyone who was erased, before it serves.

    python -m workloads.services.privacy.reapply

Told the database by DATABASE_URL, as the service is. The privacy service's own database must be newer than the backup.
"""

from __future__ import annotations

import os
import sys

from workloads.chassis.database import Database
from workloads.chassis.settings import DataSettings, SettingsError
from workloads.services.privacy import store


def main() -> int:
    """Ask every service again, for every erasure there was."""
    try:
        settings = DataSettings.load(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    database = Database(settings.database_url, settings.ssl_cert_file)
    with database.session() as session:
        found = store.every(session)
        for each in found:
            store.again(session, each)
    database.close()
    print(f"{len(found)} erasures are applied again. Serve when each of them is completed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
