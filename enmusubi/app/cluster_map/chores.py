"""What the worker does of this: soon after a snapshot was published, once in all workers."""

import datetime
from typing import Final

from sqlalchemy.orm import Session

from enmusubi.app.cluster_map.drawing import draw_next
from enmusubi.app.freshness import Freshness
from enmusubi.app.working.chores import Chore
from enmusubi.matching.encoder import Encoder

DRAWING: Final = "draw-map"
"""The name of the chore, under whose lock a command draws too."""


def chores_for(freshness: Freshness, encoder: Encoder) -> tuple[Chore, ...]:
    """One cluster at a time: what is drawn is kept, whatever ends the worker at the next."""

    def draw_one(session: Session, now: datetime.datetime) -> None:
        draw_next(session, encoder, freshness.published(session))

    return (Chore(DRAWING, 1, draw_one),)
