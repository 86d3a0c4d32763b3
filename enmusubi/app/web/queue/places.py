"""Addresses in the queue: filters, part of the list and opened match, all in the address and nowhere else."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import FormData

from enmusubi.app.queueing.deciding import Ticked
from enmusubi.app.queueing.drafts import QueueFilters
from enmusubi.app.web import forms
from enmusubi.app.web.forms import Filled
from enmusubi.app.web.languages import Speech

QUEUE: Final = "/queue"
BACK: Final = "back"
"""Field of forms: the query of the page that sent them."""
FIRST: Final = "first"
"""In the place of a match's id: the first of the list."""
_LONGEST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is in the queue."""

    filters: QueueFilters
    cursor: str | None = None
    match: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        """What an address says of it."""
        said = {**self.filters.kept, "need": self.filters.need, "cursor": self.cursor, "match": self.match}
        if self.filters.overdue:
            said["overdue"] = "yes"
        return {name: str(value) for name, value in said.items() if value}

    def query(self, **changes: Any) -> str:
        """The query of this place, or of the beginning of the list with some filters changed."""
        place = Place(QueueFilters(**{**dict(self.filters), **changes})) if changes else self
        return urlencode(place.fields)

    def address(self, **changes: Any) -> str:
        """The address of the same, for a link."""
        return _address(self.query(**changes))

    def at(self, match: uuid.UUID | str | None) -> "Place":
        """The same part of the list, with this match opened; None: with none."""
        return replace(self, match=None if match is None else str(match))

    def of(self, filters: QueueFilters) -> "Place":
        """The beginning of the list under other filters."""
        return Place(filters)

    def without(self, name: str) -> "Place":
        """The beginning of the list without one filter."""
        return Place(QueueFilters(**{key: value for key, value in self.filters if key != name}))

    def part(self, cursor: str | None, match: str | None = None) -> "Place":
        """Another part of the same list."""
        return replace(self, cursor=cursor, match=match)


def _address(query: str) -> str:
    return QUEUE + (f"?{query}" if query else "")


def place_of(given: Mapping[str, Any], speech: Speech) -> tuple[Place, Filled]:
    """The place that a query names, and its filters as they were filled in, with what is wrong with them."""
    form = given if isinstance(given, FormData) else FormData(list(given.items()))
    filters, filled = forms.read(QueueFilters, form, speech, flags=("overdue",))
    cursor, match = given.get("cursor"), given.get("match")
    return Place(filters or QueueFilters(), cursor or None, match or None), filled


def back_of(form: FormData, speech: Speech) -> Place:
    """The place that a form was sent from; of what it says, what a queue's address may hold and nothing else."""
    sent = form.get(BACK)
    said = dict(parse_qsl(sent[:_LONGEST])) if isinstance(sent, str) else {}
    return place_of(said, speech)[0]


def as_filled(place: Place, speech: Speech) -> Filled:
    """The filters of a place, as their form shows them."""
    return place_of(place.fields, speech)[1]


def ticked_of(given: str) -> Ticked | None:
    """A match and its version as a field writes them, `id.version`; None for anything else."""
    key, _, version = given.partition(".")
    try:
        return Ticked(uuid.UUID(key), int(version)) if version.isdecimal() and len(version) < 10 else None
    except ValueError:
        return None


def written(ticked: Ticked) -> str:
    """The same, written."""
    return f"{ticked.match}.{ticked.version}"
