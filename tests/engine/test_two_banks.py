"""From consent at two banks to one history, on the platform as it was brought up: pods, identities, data planes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator

import httpx
import psutil
import pytest

from local.commands.environment import environment
from local.instance import REPOSITORY, Instance
from stacks.services import deployed as deployed_services
from tests.end_to_end import journey
from tests.end_to_end.platform import person_at
from tests.engine.deployment import Deployment
from tests.workloads.platform import Platform

TWO = ("aurora", "borealis")
SERVICES = tuple(each.name for each in deployed_services(sandbox_banks=True))
SYNCHRONISING = {"account", "bank-aurora", "bank-borealis", "connector", "consent", "transaction"}
"""Those that one synchronisation calls; the others hear of it by events."""


@pytest.fixture(scope="module")
def platform(deployed: Deployment) -> Iterator[Platform]:
    """The running platform from a person's side."""
    with person_at(deployed.instance, deployed.outputs("local")) as seen:
        yield seen


@pytest.fixture(scope="module")
def anna(platform: Platform) -> str:
    """A person with consents at both banks, which were read as soon as they were connected."""
    person = f"anna-{uuid.uuid4().hex[:8]}"
    journey.connected(platform, person, TWO)
    platform.until_read(person, 2)
    return person


def kubectl(instance: Instance, *arguments: str) -> str:
    """What kubectl prints for the person who brought the platform up."""
    program = [str(instance.bin / "kubectl"), *arguments]
    return subprocess.run(
        program, env={**os.environ, **environment(instance)}, check=True, capture_output=True, text=True
    ).stdout


def test_one_history_of_two_banks_sorted_and_the_same_when_synchronised_twice(platform: Platform, anna: str) -> None:
    journey.one_history(platform, anna, journey.read(platform, anna, TWO), TWO)


def test_somebody_else_sees_nothing_of_it(platform: Platform, anna: str) -> None:
    platform.synchronise(anna)
    journey.nothing_for(platform, f"ben-{uuid.uuid4().hex[:8]}", anna)


def test_a_killed_service_answers_again_within_ten_seconds(deployed: Deployment, platform: Platform, anna: str) -> None:
    platform.synchronise(anna)
    victims = [each for each in psutil.process_iter(["cmdline"]) if _is_transaction(each, deployed.instance)]
    assert victims, "no process of the transaction service was found"
    for each in victims:
        each.kill()
    began = time.monotonic()
    while True:
        try:
            if platform.history(anna):
                break
        except (AssertionError, httpx.TransportError):
            assert time.monotonic() - began < 10, "the transaction service did not come back within 10 s"
        time.sleep(0.1)


def _is_transaction(process: psutil.Process, instance: Instance) -> bool:
    command = process.info["cmdline"] or []
    if "workloads.services.transaction" not in command:
        return False
    try:
        return str(instance.state) in str(process.environ().get("SSL_CERT_FILE"))
    except psutil.Error:  # another person's, or gone
        return False


def test_every_service_runs_under_its_own_identity(deployed: Deployment) -> None:
    pods = json.loads(kubectl(deployed.instance, "get", "pods", "-n", "tributary", "-o", "json"))["items"]
    running = [each for each in pods if each["status"]["phase"] == "Running"]
    assert {each["metadata"]["labels"]["app.kubernetes.io/name"] for each in running} == set(SERVICES)
    clients = {
        variable["value"]
        for each in running
        for variable in each["spec"]["containers"][0]["env"]
        if variable["name"] == "AZURE_CLIENT_ID"
    }
    assert len(clients) == len(SERVICES)


def test_the_logs_hold_no_account_number_and_no_token(deployed: Deployment, platform: Platform, anna: str) -> None:
    platform.synchronise(anna)
    accounts = platform.call(anna, "account", "GET", "/accounts")["accounts"]
    assert accounts
    for service in SERVICES:
        log = kubectl(deployed.instance, "logs", "-n", "tributary", f"deployment/{service}", "--tail=-1")
        assert log.strip(), f"{service} has logged nothing"
        for secret in ("DE48500105170532013000", "DE12500105170648489890", platform.issuer.token(anna)):
            assert secret not in log, f"{service} logs what it must not"


def test_a_synchronisation_is_one_operation_over_all_services_in_application_insights(
    deployed: Deployment, platform: Platform, anna: str
) -> None:
    command = [sys.executable, "-m", "local.azure.dataplanes.traces", "--state", str(deployed.instance.state)]
    until = time.monotonic() + 120
    while True:
        platform.synchronise(anna)  # a service that was just started takes seconds until its telemetry is on
        told = subprocess.run([*command, "--last", "5000", "--json"], cwd=REPOSITORY, capture_output=True, text=True)
        roles: dict[str, set[str]] = defaultdict(set)
        for item in map(json.loads, told.stdout.splitlines()):
            roles[item["operation"]].add(item["role"])
        if any(each >= SYNCHRONISING for each in roles.values()):
            return
        assert time.monotonic() < until, f"no operation reaches all of them: {sorted(map(sorted, roles.values()))[-5:]}"
        time.sleep(0.5)
