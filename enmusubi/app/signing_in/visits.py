"""A request of somebody who is not known yet, and what it is answered with."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.mail import Post, post_office
from enmusubi.app.signing_in import throttling
from enmusubi.app.signing_in.keys import Signatures, session_keys
from enmusubi.app.signing_in.oidc import Provider, provider_for
from enmusubi.app.signing_in.passwords import Passwords
from enmusubi.app.signing_in.shown import PersonOut, SessionOut
from enmusubi.app.signing_in.throttling import Rate


@dataclass(frozen=True, slots=True)
class Desk:
    """What signing in works with."""

    settings: Settings
    sessions: Callable[[], Session]
    passwords: Passwords
    signatures: Signatures
    post: Post
    provider: Provider | None

    @property
    def idle(self) -> datetime.timedelta:
        """How long a session may go unused."""
        return datetime.timedelta(minutes=self.settings.session_idle_minutes)

    @property
    def lifetime(self) -> datetime.timedelta:
        """How long a session may last."""
        return datetime.timedelta(hours=self.settings.session_hours)


def desk_for(settings: Settings, sessions: Callable[[], Session], post: Post | None = None) -> Desk:
    """What the settings say; ConfigurationError where they do not fit together. `post` replaces the configured one."""
    return Desk(
        settings=settings,
        sessions=sessions,
        passwords=Passwords(),
        signatures=Signatures(session_keys(settings)),
        post=post or post_office(settings),
        provider=provider_for(settings),
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes, as far as that can be told: an address, a browser, perhaps the secret of a session of before."""

    desk: Desk
    address: str
    user_agent: str
    session_secret: str | None

    @property
    def network(self) -> str:
        """Where it comes from, as it is counted."""
        return throttling.network(self.address)

    def take(self, session: Session, rate: Rate) -> None:
        """Count this visit against a rate of its address, and commit that."""
        throttling.take(session, rate, self.network)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session and its account as they are shown; `secret` goes into the cookie and nowhere else."""

    session: SessionOut
    person: PersonOut
    secret: str
