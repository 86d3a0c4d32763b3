"""From an empty form to a stored entry, and from a stored one to a changed one; nothing that was typed is lost."""

import uuid
from dataclasses import replace
from typing import Any, Final

from fastapi.responses import Response

from enmusubi.app.catalogue.rules import check_revisable
from enmusubi.app.errors import (
    ConflictError,
    EnmusubiError,
    ForbiddenError,
    InvalidInputError,
    PreconditionFailedError,
)
from enmusubi.app.identifying import CHECKED
from enmusubi.app.models import Need
from enmusubi.app.permissions import Relation, require
from enmusubi.app.schemas import NeedDraft
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.app.web.asking import Screen, text_of
from enmusubi.app.web.forms import WHOLE, Filled
from enmusubi.app.web.languages import N_
from enmusubi.app.web.posting import filling, finding, once
from enmusubi.app.web.posting.live import matches
from enmusubi.app.web.posting.previewing import preview
from enmusubi.app.web.posting.sheets import Draft, Entry, Sheet, view_confidential
from enmusubi.app.web.posting.showing import Opened, Shown, Theirs, form, fresh, open_entry

DO: Final = "do"
"""The field of the button that was pressed."""
ANYWAY: Final = "-anyway"
_ASKED: Final = {"draft": EntryStatus.DRAFT, "hold": EntryStatus.ON_HOLD, "post": EntryStatus.PUBLISHED}
_SAVES: Final = (*_ASKED, "save")
_SHOWN_TO_OTHERS: Final = (
    EntryStatus.PUBLISHED, EntryStatus.ON_HOLD, EntryStatus.UNDER_REVIEW, EntryStatus.EXPIRED,
)  # fmt: skip


def begin(screen: Screen, sheet: Sheet) -> Response:
    """An empty form."""
    require(screen.caller, sheet.right, Relation.OWN)
    values = filling.texts_of(sheet, {"anonymous": True, "open_for_interest": True}, None)
    return form(screen, sheet, Shown(Filled(values)))


def post(screen: Screen, sheet: Sheet) -> Response:
    """What the pressed button asks of a form that makes an entry."""
    require(screen.caller, sheet.right, Relation.OWN)
    _refuse_other_writer(screen)
    draft, filled = filling.read(screen, sheet)
    button = text_of(screen.form, DO)
    pressed, anyway = button.removesuffix(ANYWAY), button.endswith(ANYWAY)
    shown = Shown(filled)
    if pressed not in _ASKED:
        return _look(screen, sheet, shown, draft, pressed)
    if draft is None:
        return form(screen, sheet, shown, 422)
    draft = draft.model_copy(update={"status": _ASKED[pressed]})
    try:
        if pressed != "draft" and (veiled := _to_decide(screen, draft, pressed, anyway=anyway, shown=shown)):
            return form(screen, sheet, veiled)
        if earlier := _sent_before(screen):
            return screen.go(earlier)
        address, done = _create(screen, sheet, draft)
        once.keep(screen, f"{address}?done={done}")
        return screen.go(address, done=done)
    except (InvalidInputError, ConflictError) as error:
        return _refused(screen, sheet, shown, error)


def edit(screen: Screen, sheet: Sheet, public_id: uuid.UUID) -> Response:
    """The form of a stored entry; that its confidential part is shown is recorded."""
    opened = open_entry(screen, sheet, public_id)
    check_revisable(opened.entry, None)
    view_confidential(screen.session, screen.caller, opened.entry)
    return form(screen, sheet, fresh(screen, sheet, opened))


def revise(screen: Screen, sheet: Sheet, public_id: uuid.UUID) -> Response:
    """What the pressed button asks of a form that changes an entry."""
    opened = open_entry(screen, sheet, public_id)
    _refuse_other_writer(screen)
    draft, filled = filling.read(screen, sheet, opened.texts)
    button = text_of(screen.form, DO)
    pressed, anyway = button.removesuffix(ANYWAY), button.endswith(ANYWAY)
    version = text_of(screen.form, "version")
    shown = Shown(filled, opened, version, text_of(screen.form, "base"))
    if pressed not in _SAVES:
        return _look(screen, sheet, shown, draft, pressed)
    if version != str(opened.entry.version):
        return _conflict(screen, sheet, shown)
    if draft is None:
        return form(screen, sheet, shown, 422)
    names = filling.changed(sheet, filling.shown_fields(screen, sheet), filled.values, opened.texts)
    values = {name: getattr(draft, name) for name in names}
    if pressed in _ASKED:
        values["status"] = _ASKED[pressed]
    address = f"{sheet.list_address}/{public_id}"
    if not values:
        return screen.go(address, done="unchanged")
    try:
        if _goes_out(opened, pressed, values) and (
            veiled := _to_decide(screen, draft, pressed, anyway=anyway, shown=shown)
        ):
            return form(screen, sheet, veiled)
        matchmaking, today = screen.runtime.matchmaking, screen.runtime.clock.today()
        changes = sheet.revision.model_validate(values)
        entry = sheet.revise(
            screen.session, screen.caller, public_id, opened.entry.version, changes, matchmaking.encoder, today
        )
    except PreconditionFailedError:
        screen.start_over()
        return _conflict(screen, sheet, replace(shown, opened=open_entry(screen, sheet, public_id)))
    except (InvalidInputError, ConflictError) as error:
        return _refused(screen, sheet, shown, error)
    done = "saved" if pressed == "save" else _done(entry)
    return screen.go(f"{address}/edit" if entry.status == EntryStatus.DRAFT else address, done=done)


def _create(screen: Screen, sheet: Sheet, draft: Draft) -> tuple[str, str]:
    """Store the entry; where the browser is sent, and what is said there."""
    matchmaking, today = screen.runtime.matchmaking, screen.runtime.clock.today()
    entry = sheet.create(screen.session, screen.caller, draft, matchmaking.encoder, today)
    if isinstance(entry, Need) and entry.status == EntryStatus.PUBLISHED:
        # As the API does: its matches are there when its owner, or a coordinator, looks.
        proposals = matchmaking.for_need(screen.session, screen.caller, entry, 10)
        matchmaking.keep_for_need(screen.session, screen.caller, entry, proposals)
    address = f"{sheet.list_address}/{entry.public_id}"
    return f"{address}/edit" if entry.status == EntryStatus.DRAFT else address, _done(entry)


def _done(entry: Entry) -> str:
    return {
        EntryStatus.DRAFT: "draft-saved",
        EntryStatus.ON_HOLD: "saved",
        EntryStatus.UNDER_REVIEW: "submitted",
    }.get(EntryStatus(entry.status), "posted")


def _look(screen: Screen, sheet: Sheet, shown: Shown, draft: Draft | None, pressed: str) -> Response:
    """Answer a button that stores nothing: check, preview, matches, a further row."""
    if pressed == "add":
        return form(screen, sheet, replace(shown, filled=_unsaid(shown.filled), blank_rows=2))
    if pressed.startswith("drop-"):
        rows = list(shown.filled.values["researchers"])
        kept = [row for place, row in enumerate(rows) if pressed != f"drop-{place}"]
        filled = _unsaid(Filled({**shown.filled.values, "researchers": kept}))
        return form(screen, sheet, replace(shown, filled=filled))
    if pressed == "match":
        return form(screen, sheet, replace(shown, filled=_unsaid(shown.filled), live=matches(screen, sheet)))
    if draft is None:
        return form(screen, sheet, shown, 422)
    try:
        if pressed == "preview":
            return form(screen, sheet, replace(shown, preview=preview(screen, sheet, draft)))
        found = tuple(finding.findings(screen, draft)) if isinstance(draft, NeedDraft) else None
        return form(screen, sheet, replace(shown, found=found))
    except (InvalidInputError, ConflictError) as error:
        return _refused(screen, sheet, shown, error)


def _unsaid(filled: Filled) -> Filled:
    """What was typed, without what is wrong with it: nobody has asked for that yet."""
    return Filled(filled.values)


def _to_decide(screen: Screen, draft: Draft, pressed: str, *, anyway: bool, shown: Shown) -> Shown | None:
    """The form with what may identify the owner of an anonymous need, where its writer has not decided on it."""
    if not isinstance(draft, NeedDraft):
        return None
    found = finding.findings(screen, draft)
    left = finding.unseen(screen.form, found) if anyway else found
    return replace(shown, found=tuple(found), asks_anyway=pressed) if left else None


def _goes_out(opened: Opened, pressed: str, values: dict[str, Any]) -> bool:
    """Whether others will read words of an anonymous need that they have not read before."""
    if not isinstance(opened.entry, Need):
        return False
    if pressed in _ASKED:
        return pressed != "draft"
    return opened.status in _SHOWN_TO_OTHERS and bool({*CHECKED, "anonymous"} & set(values))


def _conflict(screen: Screen, sheet: Sheet, shown: Shown) -> Response:
    """The form with what its reader typed, on top of what somebody else has stored meanwhile."""
    opened = shown.opened
    assert opened is not None  # only a stored entry can have changed
    check_revisable(opened.entry, None)
    base = filling.began_with(screen.form)
    values, theirs = dict(shown.filled.values), []
    names = filling.shown_fields(screen, sheet)
    for name in filling.changed(sheet, names, values, opened.texts):
        if filling.is_as_begun(sheet, name, opened.texts[name], base):
            continue  # changed by nobody but the reader
        taken = filling.is_as_begun(sheet, name, values.get(name), base)
        theirs.append(Theirs(name, opened.texts[name], taken))
        if taken:
            values[name] = opened.texts[name]
    view_confidential(screen.session, screen.caller, opened.entry)
    # An error of a field that holds another's value now is gone with what caused it.
    replaced = {one.name for one in theirs if one.taken}
    errors = {name: said for name, said in shown.filled.errors.items() if name not in replaced}
    begun = fresh(screen, sheet, opened)
    return form(screen, sheet, replace(begun, filled=Filled(values, errors), theirs=tuple(theirs), conflict=True), 412)


def _refused(screen: Screen, sheet: Sheet, shown: Shown, error: EnmusubiError) -> Response:
    """The form with what a use case has to say against it, at the field it names."""
    screen.start_over()
    # What was loaded before belongs to the transaction that is undone.
    opened = None if shown.opened is None else open_entry(screen, sheet, shown.opened.entry.public_id)
    located = error.extra.get("errors") or []
    for one in located:
        name = str(one["at"]).strip("/").partition("/")[0]
        shown.filled.add(name if name in sheet.fields else WHOLE, screen.speech.say(str(one["reason"])))
    if not located:
        name = error.detail.partition(":")[0]
        name = name if name in sheet.fields else WHOLE
        said = screen.speech.say(error.detail).removeprefix(f"{name}: ")
        shown.filled.add(name, said)
    return form(screen, sheet, replace(shown, opened=opened), error.status)


def _sent_before(screen: Screen) -> str | None:
    try:
        return once.made_before(screen)
    except InvalidInputError:
        said = N_("This form was sent before with something else in it. Send it again to make a further entry.")
        raise InvalidInputError(said) from None


def _refuse_other_writer(screen: Screen) -> None:
    """A form that one person filled in is not sent by another, who signed in at the same browser meanwhile."""
    writer = text_of(screen.form, "writer")
    if writer and writer != str(screen.caller.public_id):
        raise ForbiddenError("this form was opened by another person who used this browser; open it again yourself")
