"""Lists as tables: all rows of a filter, as its reader sees them in the list; that it was taken is recorded.

Never in a table: the confidential part of an entry, for nobody; who owns an anonymous need, but to its own people.
"""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from sqlalchemy.orm import Session

from enmusubi.app import reviewing
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import listing, needs
from enmusubi.app.catalogue.listing import NeedQuery, PageQuery, SeedQuery
from enmusubi.app.clock import day_of
from enmusubi.app.clusters import own_cluster
from enmusubi.app.introducing import work
from enmusubi.app.introducing.reading import waits_by_match
from enmusubi.app.introducing.work import WorkQuery
from enmusubi.app.models import Need
from enmusubi.app.recording import record
from enmusubi.app.representations import need_out, seed_out
from enmusubi.app.reviewing import MatchListQuery
from enmusubi.app.sheets import columns
from enmusubi.app.sheets.columns import MatchRow
from enmusubi.app.sheets.spreadsheets import Written, as_csv, as_xlsx
from enmusubi.app.sheets.tables import Cell, Table, table
from enmusubi.app.sheets.wording import N_, Wording
from enmusubi.app.vocabulary import Action, RecordedKind

Form = Literal["xlsx", "csv"]
Query = TypeVar("Query", bound=PageQuery)
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Exporting:
    """An export that is being made: who asks, in whose words, when, and as what."""

    session: Session
    caller: Caller
    wording: Wording
    now: datetime.datetime
    form: Form


def seeds(asked: Exporting, query: SeedQuery) -> Written:
    """The seeds that the caller may see, as the list shows them."""

    def found() -> Iterator[Any]:
        for page in _pages(query, lambda part: listing.list_seeds(asked.session, asked.caller, part)):
            yield from (seed_out(seed, None) for seed in page)

    return _written(asked, "seeds", query, table(asked.wording, N_("Seeds"), columns.SEEDS, found()))


def all_needs(asked: Exporting, query: NeedQuery) -> Written:
    """The public part of the needs that the caller may see, as the list shows it."""
    session, caller = asked.session, asked.caller

    def shown(page: list[Need]) -> Iterator[Any]:
        if query.asks_for_owner:
            needs.note_owner_asked(session, caller, page)
        known, outlines = needs.owners_known(session, caller, page), needs.outline_owners(session, page)
        for need in page:
            yield need_out(need, None, outlines.get(need.id), owner_known=need.id in known)

    def found() -> Iterator[Any]:
        for page in _pages(query, lambda part: listing.list_needs(session, caller, part)):
            yield from shown(page)

    return _written(asked, "needs", query, table(asked.wording, N_("Needs"), columns.NEEDS, found()))


def matches(asked: Exporting, query: MatchListQuery) -> Written:
    """The stored matches that the caller may see, with who is waited for, as the lists show them."""
    session, caller, today = asked.session, asked.caller, day_of(asked.now)

    def found() -> Iterator[MatchRow]:
        for page in _pages(query, lambda part: reviewing.list_matches(session, caller, part, today)):
            waits = waits_by_match(session, caller, page)
            yield from (MatchRow(match, caller, tuple(waits.get(match.id, ())), today) for match in page)

    chosen = columns.matches_for(caller)
    return _written(asked, "matches", query, table(asked.wording, N_("Matches"), chosen, found()))


def waiting(asked: Exporting, query: WorkQuery) -> Written:
    """The steps that the caller is waited for, by what is due first."""

    def found() -> Iterator[work.WorkItem]:
        part: WorkQuery | None = query.model_copy(update={"limit": _AT_ONCE, "cursor": None})
        while part is not None:
            page = work.list_work(asked.session, asked.caller, part, asked.now)
            yield from page.items
            part = part.model_copy(update={"cursor": page.next}) if page.next else None

    return _written(asked, "work", query, table(asked.wording, N_("Steps to take"), columns.WORK, found()))


def _pages(query: Query, read: Callable[[Query], listing.Listed]) -> Iterator[list[Any]]:
    """The pages of a list, each forgotten before the next is read."""
    part: Query | None = query.model_copy(update={"limit": _AT_ONCE, "cursor": None})
    while part is not None:
        page = read(part)
        yield list(page.rows)
        part = part.model_copy(update={"cursor": page.next}) if page.next else None


def _written(asked: Exporting, what: str, query: PageQuery, made: Table) -> Written:
    cluster = own_cluster(asked.session, asked.caller)
    filters = query.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"limit", "cursor"})
    if asked.form == "csv":
        written = as_csv(made)
    else:
        say = asked.wording.say
        about: list[tuple[str, Cell]] = [
            (say(N_("Cluster")), cluster.name),
            (say(N_("As of")), day_of(asked.now)),
            (
                say(N_("Filtered by")),
                "\n".join(f"{name}={value}" for name, value in filters.items()) or "–",
            ),
            (say(N_("What it holds")), say(N_("What the account that exported it may see; nothing confidential."))),
        ]
        written = as_xlsx(made, asked.wording, about)
    # Of the filters their names alone: what was looked for is a text that somebody wrote.
    said = {"through": f"{what}_{asked.form}", "rows": written.rows, "filters": sorted(filters)}
    record(asked.session, asked.caller, Action.EXPORTED, RecordedKind.CLUSTER, cluster.public_id, **said)
    return written
