"""The board, the map and the chain: pages, and their tables as files."""

import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from enmusubi.app import board, indicators, indicators_table, lineage
from enmusubi.app.cluster_map import reading
from enmusubi.app.clusters import own_cluster
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.indicators import Indicators, IndicatorsQuery, fiscal_year
from enmusubi.app.permissions import Relation, Right, may
from enmusubi.app.vocabulary import Breakdown
from enmusubi.app.web.asking import Screen, ScreenNow
from enmusubi.app.web.board import chain, figures, library, plane
from enmusubi.app.web.board.fields import section_said
from enmusubi.app.web.board.tables import CSV, Table, as_csv
from enmusubi.app.web.languages import N_

router = APIRouter()

YEARS: Final = 5
"""Fiscal years that are shown beside each other."""


class BoardTable(StrEnum):
    """A table of the board."""

    INDICATORS = "indicators"
    FUNNEL = "funnel"
    YEARS = "years"
    LOAD = "load"
    OVERDUE = "overdue"
    NEEDS = "unanswered-needs"
    SEEDS = "unasked-seeds"


class BoardQuery(BaseModel):
    """Which fiscal year, and what its rows are of."""

    model_config = ConfigDict(extra="ignore")

    year: Annotated[int, Field(ge=1970, le=2200)] | None = None
    by: Literal[Breakdown.ORGANISATION, Breakdown.FIELD, Breakdown.COORDINATOR] = Breakdown.ORGANISATION


BoardAsked = Annotated[BoardQuery, Query()]
MapAsked = Annotated[reading.MapQuery, Query()]
ChainAsked = Annotated[lineage.ChainQuery, Query()]


@router.get("/board")
def page_board(screen: ScreenNow, query: BoardAsked) -> Response:
    """How the cluster does: figures, load, what is late, and what nobody takes up."""
    board.require_board(screen.caller)
    speech, session, caller = screen.speech, screen.session, screen.caller
    year, present = _year(query), _present_year()
    of_years = [_indicators(screen, each) for each in range(max(1970, year - YEARS + 1), year + 1)]
    counted = figures.whole(of_years[-1])
    broken_down = _indicators(screen, year, query.by)
    loads = board.loads(session, caller)
    late = board.overdue(session, caller)
    needs, seeds = board.unanswered_needs(session, caller), board.unasked_seeds(session, caller)
    return _show(
        screen, "board.html",
        year=year, years=range(present, present - 10, -1), by=query.by, as_of=of_years[-1].as_of,
        breakdowns=[(each, speech.say(said)) for each, said in _BREAKDOWNS.items()],
        figures=counted, amount=figures.amount_of(counted), outcomes=figures.outcomes_of(counted),
        funnel=figures.funnel(speech, counted), by_year=figures.years(speech, of_years),
        breakdown=figures.breakdown(speech, broken_down), load=figures.load(speech, loads),
        late=(figures.late(speech, late.lines), late.count),
        needs=(figures.alone(speech, needs.lines, "/needs"), needs.count),
        seeds=(figures.alone(speech, seeds.lines, "/seeds"), seeds.count),
    )  # fmt: skip


@router.get("/board/tables/{table}.csv")
def page_board_table(table: BoardTable, screen: ScreenNow, query: BoardAsked) -> Response:
    """A table of the board as a file, whole; recorded."""
    board.require_board(screen.caller)
    year = _year(query)
    if table is BoardTable.INDICATORS:
        found = _indicators(screen, year, query.by, "table")
        headers = {"Content-Disposition": f'attachment; filename="indicators-{year}.csv"'}
        return Response(indicators_table.as_csv(found, screen.speech.language), media_type=CSV, headers=headers)
    board.note_export(screen.session, screen.caller, table.replace("-", "_"))
    return as_csv(_board_table(screen, table, year), f"{table}-{year}" if table in _OF_YEARS else table)


@router.get("/board/map")
def page_map(screen: ScreenNow, query: MapAsked) -> Response:
    """Seeds and needs by meaning, as far as their reader may see them."""
    found = reading.view(screen.session, screen.caller, query)
    everything = found if query.field is None else reading.view(
        screen.session, screen.caller, query.model_copy(update={"field": None})
    )  # fmt: skip
    sections = [
        (each.section, section_said(screen.speech, each.section)) for each in everything.sections if each.section
    ]
    return _show(
        screen, "map.html", view=found, plot=plane.picture(screen.speech, found), gaps=plane.gaps(screen.speech, found),
        entries=plane.table(screen.speech, found.dots[:200]), most=reading.MOST, sections=sections,
        kind=query.kind or "", field=query.field or "", filters=_filters(query),
    )  # fmt: skip


@router.get("/board/map/points")
def page_map_points(screen: ScreenNow, query: MapAsked) -> Response:
    """What lies in a part of the map, for the picture on its page."""
    found = reading.view(screen.session, screen.caller, query)
    return JSONResponse({**plane.picture(screen.speech, found).drawn, "said": _said(screen, found)})


@router.get("/board/map.csv")
def page_map_table(screen: ScreenNow, query: MapAsked) -> Response:
    """Every entry of a part of the map as a file; recorded."""
    found = reading.listed(screen.session, screen.caller, query)
    board.note_export(screen.session, screen.caller, "map")
    return as_csv(plane.table(screen.speech, found), "map")


@router.get("/board/chain")
def page_chain(screen: ScreenNow, query: ChainAsked) -> Response:
    """What grew from what, as a picture and as a table."""
    try:
        found = _chain(screen, query)
    except InvalidInputError as error:
        return _show(screen, "chain.html", status=error.status, found=None, wrong=error.detail, entry=query.entry)
    return _show(
        screen, "chain.html", found=found, plot=chain.picture(screen.speech, found),
        table=chain.table(screen.speech, found), entry=query.entry, wrong=None,
    )  # fmt: skip


@router.get("/board/chain.csv")
def page_chain_table(screen: ScreenNow, query: ChainAsked) -> Response:
    """The chain as a file; recorded."""
    found = _chain(screen, query)
    board.note_export(screen.session, screen.caller, "chain")
    return as_csv(chain.table(screen.speech, found), "chain")


_BREAKDOWNS: Final = {
    Breakdown.ORGANISATION: N_("by organisation"),
    Breakdown.FIELD: N_("by field"),
    Breakdown.COORDINATOR: N_("by coordinator"),
}
_OF_YEARS: Final = (BoardTable.FUNNEL, BoardTable.YEARS)


def _show(screen: Screen, template: str, status: int = 200, **values: Any) -> Response:
    oversees = may(screen.caller, Right.READ_INDICATORS, Relation.HERE)
    return screen.show(
        f"board/{template}", status, library=library.address(), speech=screen.speech, oversees=oversees, **values
    )


def _present_year() -> int:
    return fiscal_year(datetime.datetime.now(datetime.UTC))


def _year(query: BoardQuery) -> int:
    return query.year if query.year is not None else _present_year()


def _indicators(
    screen: Screen,
    year: int,
    by: Literal[Breakdown.ORGANISATION, Breakdown.FIELD, Breakdown.COORDINATOR] | None = None,
    through: str = "read",
) -> Indicators:
    cluster = own_cluster(screen.session, screen.caller)
    oldest = screen.runtime.settings.indicators_seconds
    query = IndicatorsQuery(year=year, by=by)
    return indicators.read(screen.session, screen.caller, cluster.public_id, query, oldest, through)


def _chain(screen: Screen, query: lineage.ChainQuery) -> lineage.Chain:
    cluster = own_cluster(screen.session, screen.caller)
    return lineage.read(screen.session, screen.caller, cluster.public_id, query)


def _board_table(screen: Screen, table: BoardTable, year: int) -> Table:
    speech, session, caller = screen.speech, screen.session, screen.caller
    if table is BoardTable.FUNNEL:
        return figures.funnel(speech, figures.whole(_indicators(screen, year)))[1]
    if table is BoardTable.YEARS:
        of_years = [_indicators(screen, each) for each in range(max(1970, year - YEARS + 1), year + 1)]
        return figures.years(speech, of_years)[1]
    if table is BoardTable.LOAD:
        return figures.load(speech, board.loads(session, caller))[1]
    if table is BoardTable.OVERDUE:
        return figures.late(speech, board.overdue(session, caller, board.MOST).lines)
    if table is BoardTable.NEEDS:
        return figures.alone(speech, board.unanswered_needs(session, caller, board.MOST).lines, "/needs")
    return figures.alone(speech, board.unasked_seeds(session, caller, board.MOST).lines, "/seeds")


def _filters(query: reading.MapQuery) -> dict[str, str]:
    return {name: value for name, value in (("kind", query.kind), ("field", query.field)) if value}


def _said(screen: Screen, found: reading.MapView) -> str:
    return screen.speech.say_many("%(count)s entry in view", "%(count)s entries in view", found.count)
