"""What the enrichment service is asked and what it answers."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from workloads.chassis.json_integer import NUMBER
from workloads.chassis.json_text import without_numbers
from workloads.services.enrichment import domain
from workloads.services.enrichment.models import Assignment, PartyCategory, Rule

_LARGEST = 10**15
_LONGEST_WORDS = 200


def _known(slug: str) -> str:
    if slug not in domain.categories():
        raise ValueError("no such category; GET /categories lists them")
    return slug


Slug = Annotated[
    str, Field(max_length=60, pattern="^[a-z-]+$", examples=["groceries"]), AfterValidator(_known)
]  # fmt: skip


class CategoryView(BaseModel):
    """A category."""

    slug: str = Field(examples=["groceries"])
    name: str = Field(examples=["Groceries"])
    income: bool = Field(description="whether money comes in")


class CategoryList(BaseModel):
    """All categories."""

    categories: list[CategoryView]


class AssignmentView(BaseModel):
    """What a transaction is, and by what that was seen."""

    transaction_id: uuid.UUID
    category: str = Field(examples=["groceries"])
    merchant: str | None = Field(description="one that is known by name", examples=["rewe"])
    source: Literal["person", "rule", "party", "transfer", "merchant", "word", "none"]

    @classmethod
    def of(cls, row: Assignment) -> AssignmentView:
        """As it stands."""
        source: Any = row.source
        return cls(transaction_id=row.transaction_id, category=row.category, merchant=row.merchant, source=source)


class Correction(BaseModel):
    """What a transaction is. same_party: so is every other one with the same other side, now and later."""

    model_config = ConfigDict(extra="forbid")
    category: Slug
    same_party: StrictBool = False


class CorrectionView(BaseModel):
    """What the person said, of a transaction or of everything with one other side. party: what stands for that.

    transaction_id: also where that was said on this one, whose correction's withdrawal takes it back.
    """

    transaction_id: uuid.UUID | None
    party: str | None = Field(examples=["8d2f0c3f1b7a4f0e9c5d6a7b8c9d0e1f"])
    category: Slug


class CorrectionList(BaseModel):
    """What the person said: of transactions by their dates, then of other sides."""

    corrections: list[CorrectionView]

    @classmethod
    def of(cls, said: Iterable[Assignment], on_parties: Iterable[PartyCategory]) -> CorrectionList:
        """As it stands."""
        found = [CorrectionView(transaction_id=row.transaction_id, party=None, category=row.category) for row in said]
        of_all = [
            CorrectionView(transaction_id=row.transaction_id, party=row.party, category=row.category)
            for row in on_parties
        ]
        return cls(corrections=[*found, *of_all])


Bound = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST), NUMBER]


class RuleRequest(BaseModel):
    """A rule: every word begins a word of the text, and the amount is in the range."""

    model_config = ConfigDict(extra="forbid")
    words: list[Annotated[str, Field(min_length=2, max_length=30)]] = Field(
        min_length=1, max_length=5, examples=[["backhaus"]]
    )
    least: Bound | None = Field(default=None, description="signed minor units")
    most: Bound | None = Field(default=None, description="signed minor units")
    category: Slug

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        without_numbers(" ".join(self.words))
        folded = [domain.fold(each) for each in self.words]
        if not all(folded):
            raise ValueError("a word has neither letters nor digits")
        if len(" ".join(folded)) > _LONGEST_WORDS:
            raise ValueError(f"the words have more than {_LONGEST_WORDS} letters together, as they are compared")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least is greater than most")
        return self


class RuleView(BaseModel):
    """A rule of the person's. The newest one that fits wins."""

    id: uuid.UUID
    created: datetime.datetime
    words: list[str] = Field(examples=[["backhaus"]])
    least: int | None
    most: int | None
    category: str = Field(examples=["eating-out"])

    @classmethod
    def of(cls, row: Rule) -> RuleView:
        """As it stands."""
        return cls(
            id=row.id, created=row.created, words=row.words.split(), least=row.least, most=row.most,
            category=row.category,
        )  # fmt: skip


class RuleList(BaseModel):
    """The person's rules, newest first."""

    rules: list[RuleView]


class SpendingLine(BaseModel):
    """What a category came to in a month, in one currency."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$", examples=["2026-11"])
    category: str = Field(examples=["groceries"])
    currency: str = Field(examples=["EUR"])
    minor: int = Field(description="signed minor units: negative was spent", examples=[-31240])
    decimal: str = Field(examples=["-312.40"])
    transactions: int


class Spending(BaseModel):
    """By month and category; transfers between own accounts are left out."""

    lines: list[SpendingLine]
