"""What comes in with a step."""

import datetime
import uuid
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from enmusubi.app import examples
from enmusubi.app.errors import Sentence
from enmusubi.app.schemas import Schema, ShortText
from enmusubi.app.vocabulary import OutcomeKind, ReasonCode

Note = Annotated[ShortText | None, Field(description="For your own organisation and the coordinators")]
Message = Annotated[
    ShortText | None, Field(description="The other side reads it, so write nothing that says who you are")
]
Confidential = Literal["description", "requirements", "constraints", "budget_yen"]
Discloses = Annotated[
    list[Confidential],
    Field(
        max_length=4,
        description="Of a need: the confidential fields that may be disclosed with who you are, once both sides have "
        "said yes; none unless said",
    ),
]


class StepDraft(Schema):
    """A step that needs nothing but to be taken."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.STEPS)})

    note: Note = None


class PairDraft(StepDraft):
    """A need and a seed that a coordinator puts together by hand."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.PAIRS)})

    need: uuid.UUID
    seed: uuid.UUID


class InterestDraft(StepDraft):
    """A yes to being introduced."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.YESES)})

    message: Message = None
    discloses: Discloses = []  # noqa: RUF012 pydantic copies it


class RefusalDraft(StepDraft):
    """A no, or an end: with a reason code, which the other side reads."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.REFUSALS)})

    reason: ReasonCode
    message: Message = None


class ReportDraft(StepDraft):
    """What went on between the two sides."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.REPORTS)})

    message: Message = None
    on: datetime.date | None = Field(default=None, description="The day of it; today unless said")


class OutcomeDraft(StepDraft):
    """What came of a match; there may be several."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.OUTCOMES)})

    kind: OutcomeKind
    amount_yen: Annotated[int, Field(ge=0, le=10**13)] | None = Field(
        default=None, description="What the university's side receives: 受入額 of research, income of a licence"
    )
    agreed_on: datetime.date
    starts_on: datetime.date | None = None
    ends_on: datetime.date | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(Sentence("ends_on is before starts_on"))
        return self


class HandOverDraft(StepDraft):
    """Whom a coordinator's matches go to."""

    model_config = ConfigDict(json_schema_extra={"examples": list(examples.HANDOVERS)})

    to: uuid.UUID = Field(description="Id of another active coordinator of the cluster")
