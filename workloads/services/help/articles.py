"""Articles: Markdown files of the folder ``articles``, one a language and subject; found by their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workloads.chassis.letters import plain

_FOLDER = Path(__file__).resolve().parent / "articles"
LANGUAGES = tuple(sorted(each.name for each in _FOLDER.iterdir()))
FALLBACK = "en"
_IN_TITLE = 5
"""How much more a word counts in a title than in the text."""


@dataclass(frozen=True)
class Article:
    """An article. id: its file's name, the same in every language. body: Markdown without the title."""

    id: str
    language: str
    title: str
    body: str


class ArticleError(ValueError):
    """A file that is no article; the message names it."""


def parse(path: Path) -> Article:
    """An article from its file. Raises ArticleError when its first line is no title."""
    first, _, body = path.read_text().partition("\n")
    if not first.startswith("# ") or not body.strip():
        raise ArticleError(f"{path.parent.name}/{path.name}: begin with '# Title', then a text")
    return Article(path.stem, path.parent.name, first.removeprefix("# ").strip(), body.strip())


@cache
def every(language: str) -> tuple[Article, ...]:
    """The articles of a language, by title; one that is not translated in English."""
    found = {each.stem: parse(each) for each in (_FOLDER / FALLBACK).glob("*.md")}
    found |= {each.stem: parse(each) for each in (_FOLDER / language).glob("*.md")}
    return tuple(sorted(found.values(), key=lambda each: each.title))


def search(articles: Sequence[Article], text: str) -> list[Article]:
    """Those in which every word, or a word that begins like it, occurs; the best first."""
    words = _words(text)
    scored = [(sum(_score(each, word) for word in words), each) for each in articles if _has_all(each, words)]
    return [each for _, each in sorted(scored, key=lambda pair: (-pair[0], pair[1].title))]


def _has_all(article: Article, words: Sequence[str]) -> bool:
    return all(_score(article, word) for word in words)


def _score(article: Article, word: str) -> int:
    return _IN_TITLE * _occurrences(article.title, word) + _occurrences(article.body, word)


def _occurrences(text: str, word: str) -> int:
    return sum(each.startswith(word) for each in _words(text))


@cache
def _words(text: str) -> tuple[str, ...]:
    return tuple("".join(each if each.isalnum() else " " for each in plain(text)).split())
