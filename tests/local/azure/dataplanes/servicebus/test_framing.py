"""A byte stream cut anywhere gives the same frames, and a transfer's message format is read from it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azure.dataplanes.servicebus.framing import Frames, ProtocolError
from local.azure.dataplanes.servicebus.message import BATCH_FORMAT, MalformedMessage, parse

HEADER = b"AMQP\x03\x01\x00\x00"


def frame(body: bytes, kind: int = 0) -> bytes:
    return (8 + len(body)).to_bytes(4) + bytes([2, kind, 0, 1]) + body


def transfer(message_format: bytes, tag: bytes = b"\xa0\x04\x00\x00\x00\x01") -> bytes:
    fields = b"\x52\x03" + b"\x43" + tag + message_format + b"\x42\x42"
    return frame(b"\x00\x53\x14\xc0" + bytes([len(fields) + 1, 6]) + fields + b"payload")


STREAM = [
    (HEADER, None),
    (frame(b"\x00\x53\x41\xc0\x01\x00", kind=1), None),
    (frame(b""), None),
    (transfer(b"\x43"), 0),
    (transfer(b"\x70" + BATCH_FORMAT.to_bytes(4)), BATCH_FORMAT),
    (transfer(b"\x52\x07", tag=b"\xb0\x00\x00\x00\x01x"), 7),
    (transfer(b"\x40", tag=b"\x40"), None),
    (frame(b"\x00\x53\x13\xc0\x01\x00"), None),
]


@given(st.lists(st.integers(0, sum(len(data) for data, _ in STREAM)), max_size=12))
def test_where_the_stream_is_cut_makes_no_difference(cuts: list[int]) -> None:
    stream, frames = b"".join(data for data, _ in STREAM), Frames()
    edges = [0, *sorted(cuts), len(stream)]
    found = [each for start, end in pairwise(edges) for each in frames.feed(stream[start:end])]
    assert [(each.data, each.message_format) for each in found] == STREAM


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x00\x00\x00\x00\x02\x00\x00\x00", b"\xff" * 8])
def test_what_is_no_amqp_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Frames().feed(data))


@given(st.binary(max_size=40))
def test_no_bytes_do_worse_than_be_refused_as_a_message(data: bytes) -> None:
    try:
        parse(data)
    except MalformedMessage:
        return
