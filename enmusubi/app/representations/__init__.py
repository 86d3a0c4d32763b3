"""What goes out: how entries, organisations and matches look to the account that asks."""

from enmusubi.app.representations.declines import DeclinesOut, ReopenedOut, declines_out
from enmusubi.app.representations.entries import EntryOut, EntryShown
from enmusubi.app.representations.findings import FindingOut, NeedChecked, SuggestionOut, findings_out
from enmusubi.app.representations.matches import MatchOut, ReviewOut, match_out
from enmusubi.app.representations.needs import (
    NeedConfidential,
    NeedOut,
    NeedPosted,
    NeedRevised,
    OwnerOutlined,
    need_out,
)
from enmusubi.app.representations.organisations import (
    ClusterOut,
    OrganisationNamed,
    OrganisationOut,
    organisation_named,
)
from enmusubi.app.representations.rankings import MISSES, RankedOut, RankingOut, ranking_out
from enmusubi.app.representations.representation import PUBLIC_ID, Page, Representation
from enmusubi.app.representations.scores import PartOut, ProbabilityOut, ProvenanceOut, SharedOut
from enmusubi.app.representations.seeds import SeedConfidential, SeedOut, seed_out

__all__ = [
    "MISSES",
    "PUBLIC_ID",
    "ClusterOut",
    "DeclinesOut",
    "EntryOut",
    "EntryShown",
    "FindingOut",
    "MatchOut",
    "NeedChecked",
    "NeedConfidential",
    "NeedOut",
    "NeedPosted",
    "NeedRevised",
    "OrganisationNamed",
    "OrganisationOut",
    "OwnerOutlined",
    "Page",
    "PartOut",
    "ProbabilityOut",
    "ProvenanceOut",
    "RankedOut",
    "RankingOut",
    "ReopenedOut",
    "Representation",
    "ReviewOut",
    "SeedConfidential",
    "SeedOut",
    "SharedOut",
    "SuggestionOut",
    "declines_out",
    "findings_out",
    "match_out",
    "need_out",
    "organisation_named",
    "ranking_out",
    "seed_out",
]
