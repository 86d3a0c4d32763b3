"""The words of the closed vocabularies, as people read them; one place, so that a word is the same everywhere."""

from enum import StrEnum
from typing import Final

from enmusubi.app.vocabulary import (
    Awaited,
    Cooperation,
    EntryStatus,
    EntryStep,
    ImportKind,
    ImportState,
    IprStatus,
    Language,
    Letters,
    MatchStatus,
    OrganisationKind,
    OriginKind,
    OutcomeKind,
    ReasonCode,
    Role,
    Scope,
    Side,
    SizeBand,
    Stage,
    Step,
    Verdict,
)
from enmusubi.app.web.languages import N_, Speech

_WORDS: Final[dict[type[StrEnum], dict[str, str]]] = {
    Language: {Language.JA: "日本語", Language.EN: "English"},  # each in its own
    Role: {
        Role.COMPANY: N_("company"),
        Role.UNIVERSITY: N_("university or institute"),
        Role.COORDINATOR: N_("coordinator"),
        Role.CLUSTER_ADMINISTRATOR: N_("cluster administrator"),
        Role.AUDITOR: N_("auditor"),
    },
    OrganisationKind: {
        OrganisationKind.UNIVERSITY: N_("university"),
        OrganisationKind.PUBLIC_RESEARCH: N_("public research institute"),
        OrganisationKind.COMPANY: N_("company"),
        OrganisationKind.CORE: N_("core organisation"),
    },
    SizeBand: {
        SizeBand.MICRO: N_("1 to 20 people"),
        SizeBand.SMALL: N_("21 to 100 people"),
        SizeBand.MEDIUM: N_("101 to 300 people"),
        SizeBand.UPPER_MEDIUM: N_("301 to 1,000 people"),
        SizeBand.LARGE: N_("more than 1,000 people"),
    },
    EntryStatus: {
        EntryStatus.DRAFT: N_("draft"),
        EntryStatus.UNDER_REVIEW: N_("under review"),
        EntryStatus.PUBLISHED: N_("published"),
        EntryStatus.ON_HOLD: N_("on hold"),
        EntryStatus.REJECTED: N_("sent back"),
        EntryStatus.EXPIRED: N_("expired"),
        EntryStatus.ARCHIVED: N_("archived"),
        EntryStatus.WITHDRAWN: N_("withdrawn"),
    },
    EntryStep: {
        EntryStep.SUBMIT: N_("Publish"),
        EntryStep.RECALL: N_("Take back"),
        EntryStep.HOLD: N_("Put on hold"),
        EntryStep.RESUME: N_("Resume"),
        EntryStep.RENEW: N_("Renew"),
        EntryStep.ARCHIVE: N_("Archive"),
        EntryStep.WITHDRAW: N_("Withdraw"),
        EntryStep.APPROVE: N_("Approve"),
        EntryStep.REJECT: N_("Send back"),
        EntryStep.EXPIRE: N_("Expire"),
    },
    Stage: {
        Stage.CONCEPT: N_("concept"),
        Stage.UNDER_DEVELOPMENT: N_("under development"),
        Stage.LAB_TESTED: N_("tested in the laboratory"),
        Stage.AVAILABLE_FOR_DEMONSTRATION: N_("available for demonstration"),
        Stage.ON_THE_MARKET: N_("on the market"),
    },
    IprStatus: {
        IprStatus.NONE: N_("none"),
        IprStatus.SECRET_KNOW_HOW: N_("secret know-how"),
        IprStatus.APPLIED: N_("patent applied for"),
        IprStatus.GRANTED: N_("patent granted"),
    },
    Cooperation: {
        Cooperation.JOINT_RESEARCH: N_("joint research"),
        Cooperation.COMMISSIONED_RESEARCH: N_("commissioned research"),
        Cooperation.TECHNICAL_CONSULTATION: N_("technical consultation"),
        Cooperation.ACADEMIC_GUIDANCE: N_("academic guidance"),
        Cooperation.LICENCE: N_("licence"),
        Cooperation.CLINICAL_TRIAL: N_("clinical trial"),
    },
    OriginKind: {
        OriginKind.SEED: N_("seed"),
        OriginKind.NEED: N_("need"),
        OriginKind.MATCH: N_("match"),
        OriginKind.OUTCOME: N_("outcome"),
    },
    OutcomeKind: {
        OutcomeKind.JOINT_RESEARCH: N_("joint research"),
        OutcomeKind.COMMISSIONED_RESEARCH: N_("commissioned research"),
        OutcomeKind.TECHNICAL_CONSULTATION: N_("technical consultation"),
        OutcomeKind.ACADEMIC_GUIDANCE: N_("academic guidance"),
        OutcomeKind.CLINICAL_TRIAL: N_("clinical trial"),
        OutcomeKind.PATENT_APPLICATION: N_("patent application"),
        OutcomeKind.LICENCE: N_("licence"),
        OutcomeKind.START_UP: N_("start-up"),
        OutcomeKind.COMMERCIALISATION: N_("commercialisation"),
    },
    MatchStatus: {
        MatchStatus.SUGGESTED: N_("suggested"),
        MatchStatus.SHORTLISTED: N_("shortlisted"),
        MatchStatus.INTRODUCED: N_("introduced"),
        MatchStatus.ACCEPTED: N_("accepted"),
        MatchStatus.DECLINED: N_("declined"),
        MatchStatus.DISCLOSED: N_("disclosed"),
        MatchStatus.MEETING: N_("meeting"),
        MatchStatus.NEGOTIATION: N_("negotiation"),
        MatchStatus.AGREEMENT: N_("agreement"),
        MatchStatus.OUTCOME: N_("outcome"),
        MatchStatus.DISMISSED: N_("dismissed"),
    },
    Verdict: {Verdict.SHORTLIST: N_("Shortlist"), Verdict.DISMISS: N_("Dismiss")},
    ReasonCode: {
        ReasonCode.TOO_EARLY: N_("too early"),
        ReasonCode.BENEFIT_UNCLEAR: N_("benefit unclear"),
        ReasonCode.COMMERCIAL_ROUTE_UNCLEAR: N_("commercial route unclear"),
        ReasonCode.DESCRIPTION_UNCLEAR: N_("description unclear"),
        ReasonCode.SCIENTIFIC_CONCERN: N_("scientific concern"),
        ReasonCode.OUT_OF_SCOPE: N_("out of scope"),
        ReasonCode.IP_POSITION: N_("intellectual property"),
        ReasonCode.CAPACITY: N_("no capacity"),
        ReasonCode.INTERNAL_PROJECT: N_("own project under way"),
        ReasonCode.COMPLIANCE: N_("compliance"),
        ReasonCode.NO_ANSWER: N_("no answer"),
        ReasonCode.ALREADY_IN_CONTACT: N_("already in contact"),
        ReasonCode.TERMS: N_("terms"),
    },
    Step: {
        Step.SHORTLIST: N_("shortlisted"),
        Step.DISMISS: N_("dismissed"),
        Step.RECONSIDER: N_("verdict taken back"),
        Step.PAIR: N_("paired by hand"),
        Step.INTRODUCE: N_("introduction offered"),
        Step.EXPRESS_INTEREST: N_("interest expressed"),
        Step.ACCEPT: N_("introduction accepted"),
        Step.DECLINE: N_("introduction declined"),
        Step.DISCLOSE: N_("both sides disclosed"),
        Step.MEET: N_("meeting"),
        Step.NEGOTIATE: N_("negotiation"),
        Step.AGREE: N_("agreement"),
        Step.REPORT_OUTCOME: N_("outcome reported"),
        Step.CLOSE: N_("closed"),
        Step.LAPSE: N_("lapsed without an answer"),
        Step.REOPEN: N_("back, since the cause has changed"),
        Step.HAND_OVER: N_("handed over"),
        Step.REMIND: N_("reminded"),
        Step.ESCALATE: N_("the coordinator was told"),
        Step.RAISE: N_("the administrators were told"),
    },
    Side: {Side.NEED: N_("the need's side"), Side.SEED: N_("the seed's side"), Side.CLUSTER: N_("the coordinator")},
    Awaited: {
        Awaited.INTRODUCTION: N_("introduction"),
        Awaited.ANSWER: N_("answer"),
        Awaited.DISCLOSURE: N_("disclosure"),
        Awaited.MEETING: N_("meeting"),
        Awaited.REPORT: N_("report"),
        Awaited.OUTCOME: N_("outcome"),
    },
    Letters: {Letters.ALL: N_("all notices"), Letters.NEEDED: N_("only what asks for an answer")},
    Scope: {
        Scope.READ: N_("read"),
        Scope.WRITE: N_("write"),
        Scope.REVIEW: N_("review"),
        Scope.ADMINISTER: N_("administer"),
    },
    ImportKind: {ImportKind.SEEDS: N_("seeds"), ImportKind.NEEDS: N_("needs")},
    ImportState: {
        ImportState.QUEUED: N_("waiting its turn"),
        ImportState.RUNNING: N_("being read"),
        ImportState.FINISHED: N_("finished"),
        ImportState.FAILED: N_("not read to its end"),
        ImportState.CANCELLED: N_("cancelled"),
    },
}
_KINDS: Final = {kind.__name__: kind for kind in _WORDS}


def word(speech: Speech, value: str, kind: str | None = None) -> str:
    """The word of a code; `kind` names its vocabulary where the value is plain text, such as a stored status."""
    name = type(value).__name__ if isinstance(value, StrEnum) else kind
    if name is None:
        raise TypeError(f"which vocabulary is {value!r} of? name it: word('EntryStatus')")
    return speech.say(_WORDS[_KINDS[name]][value])


def choices(speech: Speech, kind: str) -> list[tuple[str, str]]:
    """All codes of a vocabulary with their words, in its order."""
    return [(str(code), speech.say(said)) for code, said in _WORDS[_KINDS[kind]].items()]
