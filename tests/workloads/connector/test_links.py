"""Links lead to the configured base and nowhere else."""

from __future__ import annotations

import pytest

from workloads.services.connector.links import ForeignLink, href, resolve

BASE = "http://127.64.0.9:8080/psd2"
CURRENT = f"{BASE}/v1/accounts/1/transactions?page=0"


@pytest.mark.parametrize(
    ("link", "leads_to"),
    [
        ("https://api.bank.example/gw/de/v1/accounts/1/transactions?page=1", "/v1/accounts/1/transactions?page=1"),
        ("https://evil.example/psd2/v1/accounts/1", "/v1/accounts/1"),
        ("/psd2/v1/accounts/1?x=%20y", "/v1/accounts/1?x=%20y"),
        ("/v1/accounts/1", "/v1/accounts/1"),
        ("?page=1", "/v1/accounts/1/transactions?page=1"),
        ("//evil.example/v1/x", "/v1/x"),
        ("https://unknown.example/other/v1.2/accounts", "/v1.2/accounts"),
        ("https://x.example/xs2a/accounts/9", "/accounts/9"),
    ],
)
def test_a_link_is_resolved_on_the_base_whatever_host_it_names(link: str, leads_to: str) -> None:
    assert resolve(link, BASE, ["/gw/de", "/xs2a"], CURRENT) == BASE + leads_to


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "ftp://h/v1/x", "https://h/elsewhere", "https://h/psd2/../../admin/v1/", "/"]
)
def test_a_link_out_of_the_api_is_refused(link: str) -> None:
    with pytest.raises(ForeignLink):
        resolve(link, BASE, ["/gw/de"], CURRENT)


def test_a_link_is_read_as_object_or_text() -> None:
    assert href({"next": {"href": "/a"}}, "next") == href({"next": "/a"}, "next") == "/a"
    assert [href(each, "next") for each in (None, [], {"next": None}, {"next": {"href": ""}}, {"next": 1})] == [
        None
    ] * 5
