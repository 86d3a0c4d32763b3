"""Lists: needs, seeds, what waits for a second pair of eyes, and what waits for who looks."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.catalogue import listing, needs, steps
from enmusubi.app.catalogue.listing import Listed, NeedQuery, SeedQuery
from enmusubi.app.introducing import work
from enmusubi.app.introducing.waited import waited_of
from enmusubi.app.introducing.work import WorkQuery
from enmusubi.app.life_shown import waiting_out
from enmusubi.app.models import Need, Seed
from enmusubi.app.representations import need_out, seed_out
from enmusubi.app.vocabulary import Role
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.entries.filtering import Wanted, wanted

router = APIRouter()
_PAGE: Final = {"limit": 20}
_BOX: Final = 5
"""So many of the steps that wait for the owner are named above its list."""
_NOT_ASKED: Final = ("organisation", "external_id", "source", "modified_since", "language", "keyword")


class WaitingQuery(listing.PageQuery):
    """Which entries that wait for a second pair of eyes."""

    kind: Literal["seeds", "needs"] = "needs"


@router.get("/needs")
def page_needs(screen: ScreenNow) -> Response:
    """The needs that one may see, newest first; one's own with where they stand."""
    asked = wanted(screen, NeedQuery, _PAGE, _NOT_ASKED)
    session, caller = screen.session, screen.caller
    listed = Listed([], None) if asked.query is None else listing.list_needs(session, caller, asked.query)
    own = needs.owners_known(session, caller, listed.rows)
    outlines = needs.outline_owners(session, listed.rows)
    shown = [need_out(need, None, outlines.get(need.id), owner_known=need.id in own) for need in listed.rows]
    return _show(screen, "needs", asked, listed, shown, [need.id in own for need in listed.rows])


@router.get("/seeds")
def page_seeds(screen: ScreenNow) -> Response:
    """The seeds that one may see, newest first; one's own with where they stand."""
    asked = wanted(screen, SeedQuery, _PAGE, _NOT_ASKED)
    session, caller = screen.session, screen.caller
    listed = Listed([], None) if asked.query is None else listing.list_seeds(session, caller, asked.query)
    organisation = caller.organisation_id
    own = [organisation is not None and seed.organisation_id == organisation for seed in listed.rows]
    return _show(screen, "seeds", asked, listed, [seed_out(seed, None) for seed in listed.rows], own)


@router.get("/waiting")
def page_waiting(screen: ScreenNow) -> Response:
    """What waits for a second pair of eyes, for those who oversee the cluster."""
    asked = wanted(screen, WaitingQuery, _PAGE)
    query = asked.query or WaitingQuery(**_PAGE)
    kind: steps.Kind = Seed if query.kind == "seeds" else Need
    listed = steps.list_waiting(screen.session, screen.caller, kind, query)
    items = [waiting_out(entry) for entry in listed.rows]
    return screen.show("entries/waiting.html", items=items, kind=query.kind, address=asked.address, next=listed.next)


@router.get("/work")
def page_work(screen: ScreenNow) -> Response:
    """The steps that the one who looks is waited for, by what is due first."""
    asked = wanted(screen, WorkQuery, _PAGE)
    listed = work.list_work(
        screen.session, screen.caller, asked.query or WorkQuery(**_PAGE), screen.runtime.clock.now()
    )
    return screen.show("entries/work.html", listed=listed, asked=asked, today=screen.runtime.clock.today())


def _show(
    screen: Screen, kind: Literal["needs", "seeds"], asked: Wanted[Any], listed: Listed, shown: Sequence[Any],
    own: Sequence[bool],
) -> Response:  # fmt: skip
    session, caller, today = screen.session, screen.caller, screen.runtime.clock.today()
    table = Need if kind == "needs" else Seed
    mine = asked.query is not None and asked.query.mine
    is_side = caller.role is (Role.COMPANY if kind == "needs" else Role.UNIVERSITY)
    rows = [row for row, is_own in zip(listed.rows, own, strict=True) if is_own]
    waited = waited_of(session, caller, rows, today) if rows else {}
    items = [
        {"entry": entry, "own": is_own, "waited": waited.get(row.id, ())}
        for row, entry, is_own in zip(listed.rows, shown, own, strict=True)
    ]
    box = None
    if mine and is_side:
        box = work.list_work(session, caller, WorkQuery(limit=_BOX), screen.runtime.clock.now())
    counts = listing.count_own(session, caller, table) if mine else {}
    return screen.show(
        f"entries/{kind}.html", 200 if asked.query is not None else 422, items=items, asked=asked, next=listed.next,
        mine=mine, is_side=is_side, counts=counts, box=box, today=today, overseeing=caller.oversees,
    )  # fmt: skip
