"""Ways: how the services of a deployed stack are reached from here, told by the stack's outputs.

loopback: the embedded Azure's Services are addresses of this machine. tunnels: kubectl forwards a port to each Service.
gateway: the API that apps use, and tunnels to the sandbox banks, whose pages a person sees and no gateway offers.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.kubernetes.network import loopback
from local.pki import write_private
from stacks.aggregator import NAMESPACE
from stacks.apis import PATH
from stacks.environment import PORT
from stacks.services import SANDBOX_BANKS, SERVICES

Outputs = Mapping[str, Any]
"""What ``pulumi stack output --json --show-secrets`` says of a stack."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """Base URLs by service, and a browser for the banks' pages. pause: seconds between two looks at a state.

    patience: seconds that a state may take.
    """

    urls: dict[str, str]
    browser: httpx.Client
    pause: float = 0.1
    patience: float = 90


class _Tunnelled(httpx.HTTPTransport):
    """Connects elsewhere than a URL says: banks write their address in the cluster into their links."""

    def __init__(self, elsewhere: Mapping[str, str]) -> None:
        super().__init__()
        self._elsewhere = {httpx.URL(there).netloc: httpx.URL(here) for there, here in elsewhere.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        here = self._elsewhere.get(request.url.netloc)
        if here is not None:  # the header Host stays: the bank makes its links of it
            request.url = request.url.copy_with(host=here.host, port=here.port)
        return super().handle_request(request)


@contextmanager
def _over_loopback(told: Outputs) -> Iterator[Way]:
    with httpx.Client(follow_redirects=False, timeout=10) as browser:
        yield Way(urls={name: _here(url) for name, url in told["services"].items()}, browser=browser)


def _here(url: str) -> str:
    """A Service's address as it is reached on this machine, from its address in the cluster."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{loopback(str(parts.hostname))}:{parts.port}"


@contextmanager
def _through_tunnels(told: Outputs) -> Iterator[Way]:
    with _tunnels(told, told["services"]) as urls, _browser(told, urls) as browser:
        yield Way(urls=urls, browser=browser, pause=1, patience=600)


@contextmanager
def _through_gateway(told: Outputs) -> Iterator[Way]:
    """Looks seldom: the gateway allows a person so many calls a minute."""
    banks = [each.name for each in SANDBOX_BANKS if each.name in told["services"]]
    api = f"{told['api']}/{PATH}/v1"
    with _tunnels(told, banks) as tunnels, _browser(told, tunnels) as browser:
        public = {each.name: api for each in SERVICES if each.public}
        yield Way(urls=public | tunnels, browser=browser, pause=1, patience=600)


@contextmanager
def _browser(told: Outputs, tunnels: Mapping[str, str]) -> Iterator[httpx.Client]:
    elsewhere = {told["services"][name]: url for name, url in tunnels.items()}
    with httpx.Client(follow_redirects=False, timeout=30, transport=_Tunnelled(elsewhere)) as browser:
        yield browser


@contextmanager
def _tunnels(told: Outputs, names: Mapping[str, str] | list[str]) -> Iterator[dict[str, str]]:
    """Base URLs here of Services of the stack's cluster, for as long as it lasts. Raises RuntimeError."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        kubeconfig = Path(folder) / "kubeconfig"
        write_private(kubeconfig, told["kubeconfig"].encode())
        yield {name: stack.enter_context(_tunnel(name, kubeconfig)) for name in names}


@contextmanager
def _tunnel(service: str, kubeconfig: Path) -> Iterator[str]:
    where = ("--kubeconfig", str(kubeconfig), "--namespace", NAMESPACE)
    command = ("kubectl", "port-forward", *where, "--address", "127.0.0.1", f"service/{service}", f":{PORT}")
    # Its complaints go where ours go: a pipe that nobody reads would fill.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            if not said.startswith("Forwarding from 127.0.0.1:"):
                raise RuntimeError(f"kubectl forwards no port to service/{service}; it said {said!r} (see above).")
            yield f"http://{said.split()[2]}"
        finally:
            process.terminate()


WAYS: Mapping[str, Callable[[Outputs], Any]] = {
    "loopback": _over_loopback,
    "tunnels": _through_tunnels,
    "gateway": _through_gateway,
}


def outputs_of(file: Path) -> Outputs:
    """The outputs that a file keeps. Raises ValueError where one that is needed is missing or hidden."""
    told = json.loads(file.read_text())
    for name in ("services", "signIn", "api", "kubeconfig"):
        if not told.get(name) or told[name] == "[secret]":
            raise ValueError(
                f"{file}: the output {name} is {'hidden' if name in told else 'missing'}. What to do: pulumi stack "
                "output --json --show-secrets, of a stack that is up."
            )
    return told
