"""Enter rows of a posted file into the catalogue, as the account's own calls would."""

import datetime
import secrets
import uuid
from typing import Any, Final

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enmusubi.app.catalogue import needs, seeds
from enmusubi.app.catalogue.rules import FromFile
from enmusubi.app.errors import EnmusubiError
from enmusubi.app.importing.reading import CLOSED, OPEN, Reading, is_active
from enmusubi.app.importing.reporting import end, note, told
from enmusubi.app.models import Import, ImportRow, Need, Seed
from enmusubi.app.schemas import NeedDraft, SeedDraft
from enmusubi.app.vocabulary import EntryStatus, ImportKind, ImportState, RowOutcome
from enmusubi.ingest import sources
from enmusubi.ingest.identifying import tells_owner
from enmusubi.ingest.rows import Loaded
from enmusubi.ingest.sources import Entry, Problem
from enmusubi.ingest.whose import Whose

_CHANCE = secrets.SystemRandom()
_DAY_SECONDS: Final = 86_400


def enter(
    reading: Reading, kind: ImportKind, batch: list[tuple[str, Entry]], loaded: Loaded, number: int, total: int | None
) -> bool:
    """Enter a batch and say how far it is, in one transaction; False where there is nothing to go on with.

    As when the import was cancelled, or its account closed, which ends it.
    """
    with reading.writing() as (session, made):
        if made.state not in OPEN:
            return False
        if not is_active(session, reading.caller):
            note(made, loaded, total)
            end(reading, session, made, ImportState.FAILED, CLOSED)
            return False
        model: type[Seed] | type[Need] = Seed if kind is ImportKind.SEEDS else Need
        known = stored_before(session, reading, model, made.source, batch)
        whose = Whose(reading.caller, model)
        rows: list[dict[str, Any]] = []
        refused = list(made.refused)
        identifying = list(made.identifying)
        for external_id, entry in batch:
            row = known.get(external_id)
            if row is not None and row.source_digest == entry.digest:
                made.unchanged += 1
                rows.append(_row(made, entry, RowOutcome.UNCHANGED, row.public_id))
                continue
            try:
                # What the database or a rule refuses leaves nothing of its row, and all of the others.
                with session.begin_nested():
                    owner = whose.of(session, entry)
                    stored = (
                        _add(reading, session, external_id, entry, owner, made.source)
                        if row is None
                        else _revise(reading, session, row.public_id, external_id, entry, owner)
                    )
                    public_id = stored.public_id
                    waits = stored.status == EntryStatus.UNDER_REVIEW
            except EnmusubiError as error:
                reason = error.detail
            except IntegrityError:
                # Its words may quote the row. A draft that the account does not see may have the id.
                reason = "external_id: an entry with this id exists already"
            else:
                made.new += row is None
                made.changed += row is not None
                made.waiting += waits
                outcome = RowOutcome.NEW if row is None else RowOutcome.CHANGED
                rows.append(_row(made, entry, outcome, public_id))
                if tells_owner(entry):
                    identifying.append(entry.line)
                continue
            refused.append(told(Problem(sources.Place(made.file, entry.line), None, reason)))
        made.refused, made.identifying, made.batches = refused, identifying, number
        note(made, loaded, total)
        session.flush()
        if rows:
            session.execute(insert(ImportRow), rows)
        # What was entered is not needed any more: memory stays as it is, however long the file.
        session.expire_all()
    return True


def stored_before(
    session: Session, reading: Reading, model: type[Seed] | type[Need], source: str, batch: list[tuple[str, Entry]]
) -> dict[str | None, Row[str | None, uuid.UUID, bytes | None, str]]:
    """What the catalogue holds of a batch, by the ids of its rows."""
    query = select(model.external_id, model.public_id, model.source_digest, model.status).where(
        model.cluster_id == reading.caller.cluster_id,
        model.source == source,
        model.external_id.in_([external_id for external_id, _ in batch]),
    )
    return {row.external_id: row for row in session.execute(query)}


def _row(made: Import, entry: Entry, outcome: RowOutcome, public_id: uuid.UUID) -> dict[str, Any]:
    return {"import_id": made.id, "line": entry.line, "outcome": outcome, "entry": public_id}


def _add(
    reading: Reading, session: Session, external_id: str, entry: Entry, owner: uuid.UUID | None, source: str
) -> Seed | Need:
    file = FromFile(source, entry.digest, _entered(reading, entry))
    draft = entry.draft.model_copy(update={"external_id": external_id, "organisation": owner})
    today = reading.clock.today()
    if isinstance(draft, SeedDraft):
        return seeds.register_seed(session, reading.caller, draft, reading.encoder, today, file)
    return needs.post_need(session, reading.caller, draft, reading.encoder, today, file)


def _entered(reading: Reading, entry: Entry) -> datetime.datetime:
    now = reading.clock.now()
    if isinstance(entry.draft, SeedDraft):
        return now
    # Rows of one transaction would share its time, which joins an anonymous need to the others of its file.
    return now - datetime.timedelta(seconds=_CHANCE.uniform(0, _DAY_SECONDS))


def _revise(
    reading: Reading,
    session: Session,
    public_id: uuid.UUID,
    external_id: str,
    entry: Entry,
    owner: uuid.UUID | None,
) -> Seed | Need:
    """Put the row in the entry's place: fields that it does not have are empty again, but for those set by hand."""
    draft = entry.draft
    by_hand = {"status", "expires_on", "opened_to", "organisation"} - draft.model_fields_set
    if owner is not None and (entry.organisation is not None or draft.organisation is not None):
        by_hand.discard("organisation")
    values = {name: getattr(draft, name) for name in type(draft).model_fields if name not in by_hand}
    values |= {"external_id": external_id} | ({} if "organisation" in by_hand else {"organisation": owner})
    changes = type(draft).model_construct(_fields_set=set(values), **values)
    today = reading.clock.today()
    stored: Seed | Need
    if isinstance(draft, NeedDraft):
        stored = needs.revise_need(session, reading.caller, public_id, None, changes, reading.encoder, today)
    else:
        stored = seeds.revise_seed(session, reading.caller, public_id, None, changes, reading.encoder, today)
    stored.source_digest = entry.digest
    session.flush()
    return stored
