"""The identity provider: discovery, the authorisation code with PKCE, and the checks of its ID token."""

import datetime
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2 as httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError, NotReadyError, Sentence, UnauthenticatedError

LEEWAY: Final = 60  # seconds that the provider's clock may be off
_SECONDS: Final = 10.0  # until a provider that does not answer is given up
_SCOPE: Final = "openid email profile"
_DISCOVERY_KEPT: Final = 3600.0
# Signed by the provider's private key: a shared secret or no signature at all proves nothing.
_ALGORITHMS: Final = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
_REFUSED: Final = "the identity provider's answer is not valid; sign in again"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says has signed in."""

    issuer: str
    subject: str
    verified_email: str | None
    name: str | None
    authenticated: datetime.timedelta | None
    """How long ago the person proved who they are to the provider, if it says so."""


class Provider:
    """One OpenID Connect provider. Its description and keys are fetched when they are needed first."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        redirect_uri: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._lock = threading.Lock()
        self._description: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fetched = 0.0

    def address(self, state: str, nonce: str, verifier: str, *, confirm: bool) -> str:
        """Where the person signs in; with `confirm`, they have to prove anew who they are."""
        more = {"prompt": "login", "max_age": "0"} if confirm else {}
        with self._client() as client:
            address, _ = client.create_authorization_url(
                self._described()["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier, **more
            )
        return str(address)

    def identity(self, code: str, nonce: str, verifier: str) -> Identity:
        """Who has signed in, by the code that came back; UnauthenticatedError where anything does not fit."""
        try:
            with self._client() as client:
                token = client.fetch_token(
                    self._described()["token_endpoint"], code=code, code_verifier=verifier,
                    grant_type="authorization_code",
                )  # fmt: skip
            claims = self._claims(token, nonce)
        except httpx.HTTPError as error:
            raise _silent(error) from None
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            raise UnauthenticatedError(
                Sentence(
                    "the identity provider's answer is not valid; sign in again (%(why)s)", why=type(error).__name__
                )
            ) from None
        email = claims.get("email") if claims.get("email_verified") is True else None
        name = claims.get("name")
        authenticated = claims.get("auth_time")
        return Identity(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            verified_email=email if isinstance(email, str) and email else None,
            name=name[:200] if isinstance(name, str) and name.strip() else None,
            authenticated=None
            if authenticated is None
            else datetime.timedelta(seconds=max(0.0, self._clock() - authenticated)),
        )

    def _claims(self, token: dict[str, Any], nonce: str) -> CodeIDToken:
        text = token["id_token"]
        registry = JWSRegistry(algorithms=_allowed(self._described()), strict_check_header=False)
        try:
            decoded = jwt.decode(text, self._key_set(), registry=registry)
        except InvalidKeyIdError:
            # The provider has changed its keys since they were fetched.
            decoded = jwt.decode(text, self._key_set(anew=True), registry=registry)
        expected: dict[str, Any] = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        known = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, expected, known)
        claims.validate(now=int(self._clock()), leeway=LEEWAY)
        return claims

    def _client(self) -> OAuth2Client:
        method = "client_secret_basic" if self._client_secret else "none"
        return OAuth2Client(
            self._client_id, self._client_secret, token_endpoint_auth_method=method, scope=_SCOPE,
            redirect_uri=self._redirect_uri, code_challenge_method="S256", timeout=_SECONDS,
        )  # fmt: skip

    def _described(self) -> dict[str, Any]:
        with self._lock:
            if not self._description or time.monotonic() - self._fetched > _DISCOVERY_KEPT:
                found = _fetched(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
                if found.get("issuer") != self._issuer:
                    raise NotReadyError("the identity provider calls itself by another name than ENMUSUBI_OIDC_ISSUER")
                _allowed(found)
                self._description, self._keys, self._fetched = found, None, time.monotonic()
            return self._description

    def _key_set(self, *, anew: bool = False) -> KeySet:
        address = self._described()["jwks_uri"]
        with self._lock:
            if self._keys is None or anew:
                self._keys = KeySet.import_key_set(_fetched(address))  # type: ignore[arg-type]
            return self._keys


def _allowed(description: dict[str, Any]) -> list[str]:
    """The provider's algorithms that are taken; NotReadyError where there is none."""
    allowed = sorted(_ALGORITHMS.intersection(description.get("id_token_signing_alg_values_supported", ["RS256"])))
    if not allowed:
        # A library that is given no algorithm would take its own choice.
        raise NotReadyError("the identity provider offers no signature of its ID tokens that is taken here")
    return allowed


def _fetched(address: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = httpx.get(address, timeout=_SECONDS).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise _silent(error) from None
    return found


def _silent(error: Exception) -> NotReadyError:
    return NotReadyError(
        Sentence("the identity provider does not answer (%(why)s); try again later", why=type(error).__name__)
    )


def _is_safe(issuer: str) -> bool:
    try:
        url = urlsplit(issuer)
    except ValueError:
        return False
    # The whole name: what merely begins with `localhost` is somebody else's.
    return url.scheme == "https" or (url.scheme == "http" and url.hostname in ("127.0.0.1", "localhost", "::1"))


def provider_for(settings: Settings) -> Provider | None:
    """The configured provider; ConfigurationError where its settings are not complete or not safe."""
    if settings.oidc_issuer is None:
        return None
    if not _is_safe(settings.oidc_issuer):
        raise ConfigurationError(
            "ENMUSUBI_OIDC_ISSUER: anybody on the way could answer for the provider; give its https:// address"
        )
    if settings.oidc_client_id is None:
        raise ConfigurationError("ENMUSUBI_OIDC_CLIENT_ID: the provider gave this installation a name; set it")
    secret = settings.oidc_client_secret
    return Provider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        None if secret is None else secret.get_secret_value(),
        f"{settings.address}/api/v1/oidc/callback",
    )
