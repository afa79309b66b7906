"""Articles are found by their words, in the person's language where they are translated."""

from __future__ import annotations

from pathlib import Path

import pytest

from workloads.services.help import articles
from workloads.services.help.articles import Article, ArticleError, parse, search

SOME = [
    Article("a", "en", "Überweisungen", "How money is sent. Banks differ."),
    Article("b", "en", "Connect a bank", "Choose it in the list."),
    Article("c", "en", "Budgets", "Nothing about it."),
]


def found(text: str) -> list[str]:
    return [each.id for each in search(SOME, text)]


def test_a_word_in_the_title_counts_more_than_one_in_the_text() -> None:
    assert found("bank") == ["b", "a"]


def test_case_accents_and_the_end_of_a_word_do_not_matter() -> None:
    assert found("UBERWEIS") == ["a"]
    assert found("list/choose-it") == ["b"], "nor what stands between words"


def test_every_word_must_occur() -> None:
    assert found("bank money") == ["a"]
    assert found("bank unicorn") == []


@pytest.mark.parametrize("language", articles.LANGUAGES)
def test_every_article_is_there_in_every_language(language: str) -> None:
    told = articles.every(language)
    assert {each.id for each in told} == {each.id for each in articles.every("en")}
    assert {each.language for each in told} == {language}


def test_what_is_not_translated_is_told_in_english() -> None:
    assert {each.language for each in articles.every("xx")} == {"en"}


def test_a_file_without_title_or_text_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.md"
    for text in ("no title\ntext", "# Title only\n"):
        wrong.write_text(text)
        with pytest.raises(ArticleError, match=r"wrong\.md"):
            parse(wrong)
