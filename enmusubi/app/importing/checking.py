"""Look through a posted file before anything of it is entered: its columns, its first rows, and what is wrong."""

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy.orm import Session

from enmusubi.app.catalogue import rules
from enmusubi.app.errors import EnmusubiError
from enmusubi.app.importing.entering import stored_before
from enmusubi.app.importing.reading import PostedFile, Reading, small_batches
from enmusubi.app.importing.reporting import end, reasons, told
from enmusubi.app.models import Import, Need, Seed
from enmusubi.app.vocabulary import EntryStatus, ImportKind, ImportState
from enmusubi.ingest import sources
from enmusubi.ingest.identifying import tells_owner
from enmusubi.ingest.rows import Loaded
from enmusubi.ingest.sources import Entry, Look, Place, Problem, Source, SourceError
from enmusubi.ingest.sources.fields import TEXTS
from enmusubi.ingest.whose import Whose

FIRST_ROWS: Final = 5
"""Rows that are shown as they would be entered."""
MOST_PROBLEMS: Final = 300
"""Problems that are shown; it is said how many there are."""
LONGEST_SHOWN: Final = 300
"""Characters of a text in the preview, which marks what it leaves out."""


class _Overtaken(Exception):  # noqa: N818 nothing went wrong
    """It was cancelled, or is to be looked through in another way."""


def check(reading: Reading) -> None:
    """Look through the whole file, and leave it to whoever posted it to decide; killed, it is begun again."""
    with reading.file() as file:
        if file is None:
            return
        try:
            look = sources.look(file.path, file.of, sheet=file.sheet)
        except SourceError as error:
            with reading.writing() as (session, made):
                if _is_same(made, file):
                    end(reading, session, made, ImportState.FAILED, _named(error, file))
            return
        if not file.mapping:
            file = _laid_out(reading, file, look)
            if file is None:
                return
        try:
            checked, mend = _looked_through(reading, file, look)
        except _Overtaken:
            return
        with reading.writing() as (_, made):
            if _is_same(made, file):
                made.checked, made.mend, made.state = checked, mend, ImportState.MAPPING


def _named(error: SourceError, file: PostedFile) -> str:
    return str(error).replace(file.path.name, file.name)


def _is_same(made: Import, file: PostedFile) -> bool:
    return made.state == ImportState.CHECKING and made.layout == file.layout


def _laid_out(reading: Reading, file: PostedFile, look: Look) -> PostedFile | None:
    """The file with the proposal as its layout: what is shown is what is read, whatever would be recognised later."""
    layout: dict[str, Any] = {"sheet": look.sheet, "mapping": look.mapping}
    with reading.writing() as (_, made):
        if not _is_same(made, file):
            return None
        made.layout = layout
    return PostedFile(file.path, file.name, file.kind, layout, file.source, file.batches)


def _looked_through(reading: Reading, file: PostedFile, look: Look) -> tuple[dict[str, Any], bytes | None]:
    loaded, found = Loaded(), _Found(reading, file)
    checked: dict[str, Any] = {
        "sheet": look.sheet, "sheets": look.sheets, "columns": [asdict(column) for column in look.columns],
        "fault": None, "notes": [],
    }  # fmt: skip
    mend, problems = None, []
    if any(field.partition(":")[0] in TEXTS[file.of] for field in file.mapping.values()):
        try:
            source = sources.read(file.path, file.of, mapping=file.mapping, sheet=file.sheet)
            for batch in small_batches(source, loaded, file.name):
                found.count(batch, loaded, source)
            checked["notes"] = list(source.notes)
            problems = sorted((*map(told, loaded.rejected), *found.refused), key=lambda each: each["line"] or 0)
            mend = source.to_mend(reasons(problems))
        except SourceError as error:
            # It may be the layout that is wrong, which can be chosen otherwise.
            checked["fault"] = _named(error, file)
    else:
        checked["fault"] = f"{file.name} has no heading that names a text of a {file.of}"
    lines = {problem["line"] for problem in problems if problem["line"] is not None}
    counts = {"new": found.new, "changed": found.changed, "unchanged": found.unchanged, "rejected": len(lines)}
    return {
        **checked, **counts, "read": sum(counts.values()), "problems": problems[:MOST_PROBLEMS],
        "problems_found": len(problems), "rows": found.rows, "identifying": found.identifying,
    }, mend  # fmt: skip


class _Found:
    """What would become of the rows."""

    def __init__(self, reading: Reading, file: PostedFile) -> None:
        self._reading = reading
        self._file = file
        self._model: type[Seed] | type[Need] = Seed if file.kind is ImportKind.SEEDS else Need
        self.new = self.changed = self.unchanged = self.identifying = 0
        self.refused: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []

    def count(self, batch: list[tuple[str, Entry]], loaded: Loaded, source: Source) -> None:
        """Look what the catalogue holds of a batch, and say how far it is."""
        reading = self._reading
        with reading.writing() as (session, made):
            if not _is_same(made, self._file):
                raise _Overtaken
            known = stored_before(session, reading, self._model, self._file.source, batch)
            whose = Whose(reading.caller, self._model)
            for external_id, entry in batch:
                row = known.get(external_id)
                if row is not None and row.source_digest == entry.digest:
                    self.unchanged += 1
                elif (reason := self._refusal(session, whose, entry, None if row is None else row.status)) is not None:
                    self.refused.append(told(Problem(Place(self._file.name, entry.line), None, reason)))
                    continue
                else:
                    self.new += row is None
                    self.changed += row is not None
                    self.identifying += tells_owner(entry)
                if len(self.rows) < FIRST_ROWS:
                    self.rows.append({"line": entry.line, "values": _values(entry)})
            made.read, made.total = loaded.read, source.total

    def _refusal(self, session: Session, whose: Whose, entry: Entry, status: str | None) -> str | None:
        """What the catalogue's rules say of it, as far as they need nothing to be entered.

        A coordinator's file adds the owners that it names, which a look must not.
        """
        try:
            rules.refuse_past(entry.draft.expires_on)
            rules.check_expiry(entry.draft.expires_on)
            if not self._reading.caller.coordinates:
                whose.of(session, entry)
        except EnmusubiError as error:
            return error.detail
        if status == EntryStatus.WITHDRAWN:
            return "the entry is withdrawn and can no longer be revised; enter it anew"
        return None


def _values(entry: Entry) -> dict[str, Any]:
    """What would be entered, by field, with long texts shortened."""
    values = entry.draft.model_dump(mode="json", exclude_unset=True)
    if entry.organisation is not None:
        named = entry.organisation
        values["organisation_name"] = named.name or named.corporate_number or named.ror
    return {name: _short(value) for name, value in values.items() if value not in (None, [], "")}


def _short(value: Any) -> Any:
    if isinstance(value, list):
        shown = [_short(item) for item in value[: LONGEST_SHOWN // 10]]
        return [*shown, "…"] if len(shown) < len(value) else shown
    if isinstance(value, dict):
        return _short(str(value.get("name") or ""))
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        return value[: LONGEST_SHOWN - 1] + "…"
    return value
