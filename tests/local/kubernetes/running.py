"""A running control plane and node for tests."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import psutil
import yaml

from local.daemon import Daemon
from local.instance import Instance
from local.kubernetes.daemons import daemons, prepare
from tests import programs
from tests.local.kubernetes.registry import TestRegistry

_PREFIXES = {"deployment": "apis/apps/v1", "job": "apis/batch/v1"}
_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")

SERVER = '''
"""A small HTTP server: says what it was given, and can be made to fail."""
import http.server, json, os, signal, sys, urllib.parse
broken = set()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        if path.startswith("/file"):
            return self.answer(200, open(path[5:]).read())
        if path.startswith("/break/"):
            broken.add(path[7:])
            return self.answer(200, "")
        if path.startswith("/mend/"):
            broken.discard(path[6:])
            return self.answer(200, "")
        if path.startswith("/probe/"):
            good = path[7:] not in broken and self.headers.get("X-Probe", "yes") == "yes"
            return self.answer(200 if good else 500, "")
        seen = {"env": dict(os.environ), "argv": sys.argv, "uid": os.getuid(), "cwd": os.getcwd()}
        self.answer(200, json.dumps(seen))
    def answer(self, code, text):
        self.send_response(code); self.end_headers(); self.wfile.write(text.encode())
    def log_message(self, *_):
        print("asked for", self.path, flush=True)
def end(*_):
    print("ending well", flush=True); os._exit(0)
signal.signal(signal.SIGTERM, end)
print("serving", flush=True)
http.server.ThreadingHTTPServer((os.environ["POD_IP"], int(os.environ.get("PORT", "8080"))), Handler).serve_forever()
'''


def tools() -> dict[str, str]:
    """Programs of the control plane."""
    found = programs.needed(*_PROGRAMS)
    return {**{name: found[name] for name in _PROGRAMS}, "python": sys.executable}


class ControlPlane:
    """Everything that runs, and kubectl.

    registry: images are pushed there.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance, self.tools = instance, tools()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.daemons: dict[str, Daemon] = {}
        self.registry: Any = None

    def start(self, names: Sequence[str] = ()) -> None:
        """Start these daemons, or all, and wait until they are ready."""
        prepare(self.instance, self.tools)
        if not self.instance.ca_bundle.exists():
            shutil.copy(self.instance.ca_certificate, self.instance.ca_bundle)
        self.daemons = {
            each.name: each for each in daemons(self.instance, self.tools) if not names or each.name in names
        }
        for name, daemon in self.daemons.items():
            for other in daemon.after:
                self.await_ready(other)
            self.run(name)
        for name in self.daemons:
            self.await_ready(name)

    def furnish(self) -> None:
        """A registry with an image of the test server, and what the first pod needs."""
        self.registry = TestRegistry(self.instance)
        self.registry.start()
        self.api = self._client()
        self.image = self.registry.push("server", {"server.py": SERVER}, Entrypoint=["python", "server.py"])
        self.until(lambda: self.get("serviceaccount", "default"))

    def _client(self) -> httpx.Client:
        user = yaml.safe_load(self.instance.kubeconfig.read_text())["users"][0]["user"]
        certificate, key = self.instance.state / "test-admin.pem", self.instance.state / "test-admin.key"
        certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
        key.write_bytes(base64.b64decode(user["client-key-data"]))
        context = ssl.create_default_context(cafile=str(self.instance.ca_certificate))
        context.load_cert_chain(certificate, key)
        url = f"https://127.0.0.1:{self.instance.port('kube-apiserver')}"
        return httpx.Client(base_url=url, verify=context, timeout=10)

    def run(self, name: str) -> None:
        """Start a daemon (again)."""
        daemon = self.daemons[name]
        with (self.instance.logs / f"{name}.log").open("ab") as log:
            environment = {"PATH": os.environ["PATH"], "OF_THE_DAEMONS": "only", **daemon.environment}
            self.processes[name] = subprocess.Popen(
                daemon.argv, cwd=daemon.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """kill -9 of a daemon."""
        self.processes[name].kill()
        self.processes[name].wait()

    def await_ready(self, name: str) -> None:
        self.until(self.daemons[name].ready, what=f"{name} ready; see {self.instance.logs}")

    def stop(self) -> None:
        for name in reversed(self.processes):
            self.processes[name].send_signal(signal.SIGTERM if name == "node-agent" else signal.SIGKILL)
            self.processes[name].wait(30)
        if self.registry is not None:
            self.registry.stop()
        left = {each: _command(each) for each in psutil.process_iter()}
        left = {each: command for each, command in left.items() if str(self.instance.kubernetes) in command}
        for each in left:
            each.kill()
        assert not left, f"left behind: {list(left.values())}"

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Output of kubectl as the administrator."""
        command = [self.tools["kubectl"], "--kubeconfig", str(self.instance.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def follow(self, *arguments: str) -> subprocess.Popen[bytes]:
        """kubectl in the background, its output on a pipe."""
        command = [self.tools["kubectl"], "--kubeconfig", str(self.instance.kubeconfig), *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE)

    def commands(self, part: str) -> list[str]:
        """Command lines on this machine that contain a text."""
        return [line for each in psutil.process_iter() if part in (line := _command(each))]

    def apply(self, *documents: dict[str, Any]) -> None:
        """Server-side apply."""
        bundle = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(bundle))

    def get(self, kind: str, name: str = "", namespace: str = "default") -> Any:
        """An object, or a list without a name, straight from the API server; None when it is not there."""
        answer = self.api.get(f"/{_PREFIXES.get(kind, 'api/v1')}/namespaces/{namespace}/{kind}s/{name}".rstrip("/"))
        return answer.json() if answer.status_code == 200 else None

    def until(self, condition: Callable[[], Any], seconds: float = 30, what: str = "") -> Any:
        """Wait for a condition; its value."""
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what or condition}")
            time.sleep(0.1)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
