"""Vault certificate: asks for a certificate whose key a vault makes, to be signed outside of it: a QWAC, a QSealC.

azure-native has no such resource, as it is of the vault's data plane (Key Vault REST API 7.4, Certificates). What is
asked for waits in the vault until the signed certificate is merged there (`az keyvault certificate pending merge`).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pulumi
from pulumi import dynamic

if TYPE_CHECKING:
    import httpx

_VERSION = {"api-version": "7.4"}
_SCOPE = "https://vault.azure.net/.default"
_ASKED = ("subject", "hosts", "use", "months")
_HELD = "ObjectIsDeletedButRecoverable"
"""What the vault says of a name that a deleted certificate holds (Key Vault REST API, error codes)."""
_PATIENCE = 120.0
"""Seconds that a recovery may take."""
_SERVER, _CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
"""Extended key usages of TLS (RFC 5280, section 4.2.1.12); a QWAC is of both (ETSI TS 119 495)."""


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """What is asked for.

    subject: distinguished name, e.g. "CN=api.example.com, O=Example, 2.5.4.97=PSDDE-BAFIN-123456, C=DE".
    hosts: DNS names. months: that it is to be valid, 1 to 36.
    use: "transport" for TLS (QWAC), whose key may leave the vault, as a client of TLS must have it; "seal" for signing
    (QSealC), whose key is in an HSM and never leaves it: services have the vault sign.
    """

    subject: str
    hosts: tuple[str, ...] = ()
    months: int = 24
    use: Literal["transport", "seal"] = "transport"

    def __post_init__(self) -> None:
        if "CN=" not in self.subject:
            raise ValueError(f'subject: {self.subject!r} has no common name. Write it as "CN=…, O=…, C=…".')
        if not 1 <= self.months <= 36:
            raise ValueError(f"months: {self.months} is not allowed; allowed are 1 to 36.")
        if self.use == "seal" and self.hosts:
            raise ValueError("hosts: a seal is of no host. Leave them out.")


class _Asking(dynamic.ResourceProvider):
    """Asks once; runs in a process of its own, with the deployer's sign-in."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        with signed_in(props["vault"]) as http:
            return dynamic.CreateResult(f"{props['vault']}certificates/{props['name']}", ask(http, props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = [each for each in ("vault", "name") if _olds.get(each) != _news.get(each)]
        changed = [each for each in _ASKED if _olds.get(each) != _news.get(each)]
        return dynamic.DiffResult(changes=bool(moved or changed), replaces=moved, delete_before_replace=True)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        with signed_in(_news["vault"]) as http:
            return dynamic.UpdateResult(ask(http, _news, again=True))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        with signed_in(props["vault"]) as http:
            found = seen(http, props)
        return dynamic.ReadResult(id_ if found else "", found or props)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with signed_in(_props["vault"]) as http:
            forget(http, _props["name"])


@contextmanager
def signed_in(vault: str) -> Iterator[httpx.Client]:
    """A client of a vault, signed in as whoever deploys. vault: its base URL."""
    # Imported here, as only such requests need them: the program that declares the resource does not sign in.
    import httpx
    from azure.identity import DefaultAzureCredential

    with (
        httpx.Client(base_url=vault, params=_VERSION, verify=ssl.create_default_context(), timeout=60) as http,
        DefaultAzureCredential(disable_instance_discovery=True) as credential,
    ):
        http.headers["Authorization"] = f"Bearer {credential.get_token(_SCOPE).token}"
        yield http


def ask(http: httpx.Client, props: dict[str, Any], *, again: bool = False) -> dict[str, Any]:
    """Asks for a certificate, unless one is asked for already; again: another version all the same.

    Answers the properties with "request", a PKCS #10 request in base64. Raises RuntimeError when the vault refuses.
    """
    name = props["name"]
    # The vault takes one request at a time: one that nobody signed yet is given up for another.
    known = (http.delete if again else http.get)(f"/certificates/{name}/pending")
    if again or known.status_code == 404:
        known = _create(http, props)
        if _HELD in known.text:
            _recover(http, name)
            known = _create(http, props)
    _accepted(known, name, "asked for")
    given = {key: value for key, value in props.items() if key != "__provider"}
    return {**given, "request": known.json()["csr"]}


def seen(http: httpx.Client, props: dict[str, Any]) -> dict[str, Any] | None:
    """The properties as the vault has them, whether signed yet or not; None where it has no such certificate.

    Raises RuntimeError when the vault refuses.
    """
    name = props["name"]
    policy, waiting = (http.get(f"/certificates/{name}/{part}") for part in ("policy", "pending"))
    if policy.status_code == waiting.status_code == 404:
        return None
    if policy.status_code != 404:
        _accepted(policy, name, "read")
    asked = _asked(policy.json(), props) if policy.is_success else {}
    # Once it is merged nothing is pending: what was asked for stays as it was.
    request = waiting.json().get("csr") if waiting.is_success else None
    return {**props, **asked, "request": request or props["request"]}


def _create(http: httpx.Client, props: dict[str, Any]) -> httpx.Response:
    return http.post(f"/certificates/{props['name']}/create", json={"policy": _policy(props)})


def _recover(http: httpx.Client, name: str) -> None:
    """Brings a deleted certificate back, whose name is held: it gets another version then. Raises RuntimeError."""
    _accepted(http.post(f"/deletedcertificates/{name}/recover"), name, "recovered")
    until = time.monotonic() + _PATIENCE
    while http.get(f"/certificates/{name}").status_code == 404:
        if time.monotonic() > until:
            raise RuntimeError(
                f"The certificate {name} is still being recovered after {_PATIENCE:.0f} s. Run it again."
            )
        time.sleep(1)


def forget(http: httpx.Client, name: str) -> None:
    """Deletes a certificate and what is asked for; nothing happens where there is none. Raises RuntimeError."""
    for path in (f"/certificates/{name}/pending", f"/certificates/{name}"):
        answer = http.delete(path)
        if answer.status_code != 404 and not answer.is_success:
            raise RuntimeError(f"The certificate {name} can't be deleted: the vault answered {answer.status_code}.")


def _accepted(answer: httpx.Response, name: str, done: str) -> None:
    if not answer.is_success:
        raise RuntimeError(
            f"The certificate {name} can't be {done}: the vault answered {answer.status_code}, {_said(answer)}"
            + (" That needs the role Key Vault Certificates Officer there." if answer.status_code in (401, 403) else "")
        )


def _said(answer: httpx.Response) -> str:
    try:
        return answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return f"{answer.reason_phrase}."


def _policy(props: dict[str, Any]) -> dict[str, Any]:
    transport = props["use"] == "transport"
    kind = "RSA" if transport else "RSA-HSM"
    return {
        "key_props": {"kty": kind, "key_size": 3072, "exportable": transport, "reuse_key": False},
        "secret_props": {"contentType": "application/x-pem-file"},
        "x509_props": {
            "subject": props["subject"],
            "sans": {"dns_names": list(props["hosts"])},
            "ekus": [_SERVER, _CLIENT] if transport else [],
            "key_usage": ["digitalSignature"] if transport else ["digitalSignature", "nonRepudiation"],
            "validity_months": int(props["months"]),
        },
        # Somebody outside signs.
        "issuer": {"name": "Unknown"},
    }


def _asked(policy: dict[str, Any], props: dict[str, Any]) -> dict[str, Any]:
    """What a policy says of what is asked for: `_policy` the other way round."""
    x509, key = policy["x509_props"], policy["key_props"]
    months = x509.get("validity_months")
    return {
        "subject": x509.get("subject", ""),
        "hosts": list((x509.get("sans") or {}).get("dns_names") or ()),
        "use": "transport" if key.get("exportable") else "seal",
        # The engine knows no whole numbers.
        "months": props["months"] if months == props["months"] else months,
    }


class VaultCertificate(dynamic.Resource, module="tributary", name="VaultCertificate"):
    """A certificate that is asked for."""

    request: pulumi.Output[str]
    """What a trust service provider signs: PKCS #10 (RFC 2986) in base64."""

    def __init__(
        self,
        name: str,
        certificate: str,
        args: CertificateArgs,
        vault_uri: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "vault": vault_uri,
            "name": certificate,
            "subject": args.subject,
            "hosts": list(args.hosts),
            "months": args.months,
            "use": args.use,
            "request": None,
        }
        super().__init__(_Asking(), name, props, opts)
