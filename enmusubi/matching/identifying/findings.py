"""The words of the check: what is found, how sure it is, whose text it is, what the catalogue knows of a term."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a finding is."""

    OWN_NAME = "own_name"
    ORGANISATION = "organisation"
    PERSON = "person"
    PLACE = "place"
    ADDRESS = "address"
    POSTAL_CODE = "postal_code"
    PHONE = "phone"
    EMAIL = "email"
    WEB_ADDRESS = "web_address"
    CORPORATE_NUMBER = "corporate_number"
    PATENT_NUMBER = "patent_number"
    REGISTRATION_NUMBER = "registration_number"
    MODEL_NUMBER = "model_number"
    PRODUCT = "product"
    RARE_TERM = "rare_term"


class Sureness(StrEnum):
    """How sure it is that the finding tells something about its owner; the surest first."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Owner:
    """What is known of the organisation that wants to stay unnamed."""

    name: str
    name_en: str | None = None
    other_names: tuple[str, ...] = ()
    region: str | None = None
    size_band: str | None = None
    corporate_number: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it is known by."""
        return tuple(name for name in (self.name, self.name_en, *self.other_names) if name)


@dataclass(frozen=True, slots=True)
class Uses:
    """In how many entries of the owner, and by how many other organisations, a term is written."""

    own: int = 0
    others: int = 0


Statistics = Callable[[Sequence[str]], Mapping[str, Uses]]
"""The uses of terms in normal form KC and lower case, as far as the one who asks may know; absent ones have none."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What to write instead, in both languages of the product."""

    ja: str
    en: str


class Hit(NamedTuple):
    """What a rule found in the normal form of a text."""

    start: int
    end: int
    kind: Kind
    sureness: Sureness
    # Whether use by other organisations of the catalogue clears it: a term may be common, an address is not.
    common_clears: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that may identify, at its place: characters (Unicode code points) `start` to `end` of the field."""

    field: str
    start: int
    end: int
    text: str
    kind: Kind
    sureness: Sureness
    suggestion: Suggestion
