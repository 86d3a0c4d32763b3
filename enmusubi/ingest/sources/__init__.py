"""Files of seeds and needs in, checked drafts and located problems out."""

from enmusubi.ingest.sources.proposing import Look, Proposed, look
from enmusubi.ingest.sources.reading import Source, read
from enmusubi.ingest.sources.report import (
    Entry,
    HeadingMatch,
    Limits,
    OrganisationNamed,
    Place,
    Problem,
    SourceError,
)

__all__ = [
    "Entry",
    "HeadingMatch",
    "Limits",
    "Look",
    "OrganisationNamed",
    "Place",
    "Problem",
    "Proposed",
    "Source",
    "SourceError",
    "look",
    "read",
]
