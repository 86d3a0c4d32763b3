"""Where entries lie on the map of a cluster; computed from their vectors, and computed again when it is lost."""

import datetime

from sqlalchemy import Boolean, CheckConstraint, Double, ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, set_now
from enmusubi.app.models.entries import Need, Seed
from enmusubi.app.models.organisations import Cluster


class MapDrawing(Base):
    """Which snapshot the map of a cluster was drawn after; no row: it was never drawn."""

    __tablename__ = "map_drawings"
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id, ondelete="CASCADE"), primary_key=True)
    snapshot: Mapped[str] = mapped_column(Text)
    drawn: Mapped[datetime.datetime] = set_now()


class MapPosition(Base):
    """Where an entry lies on the map of a cluster: its own, or one that it is opened to."""

    __tablename__ = "map_positions"
    __table_args__ = (
        CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name="entry"),
        UniqueConstraint("cluster_id", "seed_id"),
        UniqueConstraint("cluster_id", "need_id"),
    )
    id: Mapped[int] = new_key()
    cluster_id: Mapped[int] = mapped_column(ForeignKey(Cluster.id, ondelete="CASCADE"))
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), index=True)
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), index=True)
    x: Mapped[float] = mapped_column(Double)
    y: Mapped[float] = mapped_column(Double)
    # Of the vector that it was placed by: another one is placed anew.
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    # Whether it had a part in the layout, or was placed among the others since.
    settled: Mapped[bool] = mapped_column(Boolean)
