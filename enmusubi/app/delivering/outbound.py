"""What notices are sent with."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from enmusubi.app.clock import Clock, SystemClock
from enmusubi.app.config import Settings
from enmusubi.app.delivering.reaching import Reach, reach_for
from enmusubi.app.mail import Post
from enmusubi.app.models import Delivery

StopLink = Callable[[Session, Delivery], str | None]
"""The address that stops what a reader has ordered, by one click; None where there is none."""


def _no_stop_link(session: Session, delivery: Delivery) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Outbound:
    """The post, the way to webhooks, the clock, and whose letters they are."""

    settings: Settings
    sessions: Callable[[], Session]
    post: Post
    reach: Reach
    clock: Clock = field(default_factory=SystemClock)
    stop_link: StopLink = _no_stop_link
    chance: random.Random = field(default_factory=random.SystemRandom)

    @property
    def host(self) -> str:
        """Where the letters' ids come from: the domain of their sender."""
        return (self.settings.mail_from or "").rpartition("@")[2].rstrip("> ") or "enmusubi.invalid"


def outbound_for(
    settings: Settings, sessions: Callable[[], Session], post: Post, clock: Clock | None = None
) -> Outbound:
    """What the settings say; ConfigurationError where they are wrong."""
    return Outbound(settings, sessions, post, reach_for(settings), clock or SystemClock())
