"""What goes out of accounts, sessions, tokens and invitations: never a hash, a secret only where it is made."""

import datetime
import uuid

from pydantic import Field

from enmusubi.app.representations import PUBLIC_ID, OrganisationNamed, Representation
from enmusubi.app.vocabulary import Language, Letters, Role, Scope, SignInMethod


class _Identified(Representation):
    id: uuid.UUID = Field(validation_alias=PUBLIC_ID, serialization_alias="id")


class PersonOut(_Identified):
    """An account as others of its cluster see it."""

    name: str
    role: Role
    organisation: OrganisationNamed | None
    email: str | None
    language: Language
    active: bool
    created: datetime.datetime


class PersonDeactivated(PersonOut):
    """An account that was deactivated."""

    open_matches: int = Field(description="Matches under way that it handles, to be handed over to another coordinator")


class AccountOut(PersonOut):
    """One's own account."""

    has_password: bool
    has_identity: bool = Field(description="Whether an identity provider's account belongs to it")
    letters: Letters = Field(description="Which notices come as letters too: all, or those that ask for an answer")


class SessionOut(_Identified):
    """A session in a browser."""

    method: SignInMethod
    user_agent: str
    created: datetime.datetime
    last_seen: datetime.datetime
    expires: datetime.datetime
    confirmed: datetime.datetime | None = Field(description="When the person last proved who they are")
    current: bool = Field(default=False, description="Whether it is the one that asks")


class SignedInOut(SessionOut):
    """The session that asks."""

    csrf_token: str = Field(description="To be sent as X-CSRF-Token with every call that changes something")
    account: PersonOut


class SessionsOut(Representation):
    """The sessions that have not ended."""

    items: list[SessionOut]


class EndedOut(Representation):
    """How many were ended."""

    ended: int


class TokenOut(_Identified):
    """An API token, without its text."""

    name: str
    scopes: list[Scope]
    created: datetime.datetime
    expires: datetime.datetime | None
    last_used: datetime.datetime | None = Field(description="To the minute")


class TokenMade(TokenOut):
    """A new API token."""

    token: str = Field(description="Shown this once")


class TokensOut(Representation):
    """The tokens that can be used."""

    items: list[TokenOut]


class InvitationOut(_Identified):
    """An open invitation."""

    email: str
    name: str | None
    role: Role
    organisation: OrganisationNamed | None
    language: Language
    created: datetime.datetime
    expires: datetime.datetime


class InvitationMade(InvitationOut):
    """A new invitation."""

    sent: bool = Field(description="Whether the letter was handed to the mail server")
    link: str | None = Field(description="Where no letter was sent: the link to hand over, shown this once")


class InvitationsOut(Representation):
    """The open invitations of the cluster."""

    items: list[InvitationOut]


class InvitationRead(Representation):
    """An invitation as the invited person sees it."""

    email: str
    name: str | None
    role: Role
    language: Language
    expires: datetime.datetime
    cluster: str
    organisation: str | None


class ResetAsked(Representation):
    """The same for every address."""

    message: str
