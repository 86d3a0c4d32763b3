"""What is asked of the queue: filters that all have to hold, and the names of saved sets of them."""

import uuid
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from enmusubi.app.schemas import Keyword, Language, Schema, Trl, storable
from enmusubi.app.vocabulary import MatchStatus, Side

EVERY: Final = "every"
"""The choice of matches in whatever state."""

FieldBeginning = Annotated[
    str, Field(min_length=1, max_length=100), AfterValidator(storable), AfterValidator(str.upper)
]
ViewName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(storable)]


class Band(StrEnum):
    """How probable it is that a match is worth a look."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    UNKNOWN = "unknown"


class Handled(StrEnum):
    """Who handles a match."""

    MINE = "mine"
    NOBODY = "nobody"


class QueueFilters(Schema):
    """Filters of the queue; where nobody is waited for, and no state is chosen, those that nobody has decided on."""

    state: MatchStatus | Literal["every"] | None = None
    waiting: Side | None = None
    overdue: bool = False
    field: FieldBeginning | None = None
    region: Keyword | None = None
    trl: Trl | None = None
    band: Band | None = None
    language: Language | None = None
    handled: Handled | None = None
    need: uuid.UUID | None = None

    @property
    def states(self) -> tuple[MatchStatus, ...]:
        """The states that are listed."""
        if self.state == EVERY or (self.state is None and (self.waiting is not None or self.overdue)):
            return tuple(MatchStatus)
        return (MatchStatus.SUGGESTED if self.state is None else MatchStatus(self.state),)

    @property
    def kept(self) -> dict[str, Any]:
        """What is set, as JSON holds it; the need apart, which is a place in the queue and no filter."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"need"})


class ViewDraft(Schema):
    """A set of filters to keep under a name."""

    name: ViewName
    filters: QueueFilters
