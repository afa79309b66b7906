"""A bank's links: resolved on the configured base, whatever host they name, so that credentials go nowhere else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

_VERSION = re.compile(r"/v\d+(?:\.\d+)?/")


class ForeignLink(ValueError):
    """A link that does not lead into the bank's API."""


def resolve(href: str, base: str, roots: Sequence[str], current: str) -> str:
    """The absolute URL on the configured base that a link stands for.

    href: absolute (on whatever host), or relative to the request it came from, or to the root of the API.
    base: the configured base URL. roots: paths that stand for the API's root in links, longest match wins.
    current: URL of the request whose answer held the link.
    Raises ForeignLink when it names no path below the API's root.
    """
    joined = urlsplit(urljoin(current, href.strip()))
    if joined.scheme not in ("http", "https"):
        raise ForeignLink(f"a {joined.scheme!r} link")
    path, query = joined.path, f"?{joined.query}" if joined.query else ""
    if ".." in path.split("/") or "\\" in path:
        raise ForeignLink("a link with a path that climbs")
    here = urlsplit(base).path.rstrip("/")
    for root in sorted({here, *(each.rstrip("/") for each in roots)}, key=len, reverse=True):
        if path.startswith(root + "/") and (root or _VERSION.match(path)):
            return base.rstrip("/") + path[len(root) :] + query
    if found := _VERSION.search(path):  # an unknown gateway in front of the same API: keep what follows its root
        return base.rstrip("/") + path[found.start() :] + query
    below = (joined.scheme, joined.netloc) == urlsplit(base)[:2] or not any(roots)
    if path.startswith("/") and not here and below:  # whatever is on the base's own host is below a base without path
        return base.rstrip("/") + path + query
    raise ForeignLink("a link outside the bank's API")


def href(links: object, name: str) -> str | None:
    """A link by name: an object with href as in XS2A 1.3, or bare text as some banks send it."""
    link = links.get(name) if isinstance(links, dict) else None
    found = link.get("href") if isinstance(link, dict) else link
    return found if isinstance(found, str) and found.strip() else None
