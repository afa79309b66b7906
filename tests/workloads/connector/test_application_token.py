"""A token of our own that a bank refuses is replaced, though the bank never said that it would end."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest

from tests.workloads.connector.test_bank_clock import CONTEXT, OAUTH
from workloads.chassis.calls import trust
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.oauth import AuthorizationServer
from workloads.services.connector.transport import Transport


class Bank:
    """Gives tokens one after the other, and takes those alone that a test names."""

    def __init__(self) -> None:
        self.given, self.takes = 0, {"T1"}
        self.transport = Transport(OAUTH, None, trust(None))
        self.transport._http = httpx.Client(transport=httpx.MockTransport(self))
        self.token = partial(AuthorizationServer(OAUTH, self.transport).application_token, CONTEXT)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if urlsplit(str(request.url)).path.endswith("/t"):
            self.given += 1
            return httpx.Response(200, json={"access_token": f"T{self.given}"})
        taken = request.headers["Authorization"].removeprefix("Bearer ") in self.takes
        return httpx.Response(200 if taken else 401, json={"accounts": []})


def test_a_token_that_is_refused_is_replaced_and_kept() -> None:
    bank = Bank()
    for _ in range(2):
        bank.transport.ask("accounts", CONTEXT, token=bank.token)
    assert bank.given == 1
    bank.takes = {"T2"}
    for _ in range(2):
        bank.transport.ask("accounts", CONTEXT, token=bank.token)
    assert bank.given == 2


def test_a_bank_that_refuses_whatever_it_gives_is_asked_twice_and_no_more() -> None:
    bank = Bank()
    bank.takes = set()
    with pytest.raises(BankFailure):
        bank.transport.ask("accounts", CONTEXT, token=bank.token)
    assert bank.given == 2
