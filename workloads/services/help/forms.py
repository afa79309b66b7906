"""What the help service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from workloads.chassis.userkeys import Cipher
from workloads.services.help import store
from workloads.services.help.articles import Article
from workloads.services.help.models import Ticket, TicketMessage

Language = Literal["de", "en"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class ArticleSummary(BaseModel):
    """An article, by its title."""

    id: str = Field(examples=["connect-a-bank"])
    language: Language
    title: str = Field(examples=["Connect a bank"])

    @classmethod
    def of(cls, article: Article) -> ArticleSummary:
        """Without its text."""
        language: Any = article.language
        return cls(id=article.id, language=language, title=article.title)


class ArticleView(ArticleSummary):
    """An article."""

    body: str = Field(description="Markdown", examples=["Choose your bank, then sign in there."])

    @classmethod
    def of(cls, article: Article) -> ArticleView:
        """With its text."""
        return cls(**ArticleSummary.of(article).model_dump(), body=article.body)


class ArticleList(BaseModel):
    """Articles: by title, or the best first where words were searched for."""

    articles: list[ArticleSummary]


class TicketForm(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")
    subject: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] = Field(
        examples=["A payment is there twice"]
    )
    text: Text = Field(examples=["Since yesterday …"])


class MessageForm(BaseModel):
    """Something more to say."""

    model_config = ConfigDict(extra="forbid")
    text: Text = Field(examples=["It is gone now."])


class MessageView(BaseModel):
    """Something that was written in a ticket."""

    at: datetime.datetime
    author: Literal["person", "support"]
    text: str = Field(examples=["Since yesterday …"])

    @classmethod
    def of(cls, row: TicketMessage, cipher: Cipher) -> MessageView:
        """Opened."""
        author: Any = row.author
        return cls(at=row.at, author=author, text=cipher.open(row.text, store.TEXT))


class TicketView(BaseModel):
    """A ticket, and what was written in it, oldest first."""

    id: uuid.UUID
    subject: str = Field(examples=["A payment is there twice"])
    status: Literal["open", "closed"]
    opened: datetime.datetime
    changed: datetime.datetime
    messages: list[MessageView]

    @classmethod
    def of(cls, row: Ticket, messages: list[TicketMessage], cipher: Cipher) -> TicketView:
        """Opened."""
        status: Any = row.status
        return cls(
            id=row.id, subject=cipher.open(row.subject, store.SUBJECT), status=status, opened=row.opened,
            changed=row.changed, messages=[MessageView.of(each, cipher) for each in messages],
        )  # fmt: skip


class TicketList(BaseModel):
    """Tickets, the one that changed last first."""

    tickets: list[TicketView]
