"""Indicators of a cluster by fiscal year, as the database counted them last, and the moment that they are of."""

import datetime
import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.clock import day_of
from enmusubi.app.clusters import read_cluster
from enmusubi.app.database import Database
from enmusubi.app.models import Account, Cluster, IndicatorFigures, IndicatorState, Organisation
from enmusubi.app.permissions import Right
from enmusubi.app.recording import record
from enmusubi.app.vocabulary import Action, Breakdown, Counted, Language, RecordedKind

logger = logging.getLogger(__name__)


class IndicatorsQuery(BaseModel):
    """Which fiscal year, and what the rows are of."""

    model_config = ConfigDict(extra="forbid")

    year: Annotated[int, Field(ge=1970, le=2200)] | None = Field(
        default=None, description="The year in which it begins, on 1 April in Japan; the present one if left out"
    )
    by: Literal[Breakdown.ORGANISATION, Breakdown.FIELD, Breakdown.COORDINATOR] | None = Field(
        default=None, description="A row for each; one row of the whole cluster if left out"
    )


class IndicatorsTableQuery(IndicatorsQuery):
    """The same as a table."""

    language: Language = Field(default=Language.JA, description="Of the headings")


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one row: what it is of, and which one, where it is of one."""

    counted: Counted
    id: uuid.UUID | None
    name: str | None
    name_en: str | None
    figures: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Indicators:
    """The rows of one fiscal year of a cluster."""

    cluster: Cluster
    year: int
    by: Breakdown | None
    as_of: datetime.datetime
    rows: Sequence[Row]

    @property
    def begins(self) -> datetime.date:
        """Its first day."""
        return datetime.date(self.year, 4, 1)

    @property
    def ends(self) -> datetime.date:
        """Its last day."""
        return datetime.date(self.year + 1, 3, 31)


def fiscal_year(moment: datetime.datetime) -> int:
    """The calendar year in which the fiscal year of a moment begins in Japan, on 1 April."""
    day = day_of(moment)
    return day.year - (day.month < 4)


def read(
    session: Session, caller: Caller, cluster_id: uuid.UUID, query: IndicatorsQuery, oldest: float, through: str
) -> Indicators:
    """The indicators of the caller's cluster, counted anew where they are older than `oldest` seconds.

    Coordinators, who know whose anonymous needs are, see them with their organisations, which is recorded; others see
    these companies as one row. So do coordinators in a report, which is made to be handed on.
    """
    cluster = read_cluster(session, caller, cluster_id, Right.READ_INDICATORS)
    year = query.year if query.year is not None else fiscal_year(datetime.datetime.now(datetime.UTC))
    breakdown: Breakdown = query.by or Breakdown.CLUSTER
    exported = through in ("table", "report")
    if query.by is Breakdown.ORGANISATION and caller.coordinates and through != "report":
        breakdown = Breakdown.OWNER
    count(session, cluster.id, year, breakdown, oldest)
    if breakdown is Breakdown.OWNER or exported:
        action = Action.EXPORTED if exported else Action.VIEWED
        said = {"year": year, "breakdown": str(breakdown), "through": f"indicators_{through}"}
        record(session, caller, action, RecordedKind.CLUSTER, cluster.public_id, **said)
    state = session.get_one(IndicatorState, (cluster.id, year, breakdown))
    rows = _rows(session, cluster.id, year, breakdown)
    if not rows and query.by is None:
        rows = [Row(Counted.CLUSTER, None, None, None, ())]
    return Indicators(cluster, year, query.by, state.as_of, rows)


def count(session: Session, cluster_key: int, year: int, breakdown: Breakdown, oldest: float) -> None:
    """Have the database count anew what is older than so many seconds and not the last word."""
    longest = datetime.timedelta(seconds=oldest)
    session.execute(select(func.indicators_count(cluster_key, year, str(breakdown), longest)))


def _rows(session: Session, cluster_key: int, year: int, breakdown: Breakdown) -> list[Row]:
    """What may be seen of a coordinator or an organisation that is not seen any more is its figures."""
    figures = IndicatorFigures
    query = (
        select(
            figures.counted,
            figures.field,
            figures.figures,
            Organisation.public_id.label("organisation_id"),
            Organisation.name.label("organisation_name"),
            Organisation.name_en,
            Account.public_id.label("account_id"),
            Account.name.label("account_name"),
        )
        .outerjoin(Organisation, Organisation.id == figures.organisation_id)
        .outerjoin(Account, Account.id == figures.coordinator_id)
        .where(figures.cluster_id == cluster_key, figures.fiscal_year == year, figures.breakdown == breakdown)
    )
    rows = [
        Row(
            Counted(found.counted),
            found.organisation_id or found.account_id,
            found.organisation_name or found.account_name or found.field,
            found.name_en,
            found.figures,
        )
        for found in session.execute(query)
    ]
    # What is gathered comes last; the others by their names.
    return sorted(rows, key=lambda row: (row.name is None, row.name or "", str(row.counted)))


class BackgroundCounting:
    """Counts the clusters whose indicators somebody has read, from a thread of its own, so that no reader waits."""

    def __init__(self, database: Database, seconds: float) -> None:
        """Start; counted is every so many seconds, where something has changed."""
        self._database = database
        self._seconds = seconds
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="indicators", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        told: str | None = None
        while not self._closing.wait(self._seconds):
            try:
                count_all(self._database, self._seconds / 2)
                told = None
            except SQLAlchemyError as error:
                if type(error).__name__ != told:
                    told = type(error).__name__
                    logger.warning("indicators could not be counted (%s); trying again", told)


def count_all(database: Database, oldest: float) -> None:
    """Count what somebody has read within a day, a transaction each."""
    with database.session() as session, acting_as_service(session):
        states = select(IndicatorState.cluster_id, IndicatorState.fiscal_year, IndicatorState.breakdown).where(
            IndicatorState.asked > func.now() - datetime.timedelta(days=1)
        )
        for cluster_key, year, breakdown in session.execute(states).all():
            count(session, cluster_key, year, Breakdown(breakdown), oldest)
            session.commit()
