"""The letters of signing in, in the language of whoever gets them."""

import datetime
from dataclasses import dataclass
from typing import Final

from enmusubi.app.mail import Letter
from enmusubi.app.vocabulary import Language, Role

ROLES: Final[dict[Language, dict[Role, str]]] = {
    Language.JA: {
        Role.COMPANY: "企業",
        Role.UNIVERSITY: "大学・研究機関",
        Role.COORDINATOR: "コーディネータ",
        Role.CLUSTER_ADMINISTRATOR: "クラスター管理者",
        Role.AUDITOR: "監査担当",
    },
    Language.EN: {
        Role.COMPANY: "company",
        Role.UNIVERSITY: "university",
        Role.COORDINATOR: "coordinator",
        Role.CLUSTER_ADMINISTRATOR: "cluster administrator",
        Role.AUDITOR: "auditor",
    },
}
_INVITATION: Final = {
    Language.JA: (
        "【Enmusubi】{cluster} への招待",
        "{name} 様\n\n{cluster} から、シーズとニーズのマッチングサービス Enmusubi に招待されています。\n"
        "役割: {role}\n{organisation}\n"
        "次のリンクを開いて、アカウントを作成してください（{days}日間有効、1回限り）。\n\n{link}\n\n"
        "お心当たりがない場合は、このメールを破棄してください。\n",
    ),
    Language.EN: (
        "[Enmusubi] Invitation to {cluster}",
        "Dear {name},\n\n{cluster} invites you to Enmusubi, its service for matching technology seeds and needs.\n"
        "Role: {role}\n{organisation}\n"
        "Open this link to make your account. It works once, for {days} days.\n\n{link}\n\n"
        "If you did not expect this letter, please delete it.\n",
    ),
}
_ORGANISATION: Final = {Language.JA: "所属: {}\n", Language.EN: "Organisation: {}\n"}
_RESET: Final = {
    Language.JA: (
        "【Enmusubi】パスワードの再設定",
        "{name} 様\n\n"
        "次のリンクを開いて、新しいパスワードを設定してください（{minutes}分間有効、1回限り）。\n\n{link}\n\n"
        "再設定を依頼していない場合は、このメールを破棄してください。パスワードは変わりません。\n",
    ),
    Language.EN: (
        "[Enmusubi] Your new password",
        "Dear {name},\n\nOpen this link to choose a new password. It works once, for {minutes} minutes.\n\n{link}\n\n"
        "If you did not ask for it, please delete this letter: your password stays as it is.\n",
    ),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter goes to."""

    email: str
    name: str
    language: Language


def invitation(
    reader: Reader, cluster: str, role: Role, organisation: str | None, lifetime: datetime.timedelta, link: str
) -> Letter:
    """Asks a person to join."""
    owner = _ORGANISATION[reader.language].format(_line(organisation)) if organisation else ""
    subject, body = _INVITATION[reader.language]
    words = {"name": _line(reader.name), "cluster": _line(cluster), "role": ROLES[reader.language][role]}
    return Letter(
        reader.email,
        subject.format(**words),
        body.format(**words, organisation=owner, days=lifetime.days, link=link),
    )


def reset(reader: Reader, lifetime: datetime.timedelta, link: str) -> Letter:
    """Lets a person choose a new password."""
    subject, body = _RESET[reader.language]
    minutes = int(lifetime.total_seconds() // 60)
    return Letter(reader.email, subject, body.format(name=_line(reader.name), minutes=minutes, link=link))


def _line(text: str) -> str:
    # A name is one line: nobody writes paragraphs of their own, or a second header, into our letters.
    return " ".join(text.split())
