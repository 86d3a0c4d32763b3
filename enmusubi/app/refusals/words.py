"""What is said of a "no" and of what answers it, in Japanese and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from enmusubi.app.vocabulary import EntryChange, ReasonCode


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages of the product."""

    ja: str
    en: str


REASONS: Final[Mapping[ReasonCode, Words]] = MappingProxyType(
    {
        ReasonCode.TOO_EARLY: Words("技術がまだ早い段階にある", "it is too early"),
        ReasonCode.BENEFIT_UNCLEAR: Words("得られる効果がわからない", "the benefit is unclear"),
        ReasonCode.COMMERCIAL_ROUTE_UNCLEAR: Words("事業化の道筋が見えない", "the way to the market is unclear"),
        ReasonCode.DESCRIPTION_UNCLEAR: Words("説明がわかりにくい", "the description is unclear"),
        ReasonCode.SCIENTIFIC_CONCERN: Words("技術的な疑問がある", "there are scientific doubts"),
        ReasonCode.OUT_OF_SCOPE: Words("求める範囲から外れている", "it is out of scope"),
        ReasonCode.IP_POSITION: Words("知的財産の状況が合わない", "the position of the intellectual property"),
        ReasonCode.CAPACITY: Words("対応する余力がない", "there is no capacity for it"),
        ReasonCode.INTERNAL_PROJECT: Words("自らの計画で取り組んでいる", "an internal project is at it already"),
        ReasonCode.COMPLIANCE: Words("法令・規程上できない", "compliance"),
        ReasonCode.NO_ANSWER: Words("回答がなかった", "there was no answer"),
        ReasonCode.ALREADY_IN_CONTACT: Words("すでにやり取りがある", "both are in contact already"),
        ReasonCode.TERMS: Words("条件が合わない", "the terms do not suit"),
    }
)

ADVICE: Final[Mapping[EntryChange, Words]] = MappingProxyType(
    {
        EntryChange.TRL_RAISED: Words("TRLが上がったら更新する", "raise the TRL once it has risen"),
        EntryChange.STAGE_RAISED: Words(
            "開発段階が進んだら更新する",
            "update the stage once it has advanced",
        ),
        EntryChange.WANTED_TRL_LOWERED: Words("求めるTRLを下げる", "ask for a lower TRL"),
        EntryChange.IPR_ADVANCED: Words(
            "出願・登録されたら知財の状況を更新する", "update the rights once they are applied for or granted"
        ),
        EntryChange.LICENSABLE: Words("実施許諾を可とする", "offer a licence"),
        EntryChange.TRANSFERABLE: Words("譲渡を可とする", "offer a transfer"),
        EntryChange.TEXT_REVISED: Words("公開の説明文を書き直す", "revise the public text"),
        EntryChange.SUBJECT_REVISED: Words(
            "題名・要約・用途・キーワードを見直す", "revise title, summary, applications or keywords"
        ),
        EntryChange.DEADLINE_MOVED: Words("期限を延ばす", "move the deadline"),
        EntryChange.TERMS_CHANGED: Words(
            "予算または連携形態を見直す",
            "change the budget or the forms of cooperation",
        ),
        EntryChange.OPENED_AGAIN: Words("受付を再開する", "open it for interest again"),
        EntryChange.READY_AGAIN: Words("「再び対応できます」と知らせる", "say that you are ready again"),
        EntryChange.HEARD_AGAIN: Words("登録内容を更新する", "revise or renew the entry"),
    }
)

_SINCE: Final[Mapping[EntryChange, Words]] = MappingProxyType(
    {
        EntryChange.TRL_RAISED: Words(
            "TRLが{before}から{after}に上がったため再提案",
            "back since TRL rose from {before} to {after}",
        ),
        EntryChange.STAGE_RAISED: Words(
            "開発段階が「{before}」から「{after}」に進んだため再提案",
            "back since its stage advanced from {before} to {after}",
        ),
        EntryChange.WANTED_TRL_LOWERED: Words(
            "求めるTRLが{before}から{after}に下がったため再提案",
            "back since the wanted TRL fell from {before} to {after}",
        ),
        EntryChange.IPR_ADVANCED: Words(
            "知財の状況が「{before}」から「{after}」に変わったため再提案",
            "back since its rights went from {before} to {after}",
        ),
        EntryChange.LICENSABLE: Words("実施許諾が可能になったため再提案", "back since a licence is offered"),
        EntryChange.TRANSFERABLE: Words("譲渡が可能になったため再提案", "back since a transfer is offered"),
        EntryChange.TEXT_REVISED: Words("説明文が書き直されたため再提案", "back since its text was revised"),
        EntryChange.SUBJECT_REVISED: Words(
            "内容が見直されたため再提案",
            "back since what it is about was revised",
        ),
        EntryChange.DEADLINE_MOVED: Words(
            "期限が{before}から{after}に延びたため再提案",
            "back since the deadline moved from {before} to {after}",
        ),
        EntryChange.TERMS_CHANGED: Words(
            "条件が見直されたため再提案",
            "back since its terms were changed",
        ),
        EntryChange.OPENED_AGAIN: Words(
            "受付が再開されたため再提案",
            "back since it is open for interest again",
        ),
        EntryChange.READY_AGAIN: Words("再び対応できるため再提案", "back since its owner is ready again"),
        EntryChange.HEARD_AGAIN: Words(
            "登録内容が更新されたため再提案",
            "back since its owner is heard of again",
        ),
    }
)
_VALUES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "concept": Words("構想", "concept"),
        "under_development": Words("開発中", "under development"),
        "lab_tested": Words("実験室で検証済み", "lab tested"),
        "available_for_demonstration": Words("実証可能", "available for demonstration"),
        "on_the_market": Words("市販", "on the market"),
        "none": Words("なし", "none"),
        "secret_know_how": Words("ノウハウ秘匿", "secret know-how"),
        "applied": Words("出願中", "applied for"),
        "granted": Words("登録済み", "granted"),
    }
)
_UNSAID: Final = Words("未記入", "not stated")


def since_words(since: Mapping[str, Any]) -> Words:
    """Why a pair is back, from what is stored of the change."""
    before, after = (_shown(since.get(name)) for name in ("before", "after"))
    words = _SINCE[EntryChange(since["change"])]
    return Words(words.ja.format(before=before.ja, after=after.ja), words.en.format(before=before.en, after=after.en))


def _shown(value: int | str | None) -> Words:
    if value is None:
        return _UNSAID
    return _VALUES.get(str(value)) or Words(str(value), str(value))
