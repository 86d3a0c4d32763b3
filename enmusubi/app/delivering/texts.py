"""What a notice says, by its kind, in the language of whoever reads it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from enmusubi.app.delivering.words import LABELS, in_words
from enmusubi.app.vocabulary import ALERTS, Language, NoticeKind

_SAYS: Final[dict[NoticeKind, dict[Language, tuple[str, str]]]] = {
    NoticeKind.INTEREST_ASKED: {
        Language.JA: (
            "紹介についてのご意向をお聞かせください",
            "マッチング候補について、紹介を希望されるかどうかの回答をお待ちしています。",
        ),
        Language.EN: (
            "Would you like to be introduced?",
            "A match awaits your answer: would you like to be introduced?",
        ),
    },
    NoticeKind.INTEREST_ANSWERED: {
        Language.JA: ("紹介についての回答がありました", "紹介の打診に対して回答がありました。"),
        Language.EN: ("An answer has come", "A question whether to be introduced has been answered."),
    },
    NoticeKind.INTRODUCTION_CLOSED: {
        Language.JA: ("紹介の手続きが終了しました", "紹介の手続きが終了しました。結果と理由は画面でご確認ください。"),
        Language.EN: (
            "An introduction has been closed",
            "An introduction has been closed; its result and reasons are shown with it.",
        ),
    },
    NoticeKind.DISCLOSED: {
        Language.JA: (
            "双方の情報が開示されました",
            "双方の同意により、相手方の情報が開示されました。画面でご確認ください。",
        ),
        Language.EN: ("Both sides are disclosed", "Both sides have agreed, and each can now see who the other is."),
    },
    NoticeKind.STEP_DUE: {
        Language.JA: ("期限が近づいています", "次の段階の期限が近づいています。"),
        Language.EN: ("A step is due", "The next step is due soon."),
    },
    NoticeKind.STEP_OVERDUE: {
        Language.JA: ("期限を過ぎています", "次の段階の期限を過ぎています。ご対応をお願いいたします。"),
        Language.EN: ("A step is overdue", "The next step is overdue. Please see to it."),
    },
    NoticeKind.HANDED_OVER: {
        Language.JA: ("担当が引き継がれました", "マッチングの担当があなたに引き継がれました。"),
        Language.EN: ("A match was handed over to you", "You are now the coordinator of a match."),
    },
    NoticeKind.ENTRY_EXPIRING: {
        Language.JA: (
            "まもなく有効期限を迎えます",
            "登録内容がまもなく有効期限を迎えます。継続される場合は期限を延長してください。",
        ),
        Language.EN: (
            "An entry is about to expire",
            "An entry of yours is about to expire. To keep it, move its date.",
        ),
    },
    NoticeKind.ENTRY_EXPIRED: {
        Language.JA: ("有効期限が切れました", "登録内容の有効期限が切れ、公開が終了しました。"),
        Language.EN: ("An entry has expired", "An entry has expired and is no longer shown."),
    },
    NoticeKind.ENTRY_REVIEWED: {
        Language.JA: ("登録内容の確認が終わりました", "登録内容の確認が終わりました。"),
        Language.EN: ("An entry has been reviewed", "An entry of yours has been reviewed."),
    },
    NoticeKind.ENTRY_SUBMITTED: {
        Language.JA: ("確認待ちの登録があります", "新しい登録が確認を待っています。"),
        Language.EN: ("An entry awaits review", "A new entry awaits your review."),
    },
    NoticeKind.DECLINES_DIGEST: {
        Language.JA: ("辞退理由のまとめ", "最近の辞退とその理由をまとめました。"),
        Language.EN: ("Why matches were declined", "What was declined of late, and why."),
    },
    NoticeKind.ALERT: {
        Language.JA: ("新しい候補が見つかりました", "ご登録の内容または保存された検索条件に合う新しい候補があります。"),
        Language.EN: ("A new candidate", "There is something new that fits an entry or a saved search of yours."),
    },
    NoticeKind.ALERT_DIGEST: {
        Language.JA: ("新しい候補のまとめ", "ご登録の内容または保存された検索条件に合う新しい候補をまとめました。"),
        Language.EN: ("New candidates", "What is new and fits your entries and saved searches."),
    },
    NoticeKind.IMPORT_FINISHED: {
        Language.JA: (
            "ファイルの取り込みが終わりました",
            "ファイルの取り込みが終わりました。結果は画面でご確認ください。",
        ),
        Language.EN: ("An import has finished", "An import has finished; its report is shown with it."),
    },
    NoticeKind.WEBHOOK_OFF: {
        Language.JA: (
            "Webhook を停止しました",
            "Webhook の送信先が応答しないため、送信を停止しました。未送信の通知は再送できます。",
        ),
        Language.EN: (
            "A webhook was switched off",
            "Its address has not taken any notice for days. What was not sent can be replayed.",
        ),
    },
    NoticeKind.NOBODY_ANSWERS: {
        Language.JA: (
            "回答できる方がいません",
            "紹介の打診に回答できるアカウントがありません。その機関の方を招待するか、紹介を終了してください。",
        ),
        Language.EN: (
            "Nobody can answer",
            "Nobody has an account to answer with. Invite somebody of that organisation, or close the introduction.",
        ),
    },
}
_FRAME: Final = {
    Language.JA: "{name} 様\n\n{says}\n{facts}\n{link}\n\nこのメールは Enmusubi が自動的に送信しています。\n",
    Language.EN: "Dear {name},\n\n{says}\n{facts}\n{link}\n\nThis letter was sent by Enmusubi.\n",
}
_SUBJECT: Final = {Language.JA: "【Enmusubi】{}", Language.EN: "[Enmusubi] {}"}


@dataclass(frozen=True, slots=True)
class Things:
    """The public ids of what a notice is about."""

    need: uuid.UUID | None = None
    seed: uuid.UUID | None = None
    match: uuid.UUID | None = None

    @property
    def path(self) -> str:
        """Where it is shown."""
        for noun, public_id in (("matches", self.match), ("needs", self.need), ("seeds", self.seed)):
            if public_id is not None:
                return f"/{noun}/{public_id}"
        return "/notices"


@dataclass(frozen=True, slots=True)
class Said:
    """A notice in one language."""

    subject: str
    text: str


def said(kind: NoticeKind, facts: Mapping[str, Any], language: Language) -> Said:
    """What a notice says: a line on what it is, and its facts as far as people read them."""
    subject, says = _SAYS[kind][language]
    return Said(subject, "\n".join([says, *_lines(facts, language)]))


def letter_text(kind: NoticeKind, facts: Mapping[str, Any], language: Language, name: str, link: str) -> Said:
    """Subject and body of the letter."""
    subject, says = _SAYS[kind][language]
    lines = "".join(f"\n{line}" for line in _lines(facts, language))
    # A name is one line: nobody writes paragraphs of their own into our letters.
    body = _FRAME[language].format(name=" ".join(name.split()), says=says, facts=lines and f"{lines}\n", link=link)
    return Said(_SUBJECT[language].format(subject), body)


def is_ordered(kind: NoticeKind) -> bool:
    """Whether it was ordered, and is stopped by one click."""
    return kind in ALERTS


def _lines(facts: Mapping[str, Any], language: Language) -> list[str]:
    mark = "：" if language is Language.JA else ": "
    return [
        f"{labels[0 if language is Language.JA else 1]}{mark}{in_words(facts[name], language)}"
        for name, labels in LABELS.items()
        if facts.get(name) is not None
    ]
