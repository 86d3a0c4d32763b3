"""Clusters and their organisations."""

import datetime
import uuid

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, one_of, set_now
from enmusubi.app.vocabulary import OrganisationKind, ReviewedKinds


class Cluster(Base):
    """A region with its own R&D topic."""

    __tablename__ = "clusters"
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    name: Mapped[str] = mapped_column(Text, unique=True)
    created: Mapped[datetime.datetime] = set_now()


def _days(default: int) -> Mapped[int]:
    return mapped_column(SmallInteger, default=default, server_default=text(str(default)))


class ClusterSettings(Base):
    """What a cluster decides for itself; a trigger adds the row of a new cluster. Days are working days of Japan."""

    __tablename__ = "cluster_settings"
    __table_args__ = (
        one_of("review_before_publication", ReviewedKinds, "review_before_publication"),
        CheckConstraint(
            "least(answer_days, disclose_days, introduce_days, meeting_days, report_days, outcome_days) >= 1 "
            "AND least(warn_days, remind_days, escalate_days, raise_days, lapse_days) >= 0",
            name="days",
        ),
        CheckConstraint("most_open_interests >= 1", name="most_open_interests"),
    )
    cluster_id: Mapped[int] = mapped_column(
        ForeignKey(Cluster.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # Which entries somebody else looks at before they are published.
    review_before_publication: Mapped[str] = mapped_column(
        Text, default=ReviewedKinds.OFF, server_default=text("'off'")
    )
    # So long somebody may take: a side to answer, a coordinator to introduce, disclose, bring about a meeting, report
    # what came of it, and report the outcome of an agreement.
    answer_days: Mapped[int] = _days(10)
    introduce_days: Mapped[int] = _days(5)
    disclose_days: Mapped[int] = _days(3)
    meeting_days: Mapped[int] = _days(10)
    report_days: Mapped[int] = _days(20)
    outcome_days: Mapped[int] = _days(60)
    # So long before the last day whoever is waited for is told once more; 0: not at all.
    warn_days: Mapped[int] = _days(2)
    # So long after the last day, and then after each other, the clock reminds, turns to the coordinator, turns to the
    # administrators, and closes what nobody has answered.
    remind_days: Mapped[int] = _days(5)
    escalate_days: Mapped[int] = _days(5)
    raise_days: Mapped[int] = _days(5)
    lapse_days: Mapped[int] = _days(5)
    # How many introductions that one organisation asked for may wait for an answer at once.
    most_open_interests: Mapped[int] = mapped_column(Integer, default=20, server_default=text("20"))
    version: Mapped[int] = mapped_column(Integer, default=1, server_default=text("1"))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own form


class Organisation(Base):
    """A university, public research institute, company or core organisation of a cluster."""

    __tablename__ = "organisations"
    __table_args__ = (
        UniqueConstraint("cluster_id", "name_key"),
        UniqueConstraint("cluster_id", "id"),  # what accounts and invitations refer to: none names another cluster's
        one_of("kind", OrganisationKind, "kind"),
        # A number names one organisation of a cluster.
        Index("uq_organisations_ror", "cluster_id", "ror", unique=True, postgresql_where=text("ror IS NOT NULL")),
        Index(
            "uq_organisations_corporate_number",
            "cluster_id",
            "corporate_number",
            unique=True,
            postgresql_where=text("corporate_number IS NOT NULL"),
        ),
    )
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id))
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str | None] = mapped_column(Text)
    name_en_key: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    region: Mapped[str | None] = mapped_column(Text)
    size_band: Mapped[str | None] = mapped_column(Text)
    ror: Mapped[str | None] = mapped_column(Text)
    corporate_number: Mapped[str | None] = mapped_column(Text)
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    version: Mapped[int] = mapped_column(Integer, default=1)
    created: Mapped[datetime.datetime] = set_now()
    last_modified: Mapped[datetime.datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 SQLAlchemy's own form
