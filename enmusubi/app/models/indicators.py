"""Indicators of a cluster as they were counted last, and when that was."""

import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, one_of, set_now
from enmusubi.app.models.organisations import Cluster, Organisation
from enmusubi.app.models.people import Account
from enmusubi.app.vocabulary import Breakdown, Counted


class IndicatorFigures(Base):
    """What was counted of one fiscal year for one row of a breakdown; written by `indicators_count` alone."""

    __tablename__ = "indicator_figures"
    __table_args__ = (
        one_of("breakdown", Breakdown, "breakdown"),
        one_of("counted", Counted, "counted"),
        Index("ix_indicator_figures_read", "cluster_id", "fiscal_year", "breakdown"),
    )
    id: Mapped[int] = new_key()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    # The calendar year in which it begins, on 1 April.
    fiscal_year: Mapped[int] = mapped_column(SmallInteger)
    breakdown: Mapped[str] = mapped_column(Text)
    # What the row is of; which one, where it is an organisation, a coordinator or a field.
    counted: Mapped[str] = mapped_column(Text)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(Organisation.id))
    coordinator_id: Mapped[int | None] = mapped_column(ForeignKey(Account.id))
    field: Mapped[str | None] = mapped_column(Text)
    # A list: of each measure and detail the count, the sum of amounts and the median of days.
    figures: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class IndicatorState(Base):
    """Which moment the figures of a year and breakdown are of; no row: nobody has asked for them yet."""

    __tablename__ = "indicator_states"
    __table_args__ = (one_of("breakdown", Breakdown, "breakdown"),)
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id), primary_key=True)
    fiscal_year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    breakdown: Mapped[str] = mapped_column(Text, primary_key=True)
    as_of: Mapped[datetime.datetime] = set_now()
    # How far what is counted went then: where it has not gone further, nothing is counted anew.
    seen: Mapped[str] = mapped_column(Text)
    # When somebody wanted them last, to ten minutes: what nobody reads is not counted in the background.
    asked: Mapped[datetime.datetime] = set_now()
