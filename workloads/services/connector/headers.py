"""The headers that tell the connector who asked."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from fastapi import Header

from workloads.chassis.calls import PSU_ADDRESS
from workloads.chassis.problems import Problem


def psu_address(psu_ip_address: Annotated[str | None, Header(description="of the person who asked")] = None) -> None:
    """A dependency: PSU-IP-Address, where it is given, is an address. Raises Problem 422.

    An empty one is none either: it would count as somebody who is there, and so past the quota.
    """
    try:
        if psu_ip_address is not None:
            ipaddress.ip_address(psu_ip_address)
    except ValueError:
        raise Problem(422, "invalid-request", f"{PSU_ADDRESS} is not an IP address.") from None
