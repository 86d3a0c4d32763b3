"""Between an entry and a form: an entry as a form shows it, a form as a draft, and what of it was changed."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile

from enmusubi.app.catalogue import organisations
from enmusubi.app.web import forms
from enmusubi.app.web.asking import Screen, text_of
from enmusubi.app.web.forms import Filled
from enmusubi.app.web.languages import N_
from enmusubi.app.web.posting.fields import As
from enmusubi.app.web.posting.sheets import Draft, Sheet

RESEARCHER: Final = ("name", "orcid", "erad_number", "researchmap")
_NOT_IN_FORM: Final = frozenset({"status", "external_id", "grown_from", "opened_to", "organisation", "researchers"})
_DIGEST: Final = 16
# Written with commas between the thousands, it can be nothing else.
_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+|\d+", re.ASCII)


def shown_fields(screen: Screen, sheet: Sheet) -> list[str]:
    """The fields of the form that this reader gets: a side's entries are its own, coordinators name whose they are."""
    return [name for name in sheet.fields if name != "organisation" or screen.caller.coordinates]


def texts_of(sheet: Sheet, values: Mapping[str, Any], owner: str | None) -> dict[str, Any]:
    """An entry as the form shows it; `values` are those of a draft, `owner` the name of its organisation."""
    shown: dict[str, Any] = {}
    for name, field in sheet.fields.items():
        value: Any = owner if name == "organisation" else values.get(name)
        if field.written is As.LIST:
            shown[name] = "\n".join(value or ())
        elif field.written is As.TICKS:
            shown[name] = [str(one) for one in value or ()]
        elif field.written is As.TICK:
            shown[name] = bool(value)
        elif field.written is As.ROWS:
            shown[name] = [{part: row.get(part) or "" for part in RESEARCHER} for row in value or ()]
        elif isinstance(value, bool):
            shown[name] = str(value).lower()
        else:
            shown[name] = "" if value is None else str(value).replace("\r\n", "\n").replace("\r", "\n")
    return shown


def read(screen: Screen, sheet: Sheet, present: Mapping[str, Any] | None = None) -> tuple[Draft | None, Filled]:
    """The draft that the form makes, or None, and the form as it was filled in with what is wrong.

    `present` is the entry as the form would show it: what stands in a list there is one item, whatever commas it has.
    """
    form = screen.form
    rows = researcher_rows(form)
    given: dict[str, Any] = {}
    if "researchers" in sheet.fields:
        given["researchers"] = [{part: text for part, text in row.items() if text} for row in rows]
    owner, missing = _owner(screen)
    if owner is not None:
        given["organisation"] = owner
    lists = sheet.named(As.LIST)
    whole = {item for name in lists for item in str((present or {}).get(name, "")).split("\n")}
    draft, filled = forms.read(
        sheet.draft, _tidied(form), screen.speech, lists=lists, flags=sheet.named(As.TICK), given=given,
        leave_out=_NOT_IN_FORM, whole=whole,
    )  # fmt: skip
    # As it was typed: what was tidied to be read is not the writer's.
    values = {**filled.values, "researchers": rows, "organisation": text_of(form, "organisation")}
    if "budget_yen" in sheet.fields:
        values["budget_yen"] = text_of(form, "budget_yen")
    filled = Filled(values, filled.errors)
    if missing is not None:
        filled.add("organisation", missing)
    return (None if filled.errors else draft), filled


def canonical(sheet: Sheet, name: str, value: Any) -> str:
    """What two ways to write the same in a field share: browsers and lists change line ends, blanks and order."""
    written = sheet.fields[name].written
    if written is As.LIST:
        return "\n".join(line.strip() for line in str(value or "").splitlines() if line.strip())
    if written is As.TICKS:
        return "\n".join(sorted(value or ()))
    if written is As.TICK:
        return "yes" if value else ""
    if written is As.ROWS:
        return json.dumps([row for row in value or () if any(row.values())], ensure_ascii=False, sort_keys=True)
    text = str(value or "").replace("\r\n", "\n").replace("\r", "\n")
    # A field of one line drops the ends of lines that an entry may have from elsewhere.
    return text if written is As.TEXT else text.replace("\n", "")


def changed(sheet: Sheet, names: Iterable[str], here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """The fields that say something else here than there."""
    return [name for name in names if canonical(sheet, name, here.get(name)) != canonical(sheet, name, there.get(name))]


def digests(sheet: Sheet, names: Iterable[str], values: Mapping[str, Any]) -> str:
    """What a form began with, so short that it can go along with it: a digest of each field, as JSON."""
    return json.dumps({name: _digest(canonical(sheet, name, values.get(name))) for name in names})


def began_with(form: FormData) -> Mapping[str, str]:
    """The digests that came along; none where somebody has meddled with them."""
    try:
        found = json.loads(text_of(form, "base") or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: digest for name, digest in found.items() if isinstance(digest, str)}


def is_as_begun(sheet: Sheet, name: str, value: Any, base: Mapping[str, str]) -> bool:
    """Whether a field says what the form began with; not where that is not known."""
    return base.get(name) == _digest(canonical(sheet, name, value))


def researcher_rows(form: FormData) -> list[dict[str, str]]:
    """The rows of people in which something is written, in their order."""
    columns = [[text for text in form.getlist(f"researcher_{part}") if isinstance(text, str)] for part in RESEARCHER]
    height = max(len(column) for column in columns)
    rows = [
        {
            part: column[place].strip() if place < len(column) else ""
            for part, column in zip(RESEARCHER, columns, strict=True)
        }
        for place in range(height)
    ]
    return [row for row in rows if any(row.values())]


def _owner(screen: Screen) -> tuple[Any, str | None]:
    """The public id of the organisation that a coordinator names, and what is wrong with the name."""
    name = text_of(screen.form, "organisation").strip()
    if not screen.caller.coordinates or not name:
        return None, None
    found = None if "\x00" in name else organisations.named_here(screen.session, screen.caller, name)
    if found is None:
        return None, screen.speech.say(N_("No organisation of your cluster has this name."))
    return found.public_id, None


def _tidied(form: FormData) -> FormData:
    """The form with its amount of yen as digits, where it was written in a way that can mean nothing else."""
    items: list[tuple[str, str | UploadFile]] = []
    for name, value in form.multi_items():
        if name == "budget_yen" and isinstance(value, str):
            plain = unicodedata.normalize("NFKC", value).strip().removesuffix("円").removeprefix("¥").strip()
            items.append((name, plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else value))
        else:
            items.append((name, value))
    return FormData(items)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
