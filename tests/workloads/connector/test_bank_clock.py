"""A bank whose clock is not ours is told the time by its own clock; nothing is dated at another's will."""

from __future__ import annotations

import datetime
import json
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.workloads.connector.test_bad_banks import Memory
from tests.workloads.connector.test_id_token import EC, EXPECTED, KEYS, claims
from tests.workloads.connector.test_profile import bank
from tests.workloads.connector.test_signature import SEAL
from workloads.chassis import clock
from workloads.chassis.calls import trust
from workloads.services.connector import assertion, id_token, parse
from workloads.services.connector.bank_clock import BankClock
from workloads.services.connector.berlin_group import BerlinGroupBank
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.oauth import AuthorizationServer
from workloads.services.connector.port import Context, Progress, Step
from workloads.services.connector.transport import Transport

SECOND, DAY = datetime.timedelta(seconds=1), datetime.timedelta(days=1)
CONTEXT = Context(values={"redirect_uri": "https://app.example/back"}, psu_address=None, ledger=Memory())


def header(ahead: datetime.timedelta) -> str:
    return format_datetime(clock.now() + ahead, usegmt=True)


def told(ahead: datetime.timedelta) -> BankClock:
    found = BankClock("skewed")
    found.tell(header(ahead))
    return found


@given(st.timedeltas(-7 * DAY + SECOND, 7 * DAY - SECOND).filter(lambda each: abs(each) > 32 * SECOND))
def test_the_banks_time_is_followed_within_a_week(ahead: datetime.timedelta) -> None:
    assert abs(told(ahead).now() - clock.now() - ahead) < 5 * SECOND


@given(
    st.timedeltas(-28 * SECOND, 28 * SECOND) | st.timedeltas(8 * DAY, 9000 * DAY) | st.timedeltas(-9000 * DAY, -8 * DAY)
)
def test_a_few_seconds_are_the_way_of_an_answer_and_years_are_no_clock(ahead: datetime.timedelta) -> None:
    assert abs(told(ahead).now() - clock.now()) < 5 * SECOND


@given(st.text(max_size=40) | st.none())
def test_a_date_that_is_none_changes_nothing(text: str | None) -> None:
    found = told(DAY)
    found.tell(text)
    assert abs(found.now() - clock.now() - DAY) < 5 * SECOND


def test_a_bank_that_mends_its_clock_is_told_ours_again() -> None:
    found = told(DAY)
    found.tell(header(datetime.timedelta()))
    assert abs(found.now() - clock.now()) < 5 * SECOND


class Skewed:
    """A bank behind a transport: it answers with its own Date, and remembers what it was asked."""

    def __init__(self, ahead: datetime.timedelta, status: int = 200, body: Any = None) -> None:
        self.ahead, self.status, self.body, self.asked = ahead, status, body or {}, list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(self.status, json=self.body, headers={"Date": header(self.ahead)})

    def put_behind(self, transport: Transport) -> Transport:
        transport._http = httpx.Client(transport=httpx.MockTransport(self))
        return transport


OAUTH = bank(oauth={"client_id": "us", "authorization_endpoint": "/a", "token_endpoint": "/t"})
PROGRESS = Progress(step=Step(kind="oauth"), server=("https://h/a", "https://h/t"))
TOKENS = Skewed(DAY)
SERVER = AuthorizationServer(OAUTH, TOKENS.put_behind(Transport(OAUTH, None, trust(None))))


@pytest.mark.parametrize("hours", [-50, -1, 1, 50])
def test_a_signed_request_has_the_date_that_the_bank_takes_for_now(hours: int) -> None:
    ahead = datetime.timedelta(hours=hours)
    skewed = Skewed(ahead, body={"accounts": []})
    transport = skewed.put_behind(Transport(bank(signature={"use": "always"}), None, trust(None), SEAL))
    for _ in range(2):
        transport.ask("accounts", CONTEXT)
    first, second = (parsedate_to_datetime(each.headers["Date"]) for each in skewed.asked)
    assert abs(second - first - ahead) < 5 * SECOND


@pytest.mark.parametrize("days", [-3, 3])
def test_a_consent_and_a_read_end_on_a_day_that_the_bank_has(days: int) -> None:
    made = bank(consent={"valid_days": 90})
    adapter = BerlinGroupBank(made, Transport(made, None, trust(None)))
    skewed = Skewed(days * DAY, body={"accounts": []})
    skewed.put_behind(adapter._transport)
    adapter.accounts(CONTEXT)
    assert abs(adapter.today - clock.today() - days * DAY) <= DAY
    with pytest.raises(BankFailure):
        adapter.start(CONTEXT, [{"iban": "DE89370400440532013000"}])
    until = datetime.date.fromisoformat(json.loads(skewed.asked[-1].content)["validUntil"])
    assert until == adapter.today + 90 * DAY


@pytest.mark.parametrize("hours", [-49, 0, 49])
def test_an_assertion_and_an_id_token_hold_by_the_banks_clock(hours: int) -> None:
    now = told(datetime.timedelta(hours=hours)).now()
    there = int(now.timestamp())
    read = jwt.decode(assertion.jws(SEAL, {}, now), RSAKey.import_key(SEAL.key), algorithms=["PS256"])
    jwt.JWTClaimsRegistry(there, iat={"essential": True}, exp={"essential": True}).validate(read.claims)
    jwt.JWTClaimsRegistry(there - 25).validate(read.claims)  # a clock a little behind takes it, too
    made = jwt.encode({"alg": "ES256", "kid": "ec"}, claims(iat=there, exp=there + 300), EC, ["ES256"])
    id_token.check(made, KEYS, EXPECTED, now)
    if hours:
        with pytest.raises(BankFailure):
            id_token.check(made, KEYS, EXPECTED, clock.now() - datetime.timedelta(hours=hours))


@pytest.mark.parametrize(
    ("error", "kind"),
    [("invalid_grant", "consent-invalid"), ("invalid_client", "bank-unauthorized"), (None, "consent-invalid"),
     ("unauthorized_client", "bank-unauthorized")],
)  # fmt: skip
def test_a_bank_that_takes_our_assertion_for_too_old_has_not_ended_the_consent(error: str | None, kind: str) -> None:
    refusing = Skewed(DAY, 400, {"error": error} if error else {})
    server = AuthorizationServer(OAUTH, refusing.put_behind(Transport(OAUTH, None, trust(None))))
    with pytest.raises(BankFailure) as refused:
        server.refresh(CONTEXT, PROGRESS, "old")
    assert refused.value.kind == kind


@given(st.integers(-5, 10**12) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12) | st.none())
def test_however_a_bank_says_how_long_a_token_lasts_it_is_read(lasts: Any) -> None:
    TOKENS.body = {"access_token": "a", "expires_in": lasts}
    tokens = SERVER.refresh(CONTEXT, PROGRESS, "old")
    assert tokens.expires is None or tokens.expires >= clock.now() - SECOND, "by our clock: it says how long, not when"


@pytest.mark.parametrize("none", ["0001-01-01", "9999-12-31", "1900-01-01", "2026-02-30", "soon", None, 20261126])
def test_a_date_that_stands_for_none_is_none(none: Any) -> None:
    assert parse.date(none) is None


@pytest.mark.parametrize("same", ["2026-03-29", "2026-03-29T02:30:00+02:00", "2026-03-29T23:59:59.999Z"])
def test_a_date_is_the_banks_own_day_whatever_the_zone_and_the_hour(same: str) -> None:
    assert parse.date(same) == datetime.date(2026, 3, 29)
