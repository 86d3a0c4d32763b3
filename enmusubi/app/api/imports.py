"""Imports: post a file of seeds or needs, see how far it is and what became of its rows, cancel it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from enmusubi.app import posted_files
from enmusubi.app.catalogue import listing
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, CreationNow
from enmusubi.app.imports_shown import ImportOut, ImportReport, import_out, report_out
from enmusubi.app.posted_files import ENDINGS, LONGEST_NAME, Posted
from enmusubi.app.representations import Page
from enmusubi.app.vocabulary import ImportKind, Scope

router = APIRouter(prefix="/imports", tags=["imports"])

# The body is the file itself, which no model describes.
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ENDINGS},
    }
}
Name = Annotated[str, Query(max_length=LONGEST_NAME)]


@dataclass(frozen=True, slots=True)
class _Body:
    content_type: str
    content: bytes


async def _body(request: Request) -> _Body:
    return _Body(request.headers.get("content-type", ""), await request.body())


@router.post("", status_code=201, response_model=ImportOut, openapi_extra={**allows(Scope.WRITE), **_BODY})
def start_import(
    kind: Annotated[ImportKind, Query(description="What the file holds")],
    body: Annotated[_Body, Depends(_body)],
    asked: AskedNow,
    creation: CreationNow,
    file: Annotated[Name | None, Query(description="Its name, for the report")] = None,
    source: Annotated[Name | None, Query(description="Name of the source; the file's name without ending")] = None,
) -> Response:
    """Post a file of entries, as it is; it is read in the background, as if you had posted each row."""

    def start() -> tuple[BaseModel, Mapping[str, str]]:
        posted = Posted(kind, body.content_type, body.content, file, source)
        made = posted_files.take_in(asked.session, asked.caller, posted)
        made = posted_files.read_import(asked.session, asked.caller, made.public_id)
        return import_out(made), {"Location": f"/api/v1/imports/{made.public_id}"}

    return creation.reply(start)


@router.get("", openapi_extra=allows(Scope.READ))
def list_imports(query: Annotated[listing.PageQuery, Query()], asked: AskedNow) -> Page[ImportOut]:
    """The files that you have posted, newest first."""
    listed = posted_files.list_imports(asked.session, asked.caller, query)
    return Page[ImportOut](items=[import_out(made) for made in listed.rows], next=listed.next)


@router.get("/{import_id}", openapi_extra=allows(Scope.READ))
def read_import(import_id: uuid.UUID, asked: AskedNow) -> ImportReport:
    """How far one of your files is, and what became of its rows."""
    return report_out(posted_files.read_import(asked.session, asked.caller, import_id))


@router.delete("/{import_id}", status_code=204, openapi_extra=allows(Scope.WRITE))
def cancel_import(import_id: uuid.UUID, asked: AskedNow) -> None:
    """Cancel a file that is not read to its end; what is in by then stays in."""
    posted_files.cancel(asked.session, asked.caller, import_id)
