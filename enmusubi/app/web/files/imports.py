"""One file: its preview and the columns, the decision, and what became of its rows."""

import uuid
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app import posted_files
from enmusubi.app.errors import InvalidInputError, NotFoundError
from enmusubi.app.models import Import
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.vocabulary import ImportKind, ImportState
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.files import fields
from enmusubi.app.web.files.reasons import reason
from enmusubi.app.web.files.telling import drop_values, told

router = APIRouter(prefix="/imports/{import_id}")
_SHOWN: Final = 100
_MOVING: Final = (ImportState.CHECKING, ImportState.QUEUED, ImportState.RUNNING)


@router.get("")
def page_import(import_id: uuid.UUID, screen: ScreenNow, after: int = 0) -> Response:
    """Its progress, its preview or its report, by how far it is."""
    require(screen.caller, Right.READ_IMPORT, Relation.OWN)
    made = posted_files.read_whole(screen.session, screen.caller, import_id)
    if made.state in _MOVING:
        return screen.show("files/progress.html", made=made, told=told(screen.speech, made))
    if made.state == ImportState.MAPPING:
        return screen.show("files/preview.html", made=made, **drop_values(screen), **_preview(screen, made))
    return screen.show("files/report.html", made=made, **_report(screen, made, after))


@router.post("/columns")
def do_map_import(import_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Say what the columns hold: it is looked through again."""
    require(screen.caller, Right.READ_IMPORT, Relation.OWN)
    made = posted_files.read_whole(screen.session, screen.caller, import_id)
    checked, form = made.checked or {}, screen.form
    sheet = text_of(form, "sheet") or None
    if sheet != checked.get("sheet") and sheet in checked.get("sheets", ()):
        layout: dict[str, Any] = {"sheet": sheet, "mapping": {}}  # another sheet has other columns
    else:
        mapping = {}
        for column in checked.get("columns", ()):
            chosen = text_of(form, f"column-{column['number']}")
            if not fields.is_field(ImportKind(made.kind), chosen):
                raise InvalidInputError("the form is not whole; open the page again")
            mapping[column["name"]] = chosen
        layout = {"sheet": checked.get("sheet"), "mapping": mapping}
    posted_files.lay_out(screen.session, screen.caller, import_id, layout)
    return screen.go(f"/imports/{import_id}")


@router.post("/confirm")
def do_confirm_import(import_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Have it read as it was shown."""
    require(screen.caller, Right.READ_IMPORT, Relation.OWN)
    first = posted_files.confirm(screen.session, screen.caller, import_id, text_of(screen.form, "layout"))
    return screen.go(f"/imports/{import_id}", done="confirmed" if first else "twice")


@router.post("/cancel")
def do_cancel_import(import_id: uuid.UUID, screen: ScreenNow) -> Response:
    """Forget the file; what is in stays in."""
    require(screen.caller, Right.READ_IMPORT, Relation.OWN)
    posted_files.cancel(screen.session, screen.caller, import_id)
    return screen.go(f"/imports/{import_id}", done="cancelled")


@router.get("/mend")
def page_import_mend(import_id: uuid.UUID, screen: ScreenNow) -> Response:
    """The rows that are not taken, as a file, each with what is wrong."""
    require(screen.caller, Right.READ_IMPORT, Relation.OWN)
    made = posted_files.read_whole(screen.session, screen.caller, import_id)
    if made.mend is None:
        raise NotFoundError("there are no rows to mend, or they are not kept any more")
    # The same name, so that the mended rows are of the same source when they come back.
    name = quote(made.file.rpartition(".")[0] + ".csv")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return Response(made.mend, media_type="text/csv; charset=utf-8", headers=headers)


def _problems(screen: Screen, problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**problem, "said": reason(screen.speech, problem["reason"])} for problem in problems]


def _preview(screen: Screen, made: Import) -> dict[str, Any]:
    speech, kind, checked = screen.speech, ImportKind(made.kind), made.checked or {}
    mapping = made.layout.get("mapping", {})
    columns = [
        {**column, "choices": fields.choices(speech, kind, column["field"]),
         "chosen": mapping.get(column["name"], fields.IGNORE)}
        for column in checked["columns"]
    ]  # fmt: skip
    names = list(dict.fromkeys(name for row in checked["rows"] for name in row["values"]))
    rows = [
        (
            row["line"],
            [fields.said(speech, name, row["values"][name]) if name in row["values"] else "" for name in names],
        )
        for row in checked["rows"]
    ]
    fault = checked.get("fault")
    return {
        "checked": checked, "columns": columns, "rows": rows,
        "names": [fields.label(speech, kind, name) for name in names],
        "problems": _problems(screen, checked["problems"]),
        "fault": fault and reason(speech, fault), "layout": posted_files.layout_key(made),
        "good": checked["new"] + checked["changed"] + checked["unchanged"],
    }  # fmt: skip


def _report(screen: Screen, made: Import, after: int) -> dict[str, Any]:
    after = max(0, min(after, 2**31 - 1))
    rows = posted_files.rows_of(screen.session, made, after, _SHOWN + 1)
    return {
        "rows": rows[:_SHOWN], "more": rows[_SHOWN - 1].line if len(rows) > _SHOWN else None,
        "problems": _problems(screen, made.problems[:_SHOWN * 3]) if not after else [],
        "fault": made.fault and reason(screen.speech, made.fault), "mend": made.mend is not None,
        "base": "/seeds" if made.kind == ImportKind.SEEDS else "/needs",
    }  # fmt: skip
