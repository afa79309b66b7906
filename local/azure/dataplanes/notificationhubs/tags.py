"""Tags, and expressions of tags that say whom a notification is for.

https://learn.microsoft.com/azure/notification-hubs/notification-hubs-tags-segment-push-message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from local.azure.dataplanes.notificationhubs.errors import bad

_TAG = r"[A-Za-z0-9_@#.:-]{1,120}"
TAG = re.compile(_TAG)
_OPERATOR = r"\|\||&&|!|\(|\)"
_OWN = r"\$(?:InstallationId|UserId):\{[^{}\s]+\}"
_WORD = re.compile(rf"\s*(?:({_OPERATOR})|({_OWN}|{_TAG}(?![\w@#.:-])))")
_MOST = {frozenset[str](): 20, frozenset({"||"}): 20, frozenset({"&&"}): 10}
"""Tags in an expression, by the operators in it."""
_MOST_OTHERWISE = 6

Matches = Callable[[Collection[str]], bool]
"""Whether an installation with these tags is meant."""


def expression(text: str) -> Matches:
    """What an expression means. Raises HubError 400 naming what is wrong."""
    words = _words(text)
    tags = [each for each in words if each not in _OPERATORS]
    most = _MOST.get(frozenset(words) & {"||", "&&", "!"}, _MOST_OTHERWISE)
    if len(tags) > most:
        raise bad(f"The tag expression has {len(tags)} tags; allowed with its operators are {most}")
    meaning, left = _either(words, text)
    if left:
        raise _malformed(text)
    return meaning


_OPERATORS = {"||", "&&", "!", "(", ")"}


def _words(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        word = _WORD.match(text, at)
        if word is None:
            raise _malformed(text)
        found.append(word[1] or word[2])
        at = word.end()
    return found


def _either(words: list[str], text: str) -> tuple[Matches, list[str]]:
    first, left = _both(words, text)
    while left[:1] == ["||"]:
        second, left = _both(left[1:], text)
        first = _or(first, second)
    return first, left


def _both(words: list[str], text: str) -> tuple[Matches, list[str]]:
    first, left = _one(words, text)
    while left[:1] == ["&&"]:
        second, left = _one(left[1:], text)
        first = _and(first, second)
    return first, left


def _one(words: list[str], text: str) -> tuple[Matches, list[str]]:
    if not words:
        raise _malformed(text)
    word, left = words[0], words[1:]
    if word == "!":
        inner, left = _one(left, text)
        return (lambda tags: not inner(tags)), left
    if word == "(":
        inner, left = _either(left, text)
        if left[:1] != [")"]:
            raise _malformed(text)
        return inner, left[1:]
    if word in _OPERATORS:
        raise _malformed(text)
    return (lambda tags: word in tags), left


def _or(first: Matches, second: Matches) -> Matches:
    return lambda tags: first(tags) or second(tags)


def _and(first: Matches, second: Matches) -> Matches:
    return lambda tags: first(tags) and second(tags)


def _malformed(text: str) -> Exception:
    return bad(f"The tag expression {text[:200]!r} can't be read: tags with ||, &&, ! and parentheses are allowed")
