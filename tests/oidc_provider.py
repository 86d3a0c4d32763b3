"""A small OpenID Connect provider on Authlib's server side, started as a process: `python -m tests.oidc_provider`.

It prints its port. Whoever comes is signed in as the person last named by `POST /person`; the members of that body
beside the claims change how it behaves: `skew` (seconds its clock is ahead), `nonce` and `issuer` (wrong ones).
PKCE with S256 is demanded, a code works once, and the client must know its secret.
"""

import secrets
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, redirect, request
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "enmusubi", "the provider's secret"
BEHAVIOUR = ("skew", "nonce", "issuer", "auth_time", "refuses")
KEYS = KeySet([RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "first"})])


@dataclass
class State:
    """Who signs in, how the provider misbehaves, and the codes it has given."""

    person: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, "Code"] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)


STATE = State()


class Client(ClientMixin):
    """The only client."""

    def get_client_id(self) -> str:
        """Its name."""
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        """It always names one."""
        return ""

    def get_allowed_scope(self, scope: Collection[str] | str) -> str:
        """All it asks for."""
        return scope if isinstance(scope, str) else " ".join(scope)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Only the service's own address."""
        return redirect_uri.endswith("/api/v1/oidc/callback")

    def check_client_secret(self, client_secret: str) -> bool:
        """The one it was given."""
        return secrets.compare_digest(client_secret, SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """In the header alone."""
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        """A code."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """By code."""
        return grant_type == "authorization_code"


@dataclass
class Code:
    """A code that was given, and what it was given for."""

    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    claims: dict[str, Any]

    def get_redirect_uri(self) -> str:
        """Where it was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it was asked for."""
        return self.scope

    def get_nonce(self) -> str | None:
        """Of the request, unless the provider is told to lie."""
        return self.claims.get("nonce", self.nonce)

    def get_auth_time(self) -> int | None:
        """When the person signed in at the provider."""
        return self.claims.get("auth_time")

    def get_acr(self) -> None:
        """Not told."""

    def get_amr(self) -> None:
        """Not told."""


class CodeGrant(AuthorizationCodeGrant):
    """Codes that work once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, asked: Any) -> None:
        """Remember what the code stands for."""
        data = asked.payload.data
        STATE.codes[code] = Code(
            data["redirect_uri"], asked.payload.scope, data.get("nonce"), data["code_challenge"],
            data["code_challenge_method"], dict(STATE.person),
        )  # fmt: skip

    def query_authorization_code(self, code: str, client: ClientMixin) -> Code | None:
        """What a code stands for; it is used up by the question."""
        return STATE.codes.pop(code, None)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It is gone already."""

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        """Who signed in."""
        return authorization_code.claims


class Tokens(OpenIDCode):
    """ID tokens with the claims of the person."""

    def exists_nonce(self, nonce: str, asked: Any) -> bool:
        """Whether it was used before."""
        return any(code.nonce == nonce for code in STATE.codes.values())

    def get_encode_header(self, client: Client) -> dict[str, str]:
        """With the key's id."""
        return {"alg": "RS256", "kid": "first"}

    def resolve_client_private_key(self, client: Client) -> Any:
        """Our key."""
        return KEYS.keys[0]

    def get_client_algorithm(self, client: Client) -> str:
        """RSA."""
        return "RS256"

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        """Issuer and moments."""
        now = int(time.time() + STATE.person.get("skew", 0))
        return {"iss": STATE.person.get("issuer", _issuer()), "aud": [CLIENT], "iat": now, "exp": now + 600}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
        """The claims of the person."""
        return UserInfo({name: value for name, value in user.items() if name not in BEHAVIOUR})


def _issuer() -> str:
    return request.host_url.rstrip("/")


def create() -> Flask:
    """The provider's pages."""
    app = Flask("provider")
    server = AuthorizationServer(
        app, query_client=lambda name: Client() if name == CLIENT else None, save_token=lambda token, asked: None
    )
    server.register_grant(CodeGrant, [CodeChallenge(required=True), Tokens(require_nonce=True)])

    @app.get("/.well-known/openid-configuration")
    def description() -> Response:
        here = _issuer()
        return jsonify(
            issuer=here, authorization_endpoint=f"{here}/authorize", token_endpoint=f"{here}/token",
            jwks_uri=f"{here}/keys", id_token_signing_alg_values_supported=STATE.person.get("algorithms", ["RS256"]),
        )  # fmt: skip

    @app.get("/keys")
    def keys() -> Response:
        return jsonify(KEYS.as_dict(private=False))

    @app.post("/person")
    def person() -> Response:
        STATE.person = request.get_json()
        return jsonify(requests=STATE.requests)

    @app.get("/authorize")
    def authorize() -> Any:
        STATE.requests.append(request.args.to_dict())
        if STATE.person.get("refuses"):
            return redirect(f"{request.args['redirect_uri']}?error=access_denied&state={request.args['state']}")
        if request.args.get("code_challenge_method") != "S256":
            return "PKCE with S256 is needed", 400
        grant = server.get_consent_grant(end_user=STATE.person)  # type: ignore[no-untyped-call]
        return server.create_authorization_response(grant_user=STATE.person, grant=grant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    return app


if __name__ == "__main__":
    serving = make_server("127.0.0.1", 0, create(), threaded=True)
    print(serving.server_port, flush=True)  # noqa: T201 whoever started it reads the port
    sys.stdout.close()
    serving.serve_forever()
