"""One's files: the list of them, and the place to drop another."""

import uuid
from pathlib import PurePath
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from enmusubi.app import posted_files
from enmusubi.app.catalogue.listing import PageQuery
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.imports_shown import import_out
from enmusubi.app.permissions import Relation, Right, may, require
from enmusubi.app.posted_files import Posted
from enmusubi.app.vocabulary import ImportKind
from enmusubi.app.web.accounts.fields import is_first
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.files.telling import TYPES, drop_values
from enmusubi.app.web.forms import Filled
from enmusubi.app.web.languages import N_

router = APIRouter(prefix="/imports")
_SHOWN: Final = 30
_UNKNOWN: Final = N_("is none of the files that are read here: %(endings)s")
_SAID: Final = (
    N_("the body is empty; send the file as it is"),
    N_("expected a name of 1 to 200 characters without /"),
)


@router.get("")
def page_imports(screen: ScreenNow, cursor: str | None = None) -> Response:
    """Those of the account, newest first, and the form."""
    return _list(screen, Filled(), cursor)


@router.post("")
def do_post_file(screen: ScreenNow) -> Response:
    """Take a file in, to be looked through; nothing of it is entered before that is confirmed."""
    require(screen.caller, Right.IMPORT_ENTRIES, Relation.HERE)
    sent = screen.form.get("file")
    filled = Filled({"kind": text_of(screen.form, "kind"), "file": ""})
    kinds = {str(kind) for kind in _kinds(screen)}
    if filled.text("kind") not in kinds:
        filled.add("kind", screen.speech.say(N_("is not one of the choices")))
    content_type = None
    if not isinstance(sent, UploadFile) or not sent.filename:
        filled.add("file", screen.speech.say(N_("Choose a file.")))
    else:
        content_type = TYPES.get(PurePath(sent.filename).suffix.lower())
        if content_type is None:
            filled.add("file", screen.speech.say(_UNKNOWN, endings=", ".join(TYPES)))
    if not filled.is_right or not isinstance(sent, UploadFile) or content_type is None:
        return _list(screen, filled, None, 422)
    if not is_first(screen):
        return screen.go("/imports", done="twice")
    instead = _instead(screen)
    posted = Posted(
        ImportKind(filled.text("kind")), content_type, sent.file.read(), _bare(sent.filename or ""),
        instead=None if instead is None else posted_files.read_import(screen.session, screen.caller, instead),
    )  # fmt: skip
    try:
        made = posted_files.take_in(screen.session, screen.caller, posted, check=True)
    except InvalidInputError as error:
        screen.start_over()
        place, _, said = error.detail.rpartition(": ")
        filled.add("file", screen.speech.say(said if place else error.detail))
        return _list(screen, filled, None, 422)
    if instead is not None and posted.instead is not None and posted.instead.finished is None:
        posted_files.cancel(screen.session, screen.caller, instead)
    return screen.go(f"/imports/{made.public_id}")


def _bare(name: str) -> str:
    """The name without the folders that some browsers send."""
    return name.replace("\\", "/").rpartition("/")[2]


def _instead(screen: Screen) -> uuid.UUID | None:
    """The import that this file mends."""
    given = text_of(screen.form, "instead")
    try:
        return uuid.UUID(given) if given else None
    except ValueError:
        raise InvalidInputError("the form is not whole; open the page again") from None


def _kinds(screen: Screen) -> list[ImportKind]:
    """What the account may enter."""
    rights = {ImportKind.SEEDS: Right.REGISTER_SEED, ImportKind.NEEDS: Right.POST_NEED}
    return [kind for kind, right in rights.items() if may(screen.caller, right, Relation.OWN)]


def _list(screen: Screen, filled: Filled, cursor: str | None, status: int = 200) -> Response:
    require(screen.caller, Right.READ_IMPORT, Relation.OWN)
    listed = posted_files.list_imports(screen.session, screen.caller, PageQuery(cursor=cursor, limit=_SHOWN))
    return screen.show(
        "files/imports.html", status, imports=[import_out(made) for made in listed.rows], next=listed.next,
        filled=filled, kinds=[str(kind) for kind in _kinds(screen)], **drop_values(screen),
    )  # fmt: skip
