"""One control plane and node for everything here that needs them: an API server takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.instance import Instance
from tests.conftest import _claim
from tests.local.kubernetes.running import ControlPlane


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd, API server, controller manager, scheduler, node agent and a test registry, running.

    On an instance of its own: the embedded Azure of other tests hands out other node identities.
    """
    folder = tmp_path_factory.mktemp("cluster")
    base, claim = _claim(folder)
    instance = Instance(folder, base)
    instance.keep()
    plane = ControlPlane(instance)
    try:
        plane.start()
        plane.furnish()
        yield plane
    finally:
        plane.stop()
        claim.close()
