"""What a request says about saved searches and alerts."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from enmusubi.app.errors import Sentence
from enmusubi.app.schemas import Keyword, Language, Name, Schema, Text, Trl, storable
from enmusubi.app.vocabulary import AlertFrequency

# In the steps in which probabilities are shown: finer ones would tell more of them than is shown.
Floor = Annotated[
    float,
    Field(
        ge=0.0,
        le=1.0,
        multiple_of=0.05,
        description="Least probability, in steps of 0.05; never below the service's",
    ),
]
FieldBeginning = Annotated[
    str, Field(min_length=1, max_length=100), AfterValidator(storable), AfterValidator(str.upper)
]


class SavedSearchDraft(Schema):
    """A text that entries are ranked for as they are published, and filters that all have to hold."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "凍結対策",
                    "text": "凍結融解に強い混和材",
                    "trl_min": 4,
                    "frequency": "at_once",
                },
                {"name": "Grading", "text": "We can grade shellfish by hyperspectral imaging.", "against": "needs"},
            ]
        }
    )

    name: Name
    text: Text
    against: Literal["seeds", "needs"] = "seeds"
    field: FieldBeginning | None = Field(default=None, description="Beginning of a field code, for example IPC:A23L")
    language: Language | None = None
    region: Keyword | None = None
    trl_min: Trl | None = Field(default=None, description="Least TRL of a seed, or wanted by a need")
    trl_max: Trl | None = None
    floor: Floor | None = None
    frequency: AlertFrequency = AlertFrequency.DAILY

    @model_validator(mode="after")
    def _levels_are_in_order(self) -> Self:
        if self.trl_min is not None and self.trl_max is not None and self.trl_min > self.trl_max:
            raise ValueError(Sentence("trl_min is above trl_max"))
        return self


class SavedSearchRevision(Schema):
    """What of a saved search is to change: only the fields given; null takes a filter away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"frequency": "never"}, {"trl_min": 5, "region": None}]})

    name: Name | None = None
    text: Text | None = None
    field: FieldBeginning | None = None
    language: Language | None = None
    region: Keyword | None = None
    trl_min: Trl | None = None
    trl_max: Trl | None = None
    floor: Floor | None = None
    frequency: AlertFrequency | None = None


class AlertSettingsDraft(Schema):
    """When to be told of new partners: of one's own entries, or of those of the cluster for its coordinators."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"frequency": "at_once"}]})

    frequency: AlertFrequency
