"""A service's process: the service as it is, signed in with a secret instead of a pod's projected token.

``python -m tests.bench.backend.process NAME``; the sandbox bank serves the bench's own books.
"""

from __future__ import annotations

import os
import runpy
import sys
from functools import cache

from azure.identity import ClientSecretCredential

from tests.bench.backend import books
from workloads.chassis import clock, credential

AUTHORITY, TENANT, CLIENT, SECRET = (f"BENCH_{each}" for each in ("AUTHORITY", "TENANT", "CLIENT", "SECRET"))
"""Environment: who the service is."""


@cache
def _credential() -> ClientSecretCredential:
    told = os.environ
    return ClientSecretCredential(
        told[TENANT], told[CLIENT], told[SECRET], authority=told[AUTHORITY], disable_instance_discovery=True,
        connection_verify=told["SSL_CERT_FILE"],
    )  # fmt: skip


def main(name: str) -> None:
    """Run the service of a package's name."""
    credential.credential = _credential  # type: ignore[assignment]  # before the service's modules take it from there
    if name == "bank_sandbox":
        from workloads.services.bank_sandbox import ledger

        ledger.dataset = books.dataset  # type: ignore[assignment]  # the function behind it is another, its use the same
        for account in books.dataset(books.BANK).accounts.values():
            ledger.balances(account, clock.today())  # the bank's books are written before anybody asks
    runpy.run_module(f"workloads.services.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
