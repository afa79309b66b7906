"""Sign-in: people who sign in at a stack's tenant themselves, in a browser, with whatever it asks of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import msal

_SECONDS = 600


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass
class SignIn:
    """Issues bearer tokens of people, each of whom signs in once, and signs up where the tenant lets them.

    issuer: of the tokens, as OpenID Connect's discovery knows it. client_id: the app's. audience: whom tokens are for.
    The app must have the address http://localhost, at any port (RFC 8252, section 7.3). say: tells what to do.
    """

    issuer: str
    client_id: str
    audience: str
    say: Callable[[str], None] = _say
    _apps: dict[str, msal.PublicClientApplication] = field(default_factory=dict)

    def token(self, person: str) -> str:
        """A token of the person, renewed shortly before it ends. Raises RuntimeError when the sign-in fails."""
        scopes = [f"{self.audience}/.default"]
        app = self._apps.get(person)
        if app is None:  # each has a cache of tokens of their own
            app = self._apps[person] = msal.PublicClientApplication(self.client_id, oidc_authority=self.issuer)
        known = app.get_accounts()
        answer = app.acquire_token_silent(scopes, known[0]) if known else None
        if not answer or "access_token" not in answer:
            self.say(f"Sign in as a person to try the stack with, called {person} here; another one each time.")
            answer = app.acquire_token_interactive(
                scopes,
                prompt="login",  # the browser remembers whoever signed in before
                timeout=_SECONDS,
                auth_uri_callback=lambda address: self.say(f"In a browser on this machine: {address}"),
            )
        if "access_token" not in answer:
            raise RuntimeError(
                f"{person} was not signed in at {self.issuer}: {answer.get('error')}, {answer.get('error_description')}"
            )
        return answer["access_token"]

    def close(self) -> None:
        """Forget everybody: whom the tenant has made of them stays there, as of anybody who signed up."""
        self._apps.clear()
