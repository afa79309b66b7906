"""A hundred ports that nobody uses, for an instance that lives only for a while."""

from __future__ import annotations

import os
import socket

_FIRST, _HUNDREDS = 12000, 200
_PROBED = (1, 10, 15, 20, 40)


def claim() -> tuple[int, socket.socket]:
    """A port base, and the socket that holds it against other processes until it is closed.

    The last port of the hundred is the claim. Raises RuntimeError when every hundred is taken.
    """
    start = os.getpid() % 97
    for step in range(_HUNDREDS):
        base = _FIRST + (start + step) % _HUNDREDS * 100
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", base + 99))
        except OSError:
            held.close()
            continue
        if _free(base):
            return base, held
        held.close()
    last = _FIRST + _HUNDREDS * 100
    raise RuntimeError(f"There are no hundred free ports from {_FIRST} to {last}. Stop what listens there.")


def _free(base: int) -> bool:
    for offset in _PROBED:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", base + offset))
            except OSError:
                return False
    return True
