"""Services are found by a stack's outputs: over tunnels that kubectl holds, and under the API's one address."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.ways import WAYS, outputs_of

BANKS = ("bank-aurora", "bank-borealis", "bank-albion")
TOLD: dict[str, Any] = {
    "services": {name: f"http://10.96.0.{place}:8080" for place, name in enumerate(("account", *BANKS), 1)},
    "signIn": {"issuer": "https://tenant.example/v2.0", "audience": "api", "clientId": "app"},
    "api": "https://apim.example",
    "kubeconfig": "kind: Config",
}
KUBECTL = """#!{python}
import pathlib, sys, time
given = sys.argv[1:]
file = pathlib.Path(given[given.index("--kubeconfig") + 1])
assert file.read_text() == "kind: Config" and file.stat().st_mode & 0o077 == 0
pathlib.Path({log!r}).open("a").write(" ".join([*given[:1], *given[-2:]]) + "\\n")
if {fails}:
    sys.exit("error: unable to forward port")
print("Forwarding from 127.0.0.1:{port} -> 8080", flush=True)
time.sleep(600)
"""


class Bank(BaseHTTPRequestHandler):
    """Says under which address it was asked for."""

    def do_GET(self) -> None:
        body = f"{self.headers['Host']}{self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Bank) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, port: int) -> Path:
    """A kubectl that forwards to the bank of this test, or fails; the file of what it was asked."""
    log, program = tmp_path / "asked", tmp_path / "kubectl"
    fails = getattr(request, "param", False)
    program.write_text(KUBECTL.format(python=sys.executable, log=str(log), fails=fails, port=port))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return log


def test_a_banks_page_is_found_by_its_address_in_the_cluster(kubectl: Path, port: int) -> None:
    with WAYS["gateway"](TOLD) as way:
        seen = way.browser.get("http://10.96.0.2:8080/authorise?id=1")
        assert seen.text == "10.96.0.2:8080/authorise?id=1", "its links must lead there again"
        assert way.urls["bank-aurora"] == f"http://127.0.0.1:{port}"
    assert kubectl.read_text().splitlines() == [f"port-forward service/{each} :8080" for each in BANKS]


def test_apps_services_are_under_the_address_of_the_api(kubectl: Path) -> None:
    with WAYS["gateway"](TOLD) as way:
        assert way.urls["account"] == way.urls["privacy"] == "https://apim.example/banking/v1"
        assert "connector" not in way.urls, "the gateway does not offer it"


def test_without_the_gateway_each_service_has_a_tunnel(kubectl: Path, port: int) -> None:
    with WAYS["tunnels"](TOLD) as way:
        assert way.urls == dict.fromkeys(TOLD["services"], f"http://127.0.0.1:{port}")
        assert httpx.get(f"{way.urls['account']}/accounts").text == f"127.0.0.1:{port}/accounts"


@pytest.mark.parametrize("kubectl", [True], indirect=True)
def test_a_tunnel_that_kubectl_refuses_names_the_service(kubectl: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"kubectl forwards no port to service/account; it said ''"),
        WAYS["tunnels"](TOLD),
    ):
        pytest.fail("there is no way")


def test_outputs_that_are_hidden_or_missing_are_refused_with_the_command(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(TOLD))
    assert outputs_of(file) == TOLD
    file.write_text(json.dumps({**TOLD, "kubeconfig": "[secret]"}))
    with pytest.raises(ValueError, match=r"kubeconfig is hidden. What to do: pulumi stack output --json --show-secr"):
        outputs_of(file)
    file.write_text(json.dumps({name: value for name, value in TOLD.items() if name != "api"}))
    with pytest.raises(ValueError, match="the output api is missing"):
        outputs_of(file)
