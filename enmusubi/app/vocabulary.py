"""The closed vocabularies of the field: roles, kinds, states and reason codes (DOMAIN terms)."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account does in its cluster."""

    COMPANY = "company"
    UNIVERSITY = "university"
    COORDINATOR = "coordinator"
    CLUSTER_ADMINISTRATOR = "cluster_administrator"
    AUDITOR = "auditor"


WITHOUT_ORGANISATION: Final = (Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR)
"""Whoever oversees everybody belongs to none: its drafts and confidential texts would be their own."""


class Language(StrEnum):
    """What a person is written to in."""

    JA = "ja"
    EN = "en"


class Scope(StrEnum):
    """What an API token may be used for, within what its account may do."""

    READ = "read"
    WRITE = "write"
    REVIEW = "review"
    ADMINISTER = "administer"


class SignInMethod(StrEnum):
    """How a person proved who they are."""

    PASSWORD = "password"  # noqa: S105 the name of a method
    OIDC = "oidc"


class OrganisationKind(StrEnum):
    """What an organisation is; `core` is the cluster's core organisation (中核機関)."""

    UNIVERSITY = "university"
    PUBLIC_RESEARCH = "public_research"
    COMPANY = "company"
    CORE = "core"


class SizeBand(StrEnum):
    """Number of employees of a company."""

    MICRO = "1-20"
    SMALL = "21-100"
    MEDIUM = "101-300"
    UPPER_MEDIUM = "301-1000"
    LARGE = "1001+"


class EntryStatus(StrEnum):
    """The life of a seed or a need."""

    DRAFT = "draft"
    UNDER_REVIEW = "under_review"
    PUBLISHED = "published"
    ON_HOLD = "on_hold"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"


class EntryStep(StrEnum):
    """What can be done to an entry that changes its status, or keeps it for longer."""

    SUBMIT = "submit"
    RECALL = "recall"
    HOLD = "hold"
    RESUME = "resume"
    RENEW = "renew"
    ARCHIVE = "archive"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"


class ReviewedKinds(StrEnum):
    """Which entries of a cluster a second pair of eyes looks at before they are published."""

    OFF = "off"
    SEEDS = "seeds"
    NEEDS = "needs"
    BOTH = "both"


class PublicationVerdict(StrEnum):
    """What whoever reviews an entry says of it."""

    APPROVE = "approve"
    REJECT = "reject"


class Stage(StrEnum):
    """Development stage of a seed (開発段階)."""

    CONCEPT = "concept"
    UNDER_DEVELOPMENT = "under_development"
    LAB_TESTED = "lab_tested"
    AVAILABLE_FOR_DEMONSTRATION = "available_for_demonstration"
    ON_THE_MARKET = "on_the_market"


class IprStatus(StrEnum):
    """State of the intellectual property of a seed (知財の状況)."""

    NONE = "none"
    SECRET_KNOW_HOW = "secret_know_how"  # noqa: S105 a kind of right, not a password
    APPLIED = "applied"
    GRANTED = "granted"


class Cooperation(StrEnum):
    """Forms of cooperation a need asks for (連携形態)."""

    JOINT_RESEARCH = "joint_research"
    COMMISSIONED_RESEARCH = "commissioned_research"
    TECHNICAL_CONSULTATION = "technical_consultation"
    ACADEMIC_GUIDANCE = "academic_guidance"
    LICENCE = "licence"
    CLINICAL_TRIAL = "clinical_trial"


class MatchStatus(StrEnum):
    """The path of a match; the steps after `shortlisted` belong to introductions by consent."""

    SUGGESTED = "suggested"
    SHORTLISTED = "shortlisted"
    INTRODUCED = "introduced"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    DISCLOSED = "disclosed"
    MEETING = "meeting"
    NEGOTIATION = "negotiation"
    AGREEMENT = "agreement"
    OUTCOME = "outcome"
    DISMISSED = "dismissed"


class Verdict(StrEnum):
    """A coordinator's verdict on a match."""

    SHORTLIST = "shortlist"
    DISMISS = "dismiss"


class ReasonCode(StrEnum):
    """Why a match was turned down: one set for every side."""

    TOO_EARLY = "too_early"
    BENEFIT_UNCLEAR = "benefit_unclear"
    COMMERCIAL_ROUTE_UNCLEAR = "commercial_route_unclear"
    DESCRIPTION_UNCLEAR = "description_unclear"
    SCIENTIFIC_CONCERN = "scientific_concern"
    OUT_OF_SCOPE = "out_of_scope"
    IP_POSITION = "ip_position"
    CAPACITY = "capacity"
    INTERNAL_PROJECT = "internal_project"
    COMPLIANCE = "compliance"
    NO_ANSWER = "no_answer"
    ALREADY_IN_CONTACT = "already_in_contact"
    TERMS = "terms"


class EntryChange(StrEnum):
    """What of an entry, or of its side, has changed since a match with it was turned down."""

    TRL_RAISED = "trl_raised"
    STAGE_RAISED = "stage_raised"
    WANTED_TRL_LOWERED = "wanted_trl_lowered"
    IPR_ADVANCED = "ipr_advanced"
    LICENSABLE = "licensable"
    TRANSFERABLE = "transferable"
    TEXT_REVISED = "text_revised"
    """Any public text."""
    SUBJECT_REVISED = "subject_revised"
    """What it is about: title, summary, applications or keywords."""
    DEADLINE_MOVED = "deadline_moved"
    TERMS_CHANGED = "terms_changed"
    OPENED_AGAIN = "opened_again"
    READY_AGAIN = "ready_again"
    """Its owner says so."""
    HEARD_AGAIN = "heard_again"
    """Its owner, who was silent, revises it."""


class Side(StrEnum):
    """Whose step it is, or who is waited for: one of the two sides of a match, or the cluster between them."""

    NEED = "need"
    SEED = "seed"
    CLUSTER = "cluster"


class Step(StrEnum):
    """What can be done to a match."""

    SHORTLIST = "shortlist"
    DISMISS = "dismiss"
    RECONSIDER = "reconsider"
    PAIR = "pair"
    INTRODUCE = "introduce"
    EXPRESS_INTEREST = "express_interest"
    ACCEPT = "accept"
    DECLINE = "decline"
    DISCLOSE = "disclose"
    MEET = "meet"
    NEGOTIATE = "negotiate"
    AGREE = "agree"
    REPORT_OUTCOME = "report_outcome"
    CLOSE = "close"
    LAPSE = "lapse"
    REOPEN = "reopen"
    HAND_OVER = "hand_over"
    REMIND = "remind"
    ESCALATE = "escalate"
    RAISE = "raise"


class InterestAnswer(StrEnum):
    """What a side says to being introduced."""

    WAITING = "waiting"
    YES = "yes"
    NO = "no"
    NONE = "none"
    """Silence, which is no consent: it was closed before an answer came."""


class Awaited(StrEnum):
    """What somebody is waited for."""

    INTRODUCTION = "introduction"
    ANSWER = "answer"
    DISCLOSURE = "disclosure"
    MEETING = "meeting"
    REPORT = "report"
    OUTCOME = "outcome"


class Hindrance(StrEnum):
    """Why what the coordinator is waited for, or a side, cannot be done now."""

    NEED_NOT_OPEN = "need_not_open"
    """To be introduced, it is not open; to be disclosed, it has come to its end."""
    SEED_NOT_OPEN = "seed_not_open"
    EXCLUDED = "excluded"
    """The need excludes the seed's organisation by now."""
    NOBODY_FOR_NEED = "nobody_for_need"
    """Its organisation has no account that could answer."""
    NOBODY_FOR_SEED = "nobody_for_seed"


class OutcomeKind(StrEnum):
    """What came of a match, as clusters report it."""

    JOINT_RESEARCH = "joint_research"
    COMMISSIONED_RESEARCH = "commissioned_research"
    TECHNICAL_CONSULTATION = "technical_consultation"
    ACADEMIC_GUIDANCE = "academic_guidance"
    CLINICAL_TRIAL = "clinical_trial"
    PATENT_APPLICATION = "patent_application"
    LICENCE = "licence"
    START_UP = "start_up"
    COMMERCIALISATION = "commercialisation"


class OriginKind(StrEnum):
    """What a seed or a need may have grown from."""

    SEED = "seed"
    NEED = "need"
    MATCH = "match"
    OUTCOME = "outcome"


class Breakdown(StrEnum):
    """What the rows of a cluster's indicators are of."""

    CLUSTER = "cluster"
    ORGANISATION = "organisation"
    OWNER = "owner"
    """Organisations, those behind anonymous needs among them: for coordinators alone."""
    FIELD = "field"
    COORDINATOR = "coordinator"


class Counted(StrEnum):
    """What one row of them is of."""

    CLUSTER = "cluster"
    ORGANISATION = "organisation"
    ANONYMOUS = "anonymous"
    """The companies behind anonymous needs, all together."""
    ELSEWHERE = "elsewhere"
    """Organisations of other clusters, all together."""
    FIELD = "field"
    COORDINATOR = "coordinator"
    NONE = "none"
    """What belongs to no organisation, field or coordinator."""


class FileContent(StrEnum):
    """What an ingested file holds."""

    SEEDS = "seeds"
    NEEDS = "needs"
    ORGANISATIONS = "organisations"


class ImportKind(StrEnum):
    """What a posted file holds."""

    SEEDS = "seeds"
    NEEDS = "needs"


class ImportState(StrEnum):
    """How far a posted file is."""

    CHECKING = "checking"
    """To be looked through before anything is entered, as who drops it on a page wants."""
    MAPPING = "mapping"
    """Looked through: waits for the decision of who posted it."""
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    """Not read, or not to its end; its report says why."""
    CANCELLED = "cancelled"


class RowOutcome(StrEnum):
    """What became of a row of a posted file that was taken."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class FittingKind(StrEnum):
    """What can be fitted to an installation's own reviews."""

    POLICY = "policy"
    CALIBRATION = "calibration"


class Action(StrEnum):
    """What the record says was done."""

    VIEWED = "viewed"
    CREATED = "created"
    REVISED = "revised"
    WITHDRAWN = "withdrawn"
    MOVED = "moved"
    PROPOSED = "proposed"
    REVIEWED = "reviewed"
    STEPPED = "stepped"
    DISCLOSED = "disclosed"
    INGESTED = "ingested"
    TOKEN_ISSUED = "token_issued"  # noqa: S105 what was done, not a token
    TOKENS_REVOKED = "tokens_revoked"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 what was done, not a password
    INVITED = "invited"
    JOINED = "joined"
    IDENTITY_LINKED = "identity_linked"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    FITTED = "fitted"
    SWITCHED_OFF = "switched_off"
    REMOVED = "removed"
    ALERTS_STOPPED = "alerts_stopped"
    EXPORTED = "exported"
    RETAINED = "retained"
    ERASED = "erased"


class RecordedKind(StrEnum):
    """What the record says it was done to."""

    SEED = "seed"
    NEED = "need"
    ORGANISATION = "organisation"
    MATCH = "match"
    ACCOUNT = "account"
    INVITATION = "invitation"
    CLUSTER = "cluster"
    FITTING = "fitting"
    SAVED_SEARCH = "saved_search"
    QUEUE_VIEW = "queue_view"
    WEBHOOK = "webhook"
    RECORD = "record"
    IMPORT = "import"


class NoticeKind(StrEnum):
    """What people are told of."""

    INTEREST_ASKED = "interest_asked"
    INTEREST_ANSWERED = "interest_answered"
    INTRODUCTION_CLOSED = "introduction_closed"
    DISCLOSED = "disclosed"
    STEP_DUE = "step_due"
    STEP_OVERDUE = "step_overdue"
    HANDED_OVER = "handed_over"
    ENTRY_EXPIRING = "entry_expiring"
    ENTRY_EXPIRED = "entry_expired"
    ENTRY_REVIEWED = "entry_reviewed"
    ENTRY_SUBMITTED = "entry_submitted"
    DECLINES_DIGEST = "declines_digest"
    ALERT = "alert"
    ALERT_DIGEST = "alert_digest"
    IMPORT_FINISHED = "import_finished"
    WEBHOOK_OFF = "webhook_off"
    NOBODY_ANSWERS = "nobody_answers"


ANSWERS_WANTED: Final = frozenset(
    {
        NoticeKind.INTEREST_ASKED,
        NoticeKind.STEP_DUE,
        NoticeKind.STEP_OVERDUE,
        NoticeKind.HANDED_OVER,
        NoticeKind.ENTRY_EXPIRING,
        NoticeKind.ENTRY_SUBMITTED,
        NoticeKind.NOBODY_ANSWERS,
    }
)
"""Notices that ask something of their reader: somebody waits, so their letters cannot be switched off."""

ALERTS: Final = frozenset({NoticeKind.ALERT, NoticeKind.ALERT_DIGEST})
"""Notices that were ordered, and whose letters are stopped by one click."""


class Audience(StrEnum):
    """Who is told: looked up when a notice goes out, so that who causes it never learns who they are."""

    NEED_SIDE = "need_side"
    """The company that the need belongs to."""
    SEED_SIDE = "seed_side"
    """The university or institute that the seed belongs to."""
    COORDINATORS = "coordinators"
    """Who coordinates the match; all of the cluster where nobody does yet."""
    ADMINISTRATORS = "administrators"
    """The cluster's administrators."""
    ACCOUNT = "account"
    """One person."""


class AlertFrequency(StrEnum):
    """When a person is told of new partners."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


class Stopped(StrEnum):
    """What a link in a letter stops."""

    ENTRIES = "entries"
    """Alerts about entries of one's own, at once."""
    SEARCH = "search"
    """One saved search."""
    DAILY = "daily"
    """The daily digest, whatever is in it."""


class Letters(StrEnum):
    """Which notices a person gets as letters too."""

    ALL = "all"
    NEEDED = "needed"
    """Only those that ask for an answer."""


class Channel(StrEnum):
    """How a notice reaches its reader."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    """Given up after the last attempt; to be replayed."""
    STOPPED = "stopped"
    """Not to be sent: not wanted, no address, or nothing to send it with. Its reader's list shows the notice."""
