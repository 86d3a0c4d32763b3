"""Exactly what others will see of an entry, before it is posted."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from enmusubi.app.catalogue.needs import OwnerOutline
from enmusubi.app.catalogue.organisations import owner_to_be
from enmusubi.app.catalogue.rules import default_expiry
from enmusubi.app.models import Organisation
from enmusubi.app.schemas import NeedDraft
from enmusubi.app.web.asking import Screen
from enmusubi.app.web.languages import N_, Speech
from enmusubi.app.web.posting.fields import As
from enmusubi.app.web.posting.sheets import Draft, Sheet

_HEAD: Final = ("title", "summary", "translation_title", "translation_summary")
# The owner's own, or said in another way.
_NOT_SHOWN: Final = frozenset({"reference", "organisation", "anonymous", "expires_on", "open_for_interest", "language"})


@dataclass(frozen=True, slots=True)
class Preview:
    """What others see: the texts on top, whose it is, and every other public field that says something."""

    title: str | None
    summary: str | None
    translation_title: str | None
    translation_summary: str | None
    language: str | None
    owner: Organisation | None
    """None where it is not told, or there is none."""
    outline: OwnerOutline | None
    """All that is told of the owner of an anonymous need."""
    lines: list[tuple[str, str]]
    researchers: list[Any]
    expires_on: date


def preview(screen: Screen, sheet: Sheet, draft: Draft) -> Preview:
    """What others will see of a draft; nothing of it is stored."""
    owner = owner_to_be(screen.session, screen.caller, draft.organisation)
    veiled = isinstance(draft, NeedDraft) and draft.anonymous
    outline = OwnerOutline(owner.kind, owner.size_band, owner.region) if veiled and owner else None
    return Preview(
        title=draft.title,
        summary=draft.summary,
        translation_title=draft.translation_title,
        translation_summary=draft.translation_summary,
        language=draft.language,
        owner=None if veiled else owner,
        outline=outline,
        lines=_lines(screen.speech, sheet, draft),
        researchers=list(getattr(draft, "researchers", ())),
        expires_on=draft.expires_on or default_expiry(),
    )


def _lines(speech: Speech, sheet: Sheet, draft: Draft) -> list[tuple[str, str]]:
    left_out = {*_HEAD, *_NOT_SHOWN, *sheet.confidential}
    lines = []
    for name, field in sheet.fields.items():
        value = getattr(draft, name, None)
        if name in left_out or field.written is As.ROWS or value is None or value == []:
            continue
        lines.append((speech.say(field.label), _said(speech, sheet, name, value)))
    return lines


def _said(speech: Speech, sheet: Sheet, name: str, value: Any) -> str:
    written = sheet.fields[name].written
    if written in (As.CHOICE, As.TICKS):
        words = dict(sheet.choices(speech, name))
        codes = value if isinstance(value, list) else [value]
        # A yes or no is chosen by its code, too.
        return speech.say(N_(", ")).join(words[str(code).lower()] for code in codes)
    if written is As.LIST:
        return speech.say(N_(", ")).join(value)
    return speech.day(value) if isinstance(value, date) else str(value)
