"""The journey where a stack is found by its outputs alone, as on Azure: through the API, and tunnels to the banks.

API Management and `kubectl port-forward` are not here. In their places: a gateway that offers the operations of the
deployed API's document and leads them on as the deployed Ingress says, and a relay.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.commands import engine
from local.commands.environment import environment
from local.instance import REPOSITORY
from local.kubernetes.network import loopback
from stacks.apis import document
from tests.engine.deployment import Deployment

PREFIX = "/banking/v1"
KUBECTL = '''#!{python}
"""kubectl, but for port-forward, which the node agent refuses: a relay to where the Service is on this machine."""
import asyncio, os, subprocess, sys
given = sys.argv[1:]
if given[0] != "port-forward":
    os.execv({kubectl!r}, [{kubectl!r}, *given])
told = given[1:given.index("--address")]
service, port = given[-2], int(given[-1].removeprefix(":"))
wanted = ["get", service, "--output=jsonpath={{.spec.clusterIP}}"]
address = subprocess.run([{kubectl!r}, *told, *wanted], check=True, capture_output=True, text=True).stdout
async def copy(source, sink):
    while block := await source.read(65536):
        sink.write(block)
        await sink.drain()
    sink.close()
async def relay(reader, writer):
    there = await asyncio.open_connection("127." + address.split(".", 1)[1], port)
    await asyncio.gather(copy(reader, there[1]), copy(there[0], writer), return_exceptions=True)
async def main():
    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(f"Forwarding from 127.0.0.1:{{server.sockets[0].getsockname()[1]}} -> {{port}}", flush=True)
    await server.serve_forever()
asyncio.run(main())
'''


def offered(method: str, path: str) -> bool:
    """Whether the public API has such an operation."""
    for template, item in document()["paths"].items():
        if method.lower() in item and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return True
    return False


@contextmanager
def gateway(routes: dict[str, str]) -> Iterator[str]:
    """Base URL of a gateway for as long as it lasts. routes: base URL of a service by its paths' first segment."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _lead_on(self) -> None:
            path, _, query = self.path.removeprefix(PREFIX).partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.startswith(PREFIX) or not offered(self.command, path):
                return self._answer(404, {}, f"{self.command} {path} is no operation of the API".encode())
            url = f"{routes['/' + path.split('/')[1]]}{path}?{query}"
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = httpx.request(self.command, url, headers=headers, content=body, timeout=60)
            kind = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
            return self._answer(answer.status_code, kind, answer.content)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _lead_on

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def routes(deployed: Deployment) -> dict[str, str]:
    """Where the deployed Ingress leads to, by path."""
    variables = {**os.environ, **environment(deployed.instance)}
    command = [str(deployed.instance.bin / "kubectl"), "get", "ingress,services", "-n", "tributary", "-o", "json"]
    told = subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout
    items = json.loads(told)["items"]
    urls = {
        each["metadata"]["name"]: f"http://{loopback(each['spec']['clusterIP'])}:{each['spec']['ports'][0]['port']}"
        for each in items
        if each["kind"] == "Service"
    }
    [ingress] = [each for each in items if each["kind"] == "Ingress"]
    [rule] = ingress["spec"]["rules"]
    return {each["path"]: urls[each["backend"]["service"]["name"]] for each in rule["http"]["paths"]}


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_the_journey_is_made_through_the_public_api_and_tunnels_to_the_banks(
    deployed: Deployment, tmp_path: Path
) -> None:
    instance, kubectl, outputs = deployed.instance, tmp_path / "kubectl", tmp_path / "outputs.json"
    kubectl.write_text(KUBECTL.format(python=sys.executable, kubectl=str(instance.bin / "kubectl")))
    kubectl.chmod(0o755)
    arguments = ("stack", "output", "--json", "--show-secrets", "--stack", "local")
    told = json.loads(engine.pulumi(instance, *arguments, folder=deployed.folder))
    variables = {**os.environ, **environment(instance), "TRIBUTARY_STATE": str(instance.state)}
    variables["PATH"] = f"{tmp_path}{os.pathsep}{variables['PATH']}"
    del variables["KUBECONFIG"]  # the cluster is found by the stack's output
    with gateway(routes(deployed)) as api:
        outputs.write_text(json.dumps({**told, "api": api}))
        command = ["-m", "tests.end_to_end.journey", str(outputs), "--people", "made", "--through", "gateway"]
        done = subprocess.run(
            [sys.executable, *command], cwd=REPOSITORY, env=variables, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "Every service has erased it."
