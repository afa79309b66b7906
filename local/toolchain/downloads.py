"""Official downloads over HTTPS: tried once, shortly; a host that can't be reached is not asked again in this run."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

SECONDS = 8.0
"""How long a host may stay silent."""
_unreachable: dict[str, str] = {}
_lock = threading.Lock()


class DownloadFailed(Exception):
    """A download that could not be had, and why."""


def fetch(url: str, to: Path, *, sha256: str | None = None) -> None:
    """Download to a file. sha256: what the publisher says its digest is.

    Raises DownloadFailed; what is left of a broken download is removed.
    """
    host = urllib.parse.urlsplit(url).netloc
    with _lock:
        if host in _unreachable:
            raise DownloadFailed(f"{url}: {_unreachable[host]}")
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, to.open("wb") as file:  # noqa: S310  # https only
            shutil.copyfileobj(answer, file)
    except urllib.error.HTTPError as error:
        to.unlink(missing_ok=True)
        raise DownloadFailed(f"{url}: HTTP {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        to.unlink(missing_ok=True)
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        with _lock:
            _unreachable[host] = f"{host} can't be reached ({reason})"
        raise DownloadFailed(f"{url}: {_unreachable[host]}") from None
    if sha256 is not None and hashlib.sha256(to.read_bytes()).hexdigest() != sha256:
        to.unlink()
        raise DownloadFailed(f"{url}: its SHA-256 is not the published {sha256}")


def published_digest(url: str, scratch: Path, name: str | None = None) -> str:
    """The SHA-256 that a publisher lists in a file of its own. name: whose line it is, in a list of several."""
    fetch(url, scratch)
    lines = scratch.read_text().split("\n")
    scratch.unlink()
    for line in lines:
        words = line.split()
        if words and (name is None or (len(words) > 1 and words[1].lstrip("*").split("/")[-1] == name)):
            return words[0]
    raise DownloadFailed(f"{url} lists no digest of {name}")
