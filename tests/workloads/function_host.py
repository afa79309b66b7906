"""What the Functions host does with the function app: finds its functions by their decorators, hands them messages."""

from __future__ import annotations

from functools import cache
from typing import Any

import azure.functions as func

from workloads.functions import function_app


@cache
def deployed() -> Any:
    """The one function, as the host's worker finds it: once, the library says no twice."""
    (found,) = function_app.app.get_functions()
    return found


def wake(body: bytes) -> None:
    """Hands a message's body to the function. Raises what it raises."""
    message = func.servicebus.ServiceBusMessage(
        body=body, message_id="1", application_properties={}, user_properties={}
    )
    deployed().get_user_function()(message)
