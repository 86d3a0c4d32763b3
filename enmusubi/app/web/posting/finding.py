"""Would this identify you? What was found, in the text it is in, with what to write instead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from starlette.datastructures import FormData

from enmusubi.app import identifying
from enmusubi.app.schemas import NeedDraft
from enmusubi.app.vocabulary import Language
from enmusubi.app.web.asking import Screen
from enmusubi.matching.identifying import Finding

SEEN: Final = "seen"
"""Fields of the form: what its writer has been shown, and may decide on."""
_AROUND: Final = 24


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as its writer sees it: its place, the words around it, and what to write instead."""

    field: str
    before: str
    text: str
    after: str
    kind: str
    sureness: str
    suggestion: str
    mark: str
    """Names it in the form that is sent again."""


def findings(screen: Screen, draft: NeedDraft) -> list[Found]:
    """What of a draft may tell whose it is; nothing where it is not anonymous."""
    if not draft.anonymous:
        return []
    texts = identifying.public_texts(draft)
    found = identifying.check_draft(screen.session, screen.caller, draft)
    return [_found(screen.speech.language, one, texts[one.field]) for one in found]


def unseen(form: FormData, found: Iterable[Found]) -> list[Found]:
    """Those that the writer of the form has not been shown."""
    seen = set(form.getlist(SEEN))
    return [one for one in found if one.mark not in seen]


def by_field(found: Sequence[Found]) -> dict[str, list[Found]]:
    """The findings of each field of the form."""
    fields: dict[str, list[Found]] = {}
    for one in found:
        fields.setdefault(one.field, []).append(one)
    return fields


def _found(language: Language, finding: Finding, text: str) -> Found:
    start, end = max(0, finding.start - _AROUND), finding.end + _AROUND
    said: dict[str, Any] = {Language.JA: finding.suggestion.ja, Language.EN: finding.suggestion.en}
    return Found(
        field=finding.field.partition("/")[0],
        before=("…" if start else "") + text[start : finding.start],
        text=text[finding.start : finding.end],
        after=text[finding.end : end] + ("…" if end < len(text) else ""),
        kind=str(finding.kind),
        sureness=str(finding.sureness),
        suggestion=said[language],
        mark=sha256(f"{finding.field}\n{finding.kind}\n{finding.text}".encode("utf-8", "replace")).hexdigest()[:16],
    )
