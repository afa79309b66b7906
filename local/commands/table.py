"""What is where: the endpoints of the embedded Azure, the stack's outputs, the services, and what took how long."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping

from local.commands import engine
from local.commands.environment import environment, tools
from local.instance import Instance
from local.kubernetes.network import loopback
from local.toolchain.progress import Progress

Row = tuple[str, str, str]
"""Kind, name, where."""


def rows(instance: Instance) -> list[Row]:
    """Every row of the table."""
    listed = instance.azure / "endpoints.json"
    endpoints = json.loads(listed.read_text()) if listed.exists() else {}
    found = [("Azure", name, url) for name, url in sorted(endpoints.items())]
    services = list(_services(instance))
    found += [("service", name, url) for name, _, url in services]
    addresses = {address for _, address, _ in services}
    outputs = sorted(_flat(engine.outputs(instance)))
    # A Service's address in the cluster is of no use outside it, where its row already says how it is reached.
    found += [("output", name, text) for name, text in outputs if not any(each in text for each in addresses)]
    return found


def _services(instance: Instance) -> Iterator[tuple[str, str, str]]:
    """Namespace and name of each Service with an address, that address, and its URL on this machine."""
    done = subprocess.run(
        [tools(instance)["kubectl"], "get", "services", "--all-namespaces", "--output=json"],
        env={**os.environ, **environment(instance)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"kubectl can't list the services: {done.stderr.strip()}")
    for each in json.loads(done.stdout)["items"]:
        address, meta = each["spec"].get("clusterIP"), each["metadata"]
        if address and address != "None" and meta["name"] != "kubernetes":
            for port in each["spec"].get("ports", ()):
                url = f"http://{loopback(address)}:{port['port']}"
                yield f"{meta['namespace']}/{meta['name']}", address, url


def _flat(outputs: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Outputs with their path and as text, e.g. ("signIn.audience", "api://…")."""
    for name, value in outputs.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value if isinstance(value, str) else json.dumps(value)


def as_text(instance: Instance, found: list[Row], progress: Progress) -> str:
    """The table as a person reads it, and the timings."""
    width = [max(map(len, column), default=0) for column in list(zip(*found, strict=True))[:2]]
    lines = [f"  {kind:<{width[0]}}  {name:<{width[1]}}  {where}" for kind, name, where in found]
    took = [f"  {name:<42} {seconds:7.1f} s" for name, seconds in progress.timings if seconds >= 0.05]
    return "\n".join(
        [
            "",
            *lines,
            "",
            *took,
            f"  {'total':<42} {progress.elapsed:7.1f} s",
            "",
            '  eval "$(make env)"   points pulumi, kubectl and Azure\'s clients at it',
            f"  logs: {instance.logs}",
            "",
        ]
    )


def as_json(found: list[Row], progress: Progress) -> str:
    """The same for programs."""
    listed = [{"kind": kind, "name": name, "where": where} for kind, name, where in found]
    seconds = {name: round(took, 3) for name, took in progress.timings}
    return json.dumps({"table": listed, "seconds": seconds, "total": round(progress.elapsed, 3)}, indent=1) + "\n"
