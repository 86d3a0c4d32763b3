"""The tables: clusters, organisations, people and how they sign in, seeds, needs, matches, notices, the record."""

from enmusubi.app.models.alerts import Alert, AlertSettings, AlertStop, SavedSearch, ToMatch
from enmusubi.app.models.entries import (
    EntryPassages,
    Need,
    NeedDetail,
    NeedExclusion,
    NeedOpening,
    PublicationReview,
    Seed,
    SeedDetail,
    SeedOpening,
)
from enmusubi.app.models.imports import Import, ImportRow
from enmusubi.app.models.indicators import IndicatorFigures, IndicatorState
from enmusubi.app.models.introductions import Disclosure, Interest, MatchStep, Outcome, StepActor, Wait
from enmusubi.app.models.maps import MapDrawing, MapPosition
from enmusubi.app.models.matches import Decline, Fitting, Match, Review
from enmusubi.app.models.notices import Delivery, Notice, WebhookEndpoint
from enmusubi.app.models.organisations import Cluster, ClusterSettings, Organisation
from enmusubi.app.models.origins import Origin
from enmusubi.app.models.people import (
    Account,
    ApiToken,
    IdempotentReply,
    Invitation,
    OidcSignIn,
    PasswordReset,
    SignedIn,
    Throttle,
)
from enmusubi.app.models.queues import QueueView
from enmusubi.app.models.record import RecordActor, RecordEvent

__all__ = [
    "Account",
    "Alert",
    "AlertSettings",
    "AlertStop",
    "ApiToken",
    "Cluster",
    "ClusterSettings",
    "Decline",
    "Delivery",
    "Disclosure",
    "EntryPassages",
    "Fitting",
    "IdempotentReply",
    "Import",
    "ImportRow",
    "IndicatorFigures",
    "IndicatorState",
    "Interest",
    "Invitation",
    "MapDrawing",
    "MapPosition",
    "Match",
    "MatchStep",
    "Need",
    "NeedDetail",
    "NeedExclusion",
    "NeedOpening",
    "Notice",
    "OidcSignIn",
    "Organisation",
    "Origin",
    "Outcome",
    "PasswordReset",
    "PublicationReview",
    "QueueView",
    "RecordActor",
    "RecordEvent",
    "Review",
    "SavedSearch",
    "Seed",
    "SeedDetail",
    "SeedOpening",
    "SignedIn",
    "StepActor",
    "Throttle",
    "ToMatch",
    "Wait",
    "WebhookEndpoint",
]
