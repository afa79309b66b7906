"""The Service Bus broker on an embedded Azure of its own, for a bench."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.azure.daemons import prepare
from local.instance import Instance
from tests.conftest import _claim
from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.servicebus.conftest import RunningBroker


@contextmanager
def broker_alone() -> Iterator[tuple[Embedded, RunningBroker]]:
    """Both, running; stopped and gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        base, claim = _claim(Path(folder))
        instance = Instance(Path(folder), base)
        instance.keep()
        prepare(instance, {})
        embedded = Embedded(instance)
        broker = RunningBroker(instance)
        try:
            yield embedded, broker
        finally:
            broker.stop()
            embedded.stop()
            claim.close()
