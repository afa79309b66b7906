"""The first bytes of a session come from anyone: whatever they are, they end in a message or in a ProtocolError."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azure.dataplanes import sql_names
from local.azure.dataplanes.sql_wire import ProtocolError, Startup, read_password, read_reply, read_startup

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


def _reader(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


def _framed(code: int, body: bytes) -> bytes:
    return struct.pack("!ii", len(body) + 8, code) + body


@given(st.binary(max_size=200) | st.builds(_framed, st.just(196608), st.binary(max_size=200)))
def test_any_bytes_are_a_startup_or_a_protocol_error(data: bytes) -> None:
    async def run() -> None:
        for read in (read_startup, read_password, read_reply):
            try:
                await read(_reader(data))
            except ProtocolError:
                continue

    asyncio.run(run())


@given(st.dictionaries(_TEXT, _TEXT, max_size=8))
def test_a_startup_message_reads_as_it_was_written(parameters: dict[str, str]) -> None:
    async def run() -> object:
        return await read_startup(_reader(Startup(196608, parameters).encoded()))

    assert asyncio.run(run()) == Startup(196608, parameters)


@pytest.mark.parametrize("length", [62, 63, 64, 200])
def test_a_databases_name_fits_and_stays_its_own(length: int) -> None:
    names = {sql_names.database("sql-x", "ü" * (length // 2) + tail) for tail in ("a", "b", "B")}
    assert len(names) == 2
    assert all(len(each.encode()) <= 63 for each in names)
