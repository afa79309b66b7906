"""What the Functions host loads: the functions and their triggers (Python programming model v2)."""

from __future__ import annotations

import logging
import os
import threading
from functools import cache

import azure.functions as func

from workloads.chassis.credential import credential
from workloads.chassis.events.bus import ServiceBus
from workloads.chassis.events.catalogue import TOPIC
from workloads.functions import uploads

app = func.FunctionApp()
_turn = threading.Lock()
"""Functions run in threads; a bus has one publisher."""


@cache
def bus() -> ServiceBus:
    """The platform's event bus, SERVICE_BUS_HOST, entered as the app's identity."""
    return ServiceBus(os.environ["SERVICE_BUS_HOST"], TOPIC, credential())


@app.function_name("uploads")
@app.service_bus_queue_trigger(arg_name="message", queue_name="%BlobEventsQueue%", connection="BlobEvents")
def tell_of_upload(message: func.ServiceBusMessage) -> None:
    """Tells of a file once its time of grace is over.

    Whatever is raised has the message delivered again, and put aside in the end: an alert tells of that.
    """
    event = uploads.told(message.get_body())
    with _turn:
        bus().publish_at(event, event.time + uploads.GRACE)
    logging.info("a stored file will be told of: event %s", event.id)
