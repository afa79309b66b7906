"""A certificate is asked for once, with a key that may leave the vault, and what the vault refuses is told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from components.vault_certificate import CertificateArgs, ask, forget, seen

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
    """A vault's answers by method and path; keeps what it was asked. then: the answers from the second time on."""

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self.answers, self.asked = answers, list[tuple[str, str, Any]]()
        self.then: dict[str, tuple[int, Any]] = {}
        self.http = httpx.Client(base_url="https://kv.example/", transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, body))
        which = f"{request.method}_{request.url.path.rsplit('/', 1)[1]}"
        status, said = self.answers[which]
        self.answers |= {which: self.then[which]} if which in self.then else {}
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
    vault = Vault(DELETE_pending=(404, {}), POST_create=(202, {"csr": "MIJ"}))
    assert ask(vault.http, ASKED, again=True)["request"] == "MIJ"
    assert [method for method, *_ in vault.asked] == ["DELETE", "POST"], "what nobody signed yet is given up"


def policy(**key: Any) -> dict[str, Any]:
    x509 = {"subject": ASKED["subject"], "sans": {"dns_names": ASKED["hosts"]}, "validity_months": 24}
    return {"x509_props": x509, "key_props": {"exportable": True, **key}}


@pytest.mark.parametrize(("pending", "request_"), [((200, {"csr": "MII"}), "MII"), ((404, {}), "asked before")])
def test_what_the_vault_has_is_seen_as_it_was_asked_for_signed_or_not(pending: Any, request_: str) -> None:
    before = {**ASKED, "request": "asked before"}
    assert seen(Vault(GET_policy=(200, policy()), GET_pending=pending).http, before) == {**before, "request": request_}


def test_what_somebody_changed_or_took_away_is_seen() -> None:
    moved = policy(exportable=False)
    moved["x509_props"] |= {"subject": "CN=other", "sans": {}, "validity_months": 12}
    found = seen(Vault(GET_policy=(200, moved), GET_pending=(404, {})).http, {**ASKED, "request": "MII"})
    assert found is not None
    changed = {name: found[name] for name in ("subject", "hosts", "months", "use")}
    assert changed == {"subject": "CN=other", "hosts": [], "months": 12, "use": "seal"}
    assert seen(Vault(GET_policy=(404, {}), GET_pending=(404, {})).http, ASKED) is None
    with pytest.raises(RuntimeError, match="can't be read: the vault answered 403"):
        seen(Vault(GET_policy=(403, {}), GET_pending=(403, {})).http, ASKED)


def test_a_deleted_certificate_whose_name_is_held_is_brought_back_for_another_version() -> None:
    held = {"error": {"code": "Conflict", "innererror": {"code": "ObjectIsDeletedButRecoverable"}}}
    vault = Vault(GET_pending=(404, {}), POST_create=(409, held), POST_recover=(200, {}), GET_qwac=(200, {}))
    vault.then["POST_create"] = (202, {"csr": "MIK"})
    assert ask(vault.http, ASKED)["request"] == "MIK"
    assert ("POST", "/deletedcertificates/qwac/recover") in [(method, path) for method, path, _ in vault.asked]


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
