"""The QWAC: the certificate that says to banks who asks (mutual TLS), from the file that the vault's is mounted as.

A renewed one is written into the same file while the service runs, and is shown from the next connection on.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from workloads.chassis.settings import SettingsError

_Stamp = tuple[int, int, int]
_log = structlog.get_logger(__name__)


class Qwac:
    """TLS with key and certificate of a PEM file as it is now.

    trusting: makes TLS that trusts whom we trust. Raises SettingsError when key and certificate are not in the file.
    """

    def __init__(self, file: Path, trusting: Callable[[], ssl.SSLContext]) -> None:
        self._file, self._trusting, self._lock = file, trusting, threading.Lock()
        self._stamp = self._refused = _stamp(file)
        self._tls = self._loaded()

    def tls(self) -> ssl.SSLContext:
        """The same one until the file holds another pair that fits. What can't be loaded is tried again each time."""
        with self._lock:
            stamp = _stamp(self._file)  # before it is read: what is written meanwhile is another one
            if stamp != self._stamp:
                self._renew(stamp)
            return self._tls

    def _renew(self, stamp: _Stamp | None) -> None:
        try:
            self._tls = self._loaded()
        except SettingsError:
            if stamp != self._refused:
                _log.warning("a renewed QWAC can't be loaded; banks are shown the former one", file=str(self._file))
            self._refused = stamp
        else:
            _log.info("banks are shown a renewed QWAC")
            self._stamp = self._refused = stamp

    def _loaded(self) -> ssl.SSLContext:
        tls = self._trusting()  # a new one: another thread may be connecting by the former
        try:
            tls.load_cert_chain(self._file)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            raise SettingsError(
                f"QWAC_CERTIFICATE: {self._file} holds no certificate with its key ({reason}). Allowed is a PEM file "
                "with both: a certificate of the vault whose key may be exported, mounted as a secret."
            ) from None
        return tls


def _stamp(file: Path) -> _Stamp | None:
    """Tells one content of a file from another; None where there is no file. Mounted files are links that are moved."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
