"""Codes in facts, as words in a letter."""

from typing import Final

from enmusubi.app.vocabulary import Awaited, EntryStatus, Language, MatchStatus, ReasonCode, Side, Step

LABELS: Final[dict[str, tuple[str, str]]] = {
    "days": ("日数", "Days"),
    "due_on": ("期限", "Due"),
    "awaited": ("お待ちしている事項", "Waiting for"),
    "side": ("担当", "From"),
    "step": ("内容", "What was done"),
    "status": ("状態", "Status"),
    "expires_on": ("有効期限", "Valid until"),
    "reason": ("理由", "Reason"),
    "reasons": ("理由", "Reasons"),
    "count": ("件数", "Number"),
    "more": ("次回以降にお知らせする件数", "More of them wait for a later digest"),
    "accepted": ("取り込み", "Taken"),
    "rejected": ("却下", "Rejected"),
}
"""The facts that letters show, in Japanese and English; others are for programs."""

_WORDS: Final[dict[str, tuple[str, str]]] = {
    ReasonCode.TOO_EARLY: ("時期尚早", "too early"),
    ReasonCode.BENEFIT_UNCLEAR: ("効果が不明確", "benefit unclear"),
    ReasonCode.COMMERCIAL_ROUTE_UNCLEAR: ("事業化の道筋が不明確", "commercial route unclear"),
    ReasonCode.DESCRIPTION_UNCLEAR: ("説明が不明確", "description unclear"),
    ReasonCode.SCIENTIFIC_CONCERN: ("科学的な懸念", "scientific concern"),
    ReasonCode.OUT_OF_SCOPE: ("対象外", "out of scope"),
    ReasonCode.IP_POSITION: ("知財の状況", "position of intellectual property"),
    ReasonCode.CAPACITY: ("余力の不足", "no capacity"),
    ReasonCode.INTERNAL_PROJECT: ("社内で対応中", "own project under way"),
    ReasonCode.COMPLIANCE: ("法令・規程", "compliance"),
    ReasonCode.NO_ANSWER: ("回答なし", "no answer"),
    ReasonCode.ALREADY_IN_CONTACT: ("すでに接触あり", "already in contact"),
    ReasonCode.TERMS: ("条件の不一致", "terms"),
    EntryStatus.DRAFT: ("下書き", "draft"),
    EntryStatus.UNDER_REVIEW: ("確認中", "under review"),
    EntryStatus.PUBLISHED: ("公開", "published"),
    EntryStatus.ON_HOLD: ("保留", "on hold"),
    EntryStatus.REJECTED: ("差し戻し", "rejected"),
    EntryStatus.EXPIRED: ("期限切れ", "expired"),
    EntryStatus.ARCHIVED: ("保管", "archived"),
    EntryStatus.WITHDRAWN: ("取り下げ", "withdrawn"),
    MatchStatus.SUGGESTED: ("候補", "suggested"),
    MatchStatus.SHORTLISTED: ("選定", "shortlisted"),
    MatchStatus.INTRODUCED: ("紹介", "introduced"),
    MatchStatus.ACCEPTED: ("受諾", "accepted"),
    MatchStatus.DECLINED: ("辞退", "declined"),
    MatchStatus.DISCLOSED: ("開示", "disclosed"),
    MatchStatus.MEETING: ("面談", "meeting"),
    MatchStatus.NEGOTIATION: ("交渉", "negotiation"),
    MatchStatus.AGREEMENT: ("合意", "agreement"),
    MatchStatus.OUTCOME: ("成果", "outcome"),
    MatchStatus.DISMISSED: ("見送り", "dismissed"),
    Step.EXPRESS_INTEREST: ("関心の表明", "interest expressed"),
    Step.ACCEPT: ("紹介への同意", "introduction accepted"),
    Side.NEED: ("ニーズ側", "the need's side"),
    Side.SEED: ("シーズ側", "the seed's side"),
    Side.CLUSTER: ("コーディネータ", "the coordinator"),
    Awaited.INTRODUCTION: ("紹介", "introduction"),
    Awaited.ANSWER: ("回答", "answer"),
    Awaited.DISCLOSURE: ("情報の開示", "disclosure"),
    Awaited.REPORT: ("経過の報告", "report"),
}


def in_words(value: object, language: Language) -> str:
    """A fact's value: codes by their word, several with commas, all else as it is."""
    if isinstance(value, list):
        return ("、" if language is Language.JA else ", ").join(in_words(item, language) for item in value)
    words = _WORDS.get(str(value))
    return str(value) if words is None else words[0 if language is Language.JA else 1]
