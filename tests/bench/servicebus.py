"""Measures the Service Bus broker: events a second, time from creation to handler, memory.

``python -m tests.bench.servicebus [--rate N] [--seconds N]``, or ``make bench-broker``. Through the chassis' event bus:
one process publishes as a relay does (what is due, in one batch), another receives and completes, one by one.
Exits with 1 when the broker misses the promise of 200 events a second with a 99th percentile below 250 ms.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import uuid
from multiprocessing.synchronize import Event as ProcessEvent

import psutil

from tests.bench.broker import broker_alone
from tests.local.azure.dataplanes.conftest import Embedded
from tests.local.azure.dataplanes.servicebus.conftest import OWNER, RunningBroker
from workloads.chassis.events.bus import ServiceBus
from workloads.chassis.events.envelope import Event

_PROMISED_RATE, _PROMISED_MS = 200, 250
_RECEIVERS = 1
_TOPIC, _SUBSCRIPTION = "events", "account"
_SENT = "sent"


def _publish(bus: ServiceBus, rate: float, seconds: float) -> None:
    """Events at an even rate: all that are due go out together, as from an outbox."""
    bus.publish([_event(0)])  # its connection is open from here on, as a running service's is
    start, done, total = time.time(), 0, int(rate * seconds)
    while done < total:
        due = min(total, int((time.time() - start) * rate))
        if due == done:
            time.sleep(0.002)
            continue
        bus.publish([_event(start + number / rate) for number in range(done, due)])
        done = due
    bus.close()


def _event(sent: float) -> Event:
    return Event.new("transaction", "transactions.imported", uuid.uuid4(), {_SENT: sent, "text": "x" * 500})


def _receive(bus: ServiceBus, stop: ProcessEvent, results: multiprocessing.Queue[list[tuple[float, float]]]) -> None:
    """When each event was made and when it came, each completed before the next."""
    times: list[tuple[float, float]] = []
    receiver = bus.receiver(_SUBSCRIPTION)
    while not stop.is_set():
        for delivery in receiver.receive(50, 5.0):
            if sent := Event.decode(delivery.body).data[_SENT]:
                times.append((sent, time.time()))
            delivery.complete()
    results.put(times)
    receiver.close()
    bus.close()


def _pss(process: psutil.Process) -> float:
    """Megabytes that a process has for itself, and its share of the rest."""
    return getattr(process.memory_full_info(), "pss", float("nan")) / 2**20  # Linux tells, macOS does not


def measure(embedded: Embedded, broker: RunningBroker, rate: float, seconds: float) -> bool:
    """Run, print, and say whether the promise was kept."""
    process = psutil.Process(broker.process.pid)
    print(f"idle, nothing deployed: {_pss(process):.0f} MB PSS")
    namespace = embedded.put(
        "Microsoft.ServiceBus/namespaces", f"sb-{uuid.uuid4().hex[:8]}", {"sku": {"name": "Standard"}}
    )
    for kind, path in (("topics", _TOPIC), ("topics/subscriptions", f"{_TOPIC}/{_SUBSCRIPTION}")):
        body = {"properties": {"requiresDuplicateDetection": True} if kind == "topics" else {}}
        embedded.put(f"Microsoft.ServiceBus/namespaces/{kind}", f"{namespace.name}/{path}", body)
    owner = embedded.identity((OWNER, namespace.id))
    endpoint = str(namespace.properties["serviceBusEndpoint"])
    os.environ["SSL_CERT_FILE"] = str(embedded.instance.ca_bundle)

    def bus() -> ServiceBus:
        return ServiceBus(endpoint, _TOPIC, owner.credential)

    context = multiprocessing.get_context("fork")
    stop, results = context.Event(), context.Queue()
    receivers = [context.Process(target=_receive, args=(bus(), stop, results)) for _ in range(_RECEIVERS)]
    for each in receivers:
        each.start()
    time.sleep(3)
    before = process.cpu_times()
    publisher = context.Process(target=_publish, args=(bus(), rate, seconds))
    publisher.start()
    publisher.join()
    time.sleep(2)
    stop.set()
    times = [each for _ in receivers for each in results.get(timeout=30)]
    for each in receivers:
        each.join(10)
    after = process.cpu_times()
    busy = (after.user + after.system - before.user - before.system) / seconds
    delays = sorted(1000 * (came - made) for made, came in times) or [float("inf")]
    p50, p95, p99 = (delays[int(len(delays) * share)] for share in (0.5, 0.95, 0.99))
    reached = len(times) / (max(came for _, came in times) - min(made for made, _ in times)) if times else 0
    print(f"events: {len(times)} of {int(rate * seconds)} came, {reached:.0f} a second")
    print(f"created → handler: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms")
    print(f"broker under load: {busy * 100:.0f} % of a core, {_pss(process):.0f} MB PSS; load {os.getloadavg()[0]:.1f}")
    return len(times) == int(rate * seconds) and reached > 0.95 * min(rate, _PROMISED_RATE) and p99 < _PROMISED_MS


def main() -> int:
    """Read the command line and measure, on an embedded Azure of its own."""
    parser = argparse.ArgumentParser(prog="make bench-broker", description=__doc__)
    parser.add_argument("--rate", type=float, default=_PROMISED_RATE, help="events a second (default 200)")
    parser.add_argument("--seconds", type=float, default=20, help="how long (default 20)")
    options = parser.parse_args()
    with broker_alone() as (embedded, broker):
        kept = measure(embedded, broker, options.rate, options.seconds)
    print("kept" if kept else f"MISSED: {_PROMISED_RATE} events a second with p99 below {_PROMISED_MS} ms")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
