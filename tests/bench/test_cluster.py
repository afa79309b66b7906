"""What the bench says of a deployment's objects: just what the engine waits for."""

from __future__ import annotations

from typing import Any, cast

from local.plugins.kubernetes import readiness
from local.plugins.kubernetes.cluster import Cluster
from tests.bench import cluster

NOBODY = cast(Cluster, None)  # neither check asks for anything else
OBJECT: dict[str, Any] = {"metadata": {"generation": 1}, "spec": {"replicas": 3}}


def test_a_deployment_isrolled_out_when_it_is_said_to_be() -> None:
    assert readiness.deployment(NOBODY, OBJECT) == "waiting for the deployment controller"
    assert readiness.deployment(NOBODY, OBJECT | {"status": cluster.rolled_out(OBJECT)}) == ""


def test_a_job_iscomplete_when_it_is_said_to_be() -> None:
    assert readiness.job(NOBODY, OBJECT) == "0 pods running, 0 failed"
    assert readiness.job(NOBODY, OBJECT | {"status": cluster.complete(OBJECT)}) == ""
