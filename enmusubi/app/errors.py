"""Domain errors: each carries the HTTP status and the machine-readable type it is rendered with."""

from collections.abc import Mapping, Sequence
from typing import Any


class Sentence(str):
    """A sentence with values in it, in English: a page takes its template and says it in its reader's language."""

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> "Sentence":
        """The template with its values (`%(name)s`) filled in; one without values is taken as it stands."""
        plain = {name: _plain(one) for name, one in values.items()}
        made = super().__new__(cls, template % plain if plain else template)
        made.template, made.values = template, values
        return made


def _plain(value: object) -> object:
    """A value as it stands in the English sentence; of several, each."""
    return ", ".join(str(one) for one in value) if isinstance(value, tuple) else value


class EnmusubiError(Exception):
    """An expected error: `status` is its HTTP status, `code` its stable name, `extra` further problem members."""

    status = 400
    code = "bad-request"
    title = "The request cannot be carried out"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class InvalidInputError(EnmusubiError):
    """The input breaks a rule; `errors` lists where and why."""

    status = 422
    code = "invalid-input"
    title = "The input is not valid"


class UnauthenticatedError(EnmusubiError):
    """No token, or one that is unknown, expired or revoked."""

    status = 401
    code = "unauthenticated"
    title = "Sign-in is needed"


class ForbiddenError(EnmusubiError):
    """The account may see the thing but not do this to it."""

    status = 403
    code = "forbidden"
    title = "This account may not do that"


class ConfirmationNeededError(EnmusubiError):
    """A sensitive step, and too long since the person proved who they are."""

    status = 403
    code = "confirmation-needed"
    title = "Confirm that it is you"


class TooManyAttemptsError(EnmusubiError):
    """Tried too often; `retry_after` is in seconds."""

    status = 429
    code = "too-many-attempts"
    title = "Tried too often"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NotFoundError(EnmusubiError):
    """There is no such thing, or the account may not know that there is."""

    status = 404
    code = "not-found"
    title = "Not found"


class ConflictError(EnmusubiError):
    """The thing is in a state that does not allow this."""

    status = 409
    code = "conflict"
    title = "Conflict with the present state"


class PreconditionFailedError(EnmusubiError):
    """If-Match names another version than the present one."""

    status = 412
    code = "precondition-failed"
    title = "The entry has changed meanwhile"


class PreconditionRequiredError(EnmusubiError):
    """A change came without If-Match."""

    status = 428
    code = "precondition-required"
    title = "If-Match is needed"


class NotReadyError(EnmusubiError):
    """A part of the service (database, model) is still starting or is down."""

    status = 503
    code = "not-ready"
    title = "The service is not ready"


class ConfigurationError(EnmusubiError):
    """The installation is set up wrongly; the message names the fix."""

    status = 500
    code = "configuration"
    title = "The installation is not set up rightly"


def located(errors: Sequence[Any]) -> list[dict[str, Any]]:
    """Pydantic's errors with their place, without the values: these may be confidential."""
    return [{"at": _place(error["loc"]), "reason": error["msg"], "kind": error["type"]} for error in errors]


def _place(steps: Sequence[Any]) -> str:
    # A step may be a name as it was sent, with characters that no reply can hold.
    return "".join(f"/{step}" for step in steps).encode("utf-8", "replace").decode()
