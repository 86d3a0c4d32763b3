"""What a seed or a need grew from: a match, an outcome, another seed or need."""

import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, set_now
from enmusubi.app.models.entries import Need, Seed
from enmusubi.app.models.introductions import Outcome
from enmusubi.app.models.matches import Match


class Origin(Base):
    """One thing that an entry grew from. Triggers refuse what would make an entry its own origin."""

    __tablename__ = "origins"
    __table_args__ = (
        CheckConstraint("num_nonnulls(seed_id, need_id) = 1", name="entry"),
        CheckConstraint(
            "num_nonnulls(from_match_id, from_outcome_id, from_seed_id, from_need_id) = 1", name="from_one"
        ),
        UniqueConstraint(
            *("seed_id", "need_id", "from_match_id", "from_outcome_id", "from_seed_id", "from_need_id"),
            name="uq_origins_pair",
            postgresql_nulls_not_distinct=True,
        ),
    )
    id: Mapped[int] = new_key()
    seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"))
    need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), index=True)
    from_match_id: Mapped[int | None] = mapped_column(ForeignKey(Match.id, ondelete="CASCADE"), index=True)
    from_outcome_id: Mapped[int | None] = mapped_column(ForeignKey(Outcome.id, ondelete="CASCADE"), index=True)
    from_seed_id: Mapped[int | None] = mapped_column(ForeignKey(Seed.id, ondelete="CASCADE"), index=True)
    from_need_id: Mapped[int | None] = mapped_column(ForeignKey(Need.id, ondelete="CASCADE"), index=True)
    created: Mapped[datetime.datetime] = set_now()
