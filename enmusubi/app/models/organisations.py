"""Clusters and their organisations."""

import datetime
import uuid

from sqlalchemy import (
    Boolean,
    ForeignKey,
    Index,
    Integer,
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


class ClusterSettings(Base):
    """What a cluster decides for itself; a trigger adds the row of a new cluster."""

    __tablename__ = "cluster_settings"
    __table_args__ = (one_of("review_before_publication", ReviewedKinds, "review_before_publication"),)
    cluster_id: Mapped[int] = mapped_column(
        ForeignKey(Cluster.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # Which entries somebody else looks at before they are published.
    review_before_publication: Mapped[str] = mapped_column(
        Text, default=ReviewedKinds.OFF, server_default=text("'off'")
    )
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
