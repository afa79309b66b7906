"""Startup, readiness and liveness probes, with the kubelet's thresholds, periods and defaults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from local.kubernetes.network import loopback
from local.kubernetes.node.client import Object
from local.kubernetes.node.runtime import Process, StartError

_OUTPUT_BYTES = 1024


@dataclass(frozen=True)
class Outcome:
    """Whether a check succeeded and what it said."""

    success: bool
    message: str


class Checker:
    """Runs one check against a container.

    ports: the container's named ports. process: gives the running process, for exec.
    """

    def __init__(self, pod_ip: str, ports: Mapping[str, int], process: Callable[[], Process | None]) -> None:
        self.address, self.ports, self.process = loopback(pod_ip), ports, process

    async def check(self, action: Object, seconds: float) -> Outcome:
        """Run a probe's or hook's action: httpGet, tcpSocket or exec. seconds: how long it may take."""
        try:
            if "httpGet" in action:
                return await self._http(action["httpGet"], seconds)
            if "tcpSocket" in action:
                return await self._tcp(action["tcpSocket"], seconds)
            return await self._exec(action["exec"], seconds)
        except TimeoutError:
            return Outcome(False, f"timeout after {seconds:g}s")
        except (OSError, aiohttp.ClientError, StartError) as problem:
            return Outcome(False, f"{problem}")

    def _host(self, action: Object) -> str:
        host = str(action.get("host") or self.address)
        return loopback(host) if host.startswith("10.") else host

    def _port(self, given: str | int) -> int:
        if isinstance(given, int) or str(given).isdigit():
            return int(given)
        if given not in self.ports:
            raise OSError(f"port {given!r} is not one of the container's ports ({', '.join(self.ports) or 'none'})")
        return self.ports[str(given)]

    async def _http(self, action: Object, seconds: float) -> Outcome:
        scheme, path = action.get("scheme", "HTTP").lower(), action.get("path") or "/"
        path = path if path.startswith("/") else f"/{path}"
        url = f"{scheme}://{self._host(action)}:{self._port(action['port'])}{path}"
        headers = {"User-Agent": "kube-probe/1.34", "Accept": "*/*"}
        headers |= {each["name"]: each["value"] for each in action.get("httpHeaders") or ()}
        # Unverified, as by the kubelet: liveness, not trust.
        connector = aiohttp.TCPConnector(ssl=False, force_close=True)
        limit = aiohttp.ClientTimeout(total=seconds)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limit) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            if 200 <= answer.status < 400:
                return Outcome(True, "")
            return Outcome(False, f"HTTP probe failed with statuscode: {answer.status}")

    async def _tcp(self, action: Object, seconds: float) -> Outcome:
        connection = asyncio.open_connection(self._host(action), self._port(action["port"]))
        _, writer = await asyncio.wait_for(connection, seconds)
        writer.close()
        return Outcome(True, "")

    async def _exec(self, action: Object, seconds: float) -> Outcome:
        process = self.process()
        if process is None:
            return Outcome(False, "the container is not running")
        result = await process.execute(action["command"], seconds)
        text = result.output[:_OUTPUT_BYTES].decode(errors="replace")
        return Outcome(result.code == 0, text or f"exit code {result.code}")


async def watch(checker: Checker, probe: Object, report: Callable[[Outcome, bool], None]) -> None:
    """Repeat a probe for ever; cancel it.

    report: called with each outcome, and with True when the threshold of equal outcomes is reached.
    """
    await asyncio.sleep(probe.get("initialDelaySeconds", 0))
    thresholds = {True: probe.get("successThreshold", 1), False: probe.get("failureThreshold", 3)}
    period, timeout = probe.get("periodSeconds", 10), probe.get("timeoutSeconds", 1)
    loop = asyncio.get_running_loop()
    last, run = None, 0
    while True:
        begin = loop.time()
        outcome = await checker.check(probe, timeout)
        run = run + 1 if outcome.success == last else 1
        last = outcome.success
        report(outcome, run >= thresholds[outcome.success])
        await asyncio.sleep(max(period - (loop.time() - begin), 0.05))
