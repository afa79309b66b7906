"""Strong customer authentication read from a bank's answer: its links say what comes next (XS2A 1.3, section 5)."""

from __future__ import annotations

from typing import Any

from workloads.services.connector import links, parse
from workloads.services.connector.failures import BankFailure
from workloads.services.connector.port import Challenge, ScaMethod, Step, StepKind
from workloads.services.connector.profile import Profile

STATUSES = (
    "received", "psuIdentified", "psuAuthenticated", "scaMethodSelected", "started", "unconfirmed", "finalised",
    "failed", "exempted",
)  # fmt: skip
START = ("startAuthorisation", "startAuthorisationWithPsuIdentification", "updatePsuIdentification")
"""Links that want no more of the person than the name that is known already: followed without asking."""
PASSWORD = (
    "startAuthorisationWithEncryptedPsuAuthentication", "updateEncryptedPsuAuthentication",
    "startAuthorisationWithPsuAuthentication", "updatePsuAuthentication",
    "updateAdditionalEncryptedPsuAuthentication", "updateAdditionalPsuAuthentication",
)  # fmt: skip
METHOD = ("startAuthorisationWithAuthenticationMethodSelection", "selectAuthenticationMethod")
OTP = ("startAuthorisationWithTransactionAuthorisation", "authoriseTransaction")
_MOST_METHODS = 30
_LARGEST_IMAGE = 700_000
"""512 KB of PNG, the standard's limit, in base64."""


def status(body: dict[str, Any]) -> str | None:
    """The scaStatus of an answer; None where it tells none that XS2A knows."""
    told = (parse.text(body.get("scaStatus")) or "").casefold()
    return next((each for each in STATUSES if each.casefold() == told), None)


def chosen(offered: object, names: tuple[str, ...]) -> tuple[str, str] | None:
    """The first of the named links that is offered: its name and address."""
    return next(((name, found) for name in names if (found := links.href(offered, name))), None)


def method_of(name: str, address: str) -> str:
    """The HTTP method that a link is followed with.

    Links that start an authorisation are POSTed to the collection; one that leads to an authorisation that is there
    already is an update, whatever its name.
    """
    return "POST" if name.startswith("start") and address.rstrip("/").endswith("/authorisations") else "PUT"


def step(profile: Profile, body: dict[str, Any], approach: str | None) -> Step | None:
    """What the person has to do after this answer; None when an authorisation must be started first.

    approach: the answer's ASPSP-SCA-Approach header. Raises BankFailure sca-unsupported when nothing known is offered.
    """
    told, offered = status(body), body.get("_links")
    about: dict[str, Any] = {"sca_status": told, "message": parse.text(body.get("psuMessage"))}
    if told in ("finalised", "exempted", "failed"):
        return Step(kind="failed" if told == "failed" else "done", **about)
    kinds: list[tuple[StepKind, tuple[str, ...]]] = [
        ("redirect", ("scaRedirect",)), ("oauth", ("scaOAuth",)), ("otp", OTP), ("method", METHOD),
        ("password", PASSWORD),
    ]  # fmt: skip
    if profile.sca.approach == "embedded":
        kinds = kinds[2:] + kinds[:2]
    if profile.sca.approach == "oauth":
        kinds = [kinds[1], kinds[0], *kinds[2:]]
    for kind, names in kinds:
        if chosen(offered, names):
            return Step(kind=kind, methods=_methods(body), challenge=_challenge(body.get("challengeData")), **about)
    if chosen(offered, START):
        return None
    if (approach or "").upper() == "DECOUPLED" or (told is not None and profile.sca.approach == "decoupled"):
        return Step(kind="decoupled", **about)
    if profile.oauth and profile.oauth.flow == "integrated" and profile.sca.approach == "oauth":
        return Step(kind="oauth", **about)
    if profile.sca.start == "explicit":
        return None
    raise unsupported(offered)


def unsupported(offered: object) -> BankFailure:
    """The failure of a bank that offers nothing known."""
    names = ", ".join(sorted(map(str, offered))) if isinstance(offered, dict) and offered else "nothing"
    return BankFailure("sca-unsupported", f"The bank offers no way to authorise that is known here, but: {names}.")


def _methods(body: dict[str, Any]) -> list[ScaMethod]:
    listed = body.get("scaMethods")
    found = []
    for each in (listed if isinstance(listed, list) else [])[:_MOST_METHODS]:
        if isinstance(each, dict) and (key := parse.text(each.get("authenticationMethodId"))):
            found.append(
                ScaMethod(
                    id=key, type=parse.text(each.get("authenticationType")), name=parse.text(each.get("name")),
                    explanation=parse.text(each.get("explanation")),
                )
            )  # fmt: skip
    return found


def _challenge(told: Any) -> Challenge | None:
    if not isinstance(told, dict):
        return None
    data, image = told.get("data"), told.get("image")
    length = parse.text(told.get("otpMaxLength")) or ""
    form = (parse.text(told.get("otpFormat")) or "").lower()
    return Challenge(
        data=[found for each in (data if isinstance(data, list) else [data]) if (found := parse.text(each))],
        image=image if isinstance(image, str) and len(image) <= _LARGEST_IMAGE else None,
        image_link=parse.text(told.get("imageLink")),
        otp_max_length=int(length) if length.isdigit() and len(length) < 4 else None,
        otp_format=form if form in ("characters", "integer") else None,  # type: ignore[arg-type]  # checked just now
        explanation=parse.text(told.get("additionalInformation")),
    )
