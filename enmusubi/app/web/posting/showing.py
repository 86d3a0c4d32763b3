"""What the page of a form shows beside what was typed, and the page itself."""

import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi.responses import Response

from enmusubi.app.catalogue.listing import OrganisationQuery, list_organisations
from enmusubi.app.models import Need
from enmusubi.app.vocabulary import EntryStatus, OrganisationKind
from enmusubi.app.web.asking import Screen, text_of
from enmusubi.app.web.forms import WHOLE, Filled
from enmusubi.app.web.posting import filling, finding, once
from enmusubi.app.web.posting.finding import Found
from enmusubi.app.web.posting.live import Live
from enmusubi.app.web.posting.previewing import Preview
from enmusubi.app.web.posting.sheets import Entry, Sheet

_MOST_ROWS: Final = 200
_MOST_NAMES: Final = 200


@dataclass(frozen=True, slots=True)
class Opened:
    """The entry that a form changes, as it is stored."""

    entry: Entry
    texts: dict[str, Any] = field(repr=False)

    @property
    def status(self) -> EntryStatus:
        """Its status."""
        return EntryStatus(self.entry.status)


@dataclass(frozen=True, slots=True)
class Theirs:
    """A field that somebody else has changed while this form was filled in."""

    name: str
    value: Any
    taken: bool
    """Whether it stands in the form now, since the reader had not touched the field."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the form shows beside what was typed."""

    filled: Filled
    opened: Opened | None = None
    version: str = ""
    base: str = ""
    theirs: tuple[Theirs, ...] = ()
    conflict: bool = False
    found: tuple[Found, ...] | None = None
    """What may identify the owner; None where nobody has looked."""
    asks_anyway: str = ""
    """Which button is to be pressed once more, by one who has seen the findings."""
    live: Live | None = None
    preview: Preview | None = None
    blank_rows: int = 1


def open_entry(screen: Screen, sheet: Sheet, public_id: uuid.UUID) -> Opened:
    """The entry to be changed; nothing of its confidential part is shown by that. Raises what the policy says."""
    entry, detail = sheet.read_to_change(screen.session, screen.caller, public_id)
    owner = detail.owner if isinstance(entry, Need) else entry.organisation
    texts = filling.texts_of(sheet, sheet.as_draft(entry, detail), owner.name if owner else None)
    return Opened(entry, texts)


def fresh(screen: Screen, sheet: Sheet, opened: Opened) -> Shown:
    """The form as the entry fills it in."""
    base = filling.digests(sheet, filling.shown_fields(screen, sheet), opened.texts)
    return Shown(Filled(opened.texts), opened, str(opened.entry.version), base)


def form(screen: Screen, sheet: Sheet, shown: Shown, status: int = 200) -> Response:
    """The page with the form."""
    opened = shown.opened
    found = shown.found or ()
    return screen.show(
        f"posting/{sheet.kind}.html",
        status,
        sheet=sheet,
        shown=shown,
        filled=shown.filled,
        found=finding.by_field(found),
        # What was seen once stays seen, as long as its words are the same.
        seen=sorted({*screen.form.getlist(finding.SEEN), *(one.mark for one in found)}),
        once=_once(screen, shown),
        address=f"/{sheet.kind}s/new" if opened is None else f"/{sheet.kind}s/{opened.entry.public_id}/edit",
        choices=lambda name: sheet.choices(screen.speech, name),
        rows=[*shown.filled.values.get("researchers", ()), *([{}] * shown.blank_rows)][:_MOST_ROWS],
        parts=filling.RESEARCHER,
        coordinates=screen.caller.coordinates,
        owners=_owners(screen, sheet) if screen.caller.coordinates else [],
        writer=screen.caller.public_id,
    )


def _owners(screen: Screen, sheet: Sheet) -> list[str]:
    """Names to choose from of those that can own the entry: the newest; any other can be typed."""
    query = OrganisationQuery(limit=_MOST_NAMES, kind=OrganisationKind.COMPANY if sheet.kind == "need" else None)
    listed = list_organisations(screen.session, screen.caller, query)
    companies = sheet.kind == "need"
    return [one.name for one in listed.rows if (one.kind == OrganisationKind.COMPANY) == companies]


def _once(screen: Screen, shown: Shown) -> str:
    """The number of the form: the same until it was sent, a new one where it has been."""
    number = text_of(screen.form, once.FIELD)
    return number if number and not shown.filled.errors.get(WHOLE) else once.new()
