"""What people keep of the review queue for themselves."""

import datetime
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enmusubi.app.database import Base
from enmusubi.app.models.columns import new_key, new_public_id, set_now
from enmusubi.app.models.people import Account


class QueueView(Base):
    """A set of filters of the review queue that a person comes back to, under the person's own name for it."""

    __tablename__ = "queue_views"
    __table_args__ = (UniqueConstraint("account_id", "name"),)
    id: Mapped[int] = new_key()
    public_id: Mapped[uuid.UUID] = new_public_id()
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created: Mapped[datetime.datetime] = set_now()
