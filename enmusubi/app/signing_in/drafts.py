"""What comes in when people sign in, are invited, or look after their account."""

import uuid
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, ConfigDict, Field, SecretStr

from enmusubi.app import examples
from enmusubi.app.errors import Sentence
from enmusubi.app.schemas import Schema, ShortText, storable
from enmusubi.app.signing_in.passwords import MOST
from enmusubi.app.vocabulary import Language, Letters, Role, Scope

TOKEN_DAYS = 365


def email_address(given: str) -> str:
    """An address in its usual spelling; ValueError where it is none. Whether it can be reached is not looked up."""
    try:
        return validate_email(given, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(Sentence("is not an e-mail address: %(why)s", why=str(error))) from None


def _storable_secret(given: SecretStr) -> SecretStr:
    storable(given.get_secret_value())
    return given


Email = Annotated[str, Field(max_length=254), AfterValidator(email_address)]
# Not checked as an address: a wrong one is as wrong as an unknown one.
AnyEmail = Annotated[str, Field(max_length=254), AfterValidator(storable)]
PersonName = Annotated[ShortText, Field(max_length=200)]
# Longer than any password that is taken, so that a long one is refused with its reason and never hashed.
Password = Annotated[SecretStr, Field(max_length=MOST * 2), AfterValidator(_storable_secret)]
Secret = Annotated[SecretStr, Field(max_length=200), AfterValidator(_storable_secret)]


def _shown(*bodies: examples.Example) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(bodies)})


class SignInDraft(Schema):
    """An e-mail address and a password."""

    model_config = _shown({"email": "hana.mori@example.org", "password": "three unrelated words"})

    email: AnyEmail
    password: Password


class ConfirmationDraft(Schema):
    """The password once more."""

    model_config = _shown({"password": "three unrelated words"})

    password: Password


class PasswordDraft(Schema):
    """A new password, with the present one where there is one."""

    model_config = _shown({"present": "three unrelated words", "password": "kelp, kerbstone and Tuesday"})

    present: Password | None = None
    password: Password


class AccountDraft(Schema):
    """What a person may change of their account."""

    model_config = _shown({"language": "en"}, {"name": "森 花"})

    name: PersonName | None = None
    language: Language | None = None
    letters: Letters | None = Field(
        default=None, description="Which notices come as letters too: all, or those that ask for an answer"
    )


class TokenDraft(Schema):
    """A new API token."""

    model_config = _shown({"name": "nightly export", "scopes": ["read"], "days": 90})

    name: PersonName
    scopes: Annotated[set[Scope], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=TOKEN_DAYS, description="How long it is valid")] = 90


class InvitationDraft(Schema):
    """Who is asked to join the cluster, as what."""

    model_config = _shown(
        {"email": "ken.abe@example.org", "role": "company", "organisation": "7d0c6a5e-3d43-4d5c-9f0e-6a2f4f4b8f11"}
    )

    email: Email
    role: Role
    name: PersonName | None = None
    organisation: uuid.UUID | None = Field(default=None, description="Needed for companies and universities")
    language: Language = Language.JA


class LinkDraft(Schema):
    """The token of a link in a letter."""

    model_config = _shown({"token": "eni_…"})

    token: Secret


class AcceptanceDraft(LinkDraft):
    """An invitation taken up: the account's password, and name and language if they are to be others."""

    model_config = _shown({"token": "eni_…", "name": "Ken Abe", "password": "kelp, kerbstone and Tuesday"})

    name: PersonName | None = None
    language: Language | None = None
    password: Password


class ResetDraft(Schema):
    """Who has forgotten a password."""

    model_config = _shown({"email": "hana.mori@example.org"})

    email: AnyEmail


class NewPasswordDraft(LinkDraft):
    """A new password, by the link of a letter."""

    model_config = _shown({"token": "enr_…", "password": "kelp, kerbstone and Tuesday"})

    password: Password
