"""From the cells of one row to a checked entry, or to a located problem for each cell that is wrong."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from enmusubi.app import identifiers
from enmusubi.app.schemas import NeedDraft, SeedDraft, ShortText
from enmusubi.ingest.sources import cells, fields
from enmusubi.ingest.sources.grid import is_blank
from enmusubi.ingest.sources.headings import Column
from enmusubi.ingest.sources.report import WITHHELD, Entry, Kind, OrganisationNamed, Place, Problem, shown

_DRAFTS: dict[Kind, type[SeedDraft] | type[NeedDraft]] = {"seed": SeedDraft, "need": NeedDraft}
_NAME: TypeAdapter[str] = TypeAdapter(ShortText)
_OWNER_CHECKS: dict[str, Callable[[str], str]] = {
    "organisation_ror": identifiers.ror,
    "organisation_corporate_number": identifiers.corporate_number,
}
_RESEARCHER = {
    "researcher_orcids": "orcid",
    "researcher_erad_numbers": "erad_number",
    "researcher_researchmaps": "researchmap",
}


class _Row:
    """The cells of one row while they are read."""

    def __init__(self, kind: Kind, file: str, line: int) -> None:
        self.kind: Kind = kind
        self.file = file
        self.line = line
        self.filled: list[tuple[Column, object]] = []
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []

    def refuse(self, field: str | None, reason: str, column: Column | None = None, value: object = None) -> None:
        """Note a problem at the cell that fills the field."""
        if column is None and field is not None:
            column, value = next(((c, v) for c, v in self.filled if c.field == field), (None, None))
        field = column.field if column is not None else field
        if field in fields.CONFIDENTIAL[self.kind]:
            display: str | None = WITHHELD
        else:
            display = None if column is None or value is None else _display(value)
        heading = shown(column.heading) if column is not None else None
        self.problems.append(Problem(Place(self.file, self.line, heading), display, reason))

    def read(self, filled: Sequence[tuple[Column, object]]) -> None:
        """Parse each cell into the value of its field."""
        for column, value in filled:
            if column.target is None or column.field is None or is_blank(value):
                continue
            self.filled.append((column, value))
            if isinstance(value, str) and "\x00" in value:
                self.refuse(column.field, "contains a NUL character, which no text may hold", column, value)
                continue
            try:
                parsed = self._parsed(column, value)
            except cells.CellError as error:
                self.refuse(column.field, str(error), column, value)
                continue
            if parsed is not None:
                self._keep(column, value, parsed)

    def _parsed(self, column: Column, value: object) -> object | None:
        assert column.target is not None
        if column.field == "researchers" or (column.field == "organisation_name" and isinstance(value, dict)):
            return value
        if column.field in ("researcher_names", *_RESEARCHER):
            if isinstance(value, cells.Unreadable):
                raise cells.CellError(value.reason)
            return _people(value, column.field)
        return cells.parse(value, column.target)

    def _keep(self, column: Column, value: object, parsed: Any) -> None:
        field = str(column.field)
        if field not in self.values:
            self.values[field] = parsed
        elif field in fields.LISTS:
            self.values[field] = [*self.values[field], *(item for item in parsed if item not in self.values[field])]
        else:
            self.refuse(field, f"is a second value of {field}; leave one of the two cells empty", column, value)


def _display(value: object) -> str | None:
    if isinstance(value, cells.Unreadable):
        return None
    if isinstance(value, list | dict):
        return shown(json.dumps(value, ensure_ascii=False, default=str)[: 4 * 60])
    try:
        return shown(cells.text_of(value))
    except cells.CellError:
        return shown(value)


def _people(value: object, field: str) -> list[str] | None:
    """The items of a column of researchers, blank ones kept, since they are paired by their order."""
    items = cells.split(value, cells.NAMES, empty=True)
    if len(items) == 1 and not isinstance(value, list):
        parts = [part.strip() for part in items[0].replace("，", ",").split(",")]
        if field == "researcher_names" and len(parts) > 1 and any(" " not in part and part.isascii() for part in parts):
            raise cells.CellError("may name one researcher or several; separate researchers by ; (研究者名)")
        items = parts
    items = ["" if cells.is_missing(item) else item for item in items]
    return items if any(items) else None


def build(kind: Kind, file: str, line: int, filled: Sequence[tuple[Column, object]]) -> list[Entry | Problem]:
    """The entry of a row alone, or its problems: one for each bad cell."""
    row = _Row(kind, file, line)
    row.read(filled)
    values = row.values
    owner = _owner(row)
    researchers = _researchers(row)
    if researchers is not None:
        values["researchers"] = researchers
    if "owner_named" in values:
        named = values.pop("owner_named")
        if values.setdefault("anonymous", not named) is named:
            row.refuse("owner_named", "contradicts the column on anonymity (匿名希望); correct one of the two")
    try:
        draft = _DRAFTS[kind].model_validate(values)
    except ValidationError as error:
        # A field that could not be read is reported once, not also as missing.
        for detail in error.errors(include_url=False, include_context=False):
            if detail["loc"] or not row.problems:
                row.refuse(_field_of(row, detail), _reason(detail))
        return [*row.problems]
    if row.problems:
        return [*row.problems]
    return [Entry(line, draft.external_id, owner, draft, _digest(kind, draft, owner))]


def _owner(row: _Row) -> OrganisationNamed | None:
    values = row.values
    name = values.pop("organisation_name", None)
    parts = {field: values.pop(field, None) for field in _OWNER_CHECKS}
    if isinstance(name, dict):  # of a JSON line
        if name.keys() - {"name", "ror", "corporate_number"} or not all(
            isinstance(part, str | None) for part in name.values()
        ):
            row.refuse("organisation_name", "may hold the texts name, ror and corporate_number only")
            return None
        parts = {field: part or name.get(field.removeprefix("organisation_")) for field, part in parts.items()}
        name = name.get("name")
    if isinstance(name, str) and (public_id := _uuid(name)):
        name, values["organisation"] = None, public_id
    checked: dict[str, str | None] = {}
    for field, check in (("organisation_name", _NAME.validate_python), *_OWNER_CHECKS.items()):
        text = name if field == "organisation_name" else parts[field]
        try:
            checked[field] = None if text is None else check(text)
        except ValidationError as error:
            row.refuse(field, _reason(error.errors(include_url=False, include_context=False)[0]))
        except ValueError as error:
            row.refuse(field, str(error))
    if not any(checked.values()):
        return None
    return OrganisationNamed(*(checked.get(field) for field in ("organisation_name", *_OWNER_CHECKS)))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _researchers(row: _Row) -> list[dict[str, str]] | Any | None:
    values = row.values
    columns = {field: values.pop(field, []) for field in ("researcher_names", *_RESEARCHER)}
    names = columns.pop("researcher_names")
    if "researchers" in values:
        if names or any(columns.values()):
            row.refuse("researchers", "names the researchers beside the columns of names; keep one of the two")
        return _native(values["researchers"])
    if not names and not any(columns.values()):
        return None
    people: list[dict[str, str]] = [{"name": name} for name in names if name]
    for field, items in columns.items():
        if items and len(items) != len(names) and len([item for item in items if item]) == len(people):
            items = [item for item in items if item]  # a closing separator makes a blank item at the end
        elif items and len(items) == len(names):
            items = [item for item, name in zip(items, names, strict=True) if name]
        if items and len(items) != len(people):
            row.refuse(
                field,
                f"has {len(items)} values for {len(people)} researchers (研究者名); give each one, separated by ;",
            )
            continue
        for person, item in zip(people, items, strict=False):
            if item:
                person[_RESEARCHER[field]] = _bare(field, item)
    return people


def _bare(field: str, item: str) -> str:
    """An identifier without the address it may be written as."""
    item = identifiers.normalise(item)
    if field == "researcher_researchmaps":
        item = item.removeprefix("https://").removeprefix("http://").removeprefix("researchmap.jp/").strip("/")
    return item


def _native(value: object) -> object:
    """Researchers of a JSON line: names alone are allowed beside objects."""
    if isinstance(value, str):
        return [{"name": name} for name in cells.split(value, cells.NAMES)]
    if isinstance(value, list):
        return [{"name": item} if isinstance(item, str) else item for item in value]
    return value


def _field_of(row: _Row, detail: ErrorDetails) -> str | None:
    if not detail["loc"]:
        return None
    field = str(detail["loc"][0])
    present = {column.field for column, _ in row.filled}
    if field == "researchers" and field not in present:
        member = str(detail["loc"][-1])
        own = next((column for column, name in _RESEARCHER.items() if name == member), "researcher_names")
        return own if own in present else "researcher_names"
    if field == "organisation" and field not in present:
        return "organisation_name"
    if field == "anonymous" and field not in present:
        return "owner_named"
    return field


def _reason(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return f"has an unknown member {detail['loc'][-1]!r}; leave it out"
    if detail["type"] == "string_unicode":
        return "contains a broken character (a lone surrogate)"
    if detail["type"] == "string_too_long":
        return f"{message}; shorten it, since nothing is cut here"
    return message


def _digest(kind: Kind, draft: SeedDraft | NeedDraft, owner: OrganisationNamed | None) -> bytes:
    """The sha256 of what the row says, whatever the order of its columns or the format of its file."""
    content = {
        "kind": kind,
        "draft": draft.model_dump(mode="json", exclude_unset=True),
        "owner": [owner.name, owner.ror, owner.corporate_number] if owner else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).digest()
