"""The certificate that banks are shown is the one in the file that is mounted, or the connector says what is wrong."""

from __future__ import annotations

import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.pki import Authority
from tests.workloads.connector.test_profile import bank
from workloads.chassis.calls import trust
from workloads.chassis.settings import SettingsError
from workloads.services.connector.qwac import Qwac
from workloads.services.connector.request import BankRequest
from workloads.services.connector.settings import ConnectorSettings
from workloads.services.connector.transport import Transport

GOOD = {
    "DATABASE_URL": "postgresql+psycopg://sql/connector", "TOKEN_ISSUER": "https://issuer.example",
    "TOKEN_AUDIENCE": "api",
}  # fmt: skip


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_a_key_is_refused_by_its_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "qwac.pem"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"QWAC_CERTIFICATE: .*qwac\.pem holds no certificate with its key"):
        Qwac(file, ssl.create_default_context)


def test_a_file_that_is_not_mounted_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="QWAC_CERTIFICATE"):
        ConnectorSettings.load(GOOD | {"QWAC_CERTIFICATE": str(tmp_path / "none.pem")})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    return Authority(folder / "ca.pem", folder / "ca.key", "trust service")


@contextmanager
def bank_at(authority: Authority) -> Iterator[tuple[str, list[str]]]:
    """Base URL of a bank that wants a certificate, and the names of those it was shown, a request each."""
    shown: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told: Any = self.connection.getpeercert()  # type: ignore[attr-defined]  # a TLS socket
            shown.append(dict(part for each in told["subject"] for part in each)["commonName"])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    folder = authority.certificate_path.parent
    (folder / "bank.pem").write_bytes(b"".join(authority.issue("bank", ["127.0.0.1"])))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate_path))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(folder / "bank.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that ends without a word
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}", shown
        server.shutdown()


def pair(authority: Authority, name: str) -> bytes:
    return b"".join(reversed(authority.issue(name, client=True, server=False)))


def put(file: Path, content: bytes) -> None:
    """As a mounted file is replaced: at once, by a link that is moved."""
    folder = file.parent / f"..{uuid.uuid4().hex}"
    folder.mkdir()
    (folder / file.name).write_bytes(content)
    link = folder / "link"
    link.symlink_to(folder / file.name)
    link.replace(file)


def test_a_renewed_certificate_is_shown_from_the_next_connection_on(authority: Authority, tmp_path: Path) -> None:
    file, roots = tmp_path / "qwac.pem", str(authority.certificate_path)
    put(file, pair(authority, "first"))
    qwac = Qwac(file, partial(trust, roots))
    with bank_at(authority) as (url, shown):
        transport = Transport(bank(), url, trust(roots), qwac=qwac)
        ask = partial(transport._send, BankRequest("GET", f"{url}/v1/accounts", {}, "1"), None)
        ask()
        ask()
        put(file, pair(authority, "second"))
        ask()
        assert shown == ["first", "first", "second"]
        transport.close()


def test_what_is_half_written_or_of_two_pairs_is_not_shown_and_the_rest_of_it_is_awaited(
    authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "qwac.pem"
    first, second = pair(authority, "first"), pair(authority, "second")
    file.write_bytes(first)
    qwac = Qwac(file, partial(trust, str(authority.certificate_path)))
    before = qwac.tls()
    key, chain = second.split(b"-----BEGIN CERTIFICATE-----", 1)
    of_two = first.split(b"-----BEGIN CERTIFICATE-----", 1)[0] + b"-----BEGIN CERTIFICATE-----" + chain
    for unfit in (b"", key, second[:-200], of_two):
        file.write_bytes(unfit)
        assert qwac.tls() is qwac.tls() is before
    file.unlink()
    assert qwac.tls() is before
    file.write_bytes(second)
    renewed = qwac.tls()
    assert renewed is not before
    assert qwac.tls() is renewed
