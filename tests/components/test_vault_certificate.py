"""A certificate is asked for once, with a key that may leave the vault, and what the vault refuses is told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from components.vault_certificate import CertificateArgs, ask, forget

ASKED: dict[str, Any] = {
    "vault": "https://kv.example/",
    "name": "qwac",
    "subject": "CN=api.example.com, O=Example, 2.5.4.97=PSDDE-BAFIN-123456, C=DE",
    "hosts": ["api.example.com"],
    "months": 24.0,  # the engine knows no whole numbers
    "use": "transport",
    "__provider": "text of the provider",
}


class Vault:
    """A vault's answers by method and path; keeps what it was asked."""

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self.answers, self.asked = answers, list[tuple[str, str, Any]]()
        self.http = httpx.Client(base_url="https://kv.example/", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, body))
        status, said = self.answers[f"{request.method}_{request.url.path.rsplit('/', 1)[1]}"]
        return httpx.Response(status, json=said)


def test_the_key_may_be_exported_and_somebody_outside_signs() -> None:
    vault = Vault(GET_pending=(404, {}), POST_create=(202, {"csr": "MII"}))
    made = ask(vault.http, ASKED)
    (method, path, body) = vault.asked[-1]
    assert (method, path) == ("POST", "/certificates/qwac/create")
    assert body["policy"]["key_props"] == {"kty": "RSA", "key_size": 3072, "exportable": True, "reuse_key": False}
    assert body["policy"]["issuer"] == {"name": "Unknown"}
    assert body["policy"]["x509_props"]["subject"] == ASKED["subject"]
    assert body["policy"]["x509_props"]["validity_months"] == 24
    assert made == {**{key: value for key, value in ASKED.items() if key != "__provider"}, "request": "MII"}


def test_the_key_of_a_seal_is_in_an_hsm_and_never_leaves_it() -> None:
    vault = Vault(GET_pending=(404, {}), POST_create=(202, {"csr": "MII"}))
    ask(vault.http, {**ASKED, "use": "seal", "hosts": []})
    policy = vault.asked[-1][2]["policy"]
    assert (policy["key_props"]["kty"], policy["key_props"]["exportable"]) == ("RSA-HSM", False)
    assert policy["x509_props"]["ekus"] == []
    assert policy["x509_props"]["key_usage"] == ["digitalSignature", "nonRepudiation"]


def test_what_is_asked_for_already_is_not_asked_for_again() -> None:
    """An answer may have been lost: a second request would have another key."""
    vault = Vault(GET_pending=(200, {"csr": "MII"}))
    assert ask(vault.http, ASKED)["request"] == "MII"
    assert [method for method, *_ in vault.asked] == ["GET"]


def test_another_subject_is_asked_for_as_another_version() -> None:
    vault = Vault(POST_create=(202, {"csr": "MIJ"}))
    assert ask(vault.http, ASKED, again=True)["request"] == "MIJ"


def test_a_refusal_names_the_role_that_is_missing() -> None:
    with pytest.raises(RuntimeError, match=r"answered 403.*Key Vault Certificates Officer"):
        ask(Vault(GET_pending=(403, {})).http, ASKED)
    refused = {"error": {"code": "BadParameter", "message": "The issuer is not known."}}
    with pytest.raises(RuntimeError, match=r"answered 400, The issuer is not known\.$"):
        ask(Vault(GET_pending=(400, refused)).http, ASKED)


def test_deleting_takes_what_is_pending_too_and_minds_nothing_that_is_gone() -> None:
    vault = Vault(DELETE_pending=(404, {}), DELETE_qwac=(200, {}))
    forget(vault.http, "qwac")
    assert [path for _, path, _ in vault.asked] == ["/certificates/qwac/pending", "/certificates/qwac"]
    with pytest.raises(RuntimeError, match="can't be deleted: the vault answered 403"):
        forget(Vault(DELETE_pending=(403, {})).http, "qwac")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": "O=Example"}, "no common name"),
        ({"months": 0}, "1 to 36"),
        ({"use": "seal", "hosts": ("a.example",)}, "of no host"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_registered(changes: dict[str, Any], message: str) -> None:
    everything: dict[str, Any] = {"subject": "CN=a", **changes}
    with pytest.raises(ValueError, match=message):
        CertificateArgs(**everything)
