"""How it looks what made a match: its score, its parts, and where they came from."""

from pathlib import PurePath
from typing import Annotated, Final

from pydantic import Field

from enmusubi.app.caller import Caller
from enmusubi.app.matchmaking import Provenance
from enmusubi.app.models import Match
from enmusubi.app.reasons_shown import Rounded
from enmusubi.app.representations.representation import Representation

Score = Annotated[
    float,
    Field(
        description="Higher is better; the sum of value times weight over its parts. To two decimals, and without the "
        "hubs, for those who do not oversee the cluster; null for companies, which see an order and how probable it is"
    ),
]


STATUS: Final = "For the two sides a match that was only shortlisted or dismissed is still `suggested`"
"""What to know of a match's status."""


class ProvenanceOut(Representation):
    """What ranked: snapshot (null: all scored exactly from the stored vectors), model, policy and calibration."""

    snapshot: str | None
    model: str
    revision: str
    precision: str
    policy: str
    calibration: str | None = Field(description="What the probability comes from; null where there is none")


class PartOut(Representation):
    """One named part of a score."""

    name: str
    value: Annotated[Rounded, Field(description="What was found, before it is weighed; to four decimals")]
    weight: Annotated[float, Field(description="How much the policy weighs it; hubs count against a match")]
    estimated: Annotated[
        bool,
        Field(description="True where the evidence cannot exist, since the languages differ, and was estimated"),
    ]


class ProbabilityOut(Representation):
    """How probable it is that a coordinator would find a match worth a look, with a 90 % interval."""

    value: Annotated[float, Field(ge=0, le=1)]
    low: Annotated[float, Field(ge=0, le=1)]
    high: Annotated[float, Field(ge=0, le=1)]


class SharedOut(Representation):
    """What the entry plainly shares with the side that asks, for people to read beside the score."""

    keywords: list[str] = Field(description="Keywords of the entry that occur in the asking text")
    field_codes: list[str] = Field(description="Fields both name, IPC and CPC by subclass")
    other_language: bool = Field(description="Whether the two are in different languages, as far as is known")


def provenance_out(source: Provenance | Match, caller: Caller) -> ProvenanceOut:
    """What ranked, as the caller may see it."""
    return ProvenanceOut(
        # When it was published tells that something has changed, which may be hidden from who asks.
        snapshot=source.snapshot if caller.oversees else None,
        model=_name_of(source.model),
        revision=source.revision,
        precision=source.precision,
        policy=source.policy,
        calibration=source.calibration,
    )


def _name_of(model: str) -> str:
    """A model as it is called: of a folder on the server its last name alone."""
    return PurePath(model).name if PurePath(model).is_absolute() else model
