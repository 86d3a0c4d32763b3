"""Sign-in by an identity provider: a real one, in a process of its own."""

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.errors import ConfigurationError, NotReadyError, UnauthenticatedError
from enmusubi.app.models import Account, OidcSignIn, RecordEvent
from enmusubi.app.signing_in.oidc import Provider, provider_for
from enmusubi.app.vocabulary import Action, Role
from tests import oidc_provider
from tests.app.browsers import Browser, let_pass, with_password
from tests.app.conftest import People, people_of
from tests.app.signing_in.conftest import Application, IdentityProvider

SUBJECT = "subject-7"


@pytest.fixture
def client(application: Application, with_provider: Settings) -> Iterator[TestClient]:
    """An application whose people may sign in by the provider."""
    with application(with_provider) as client:
        yield client


def _there_and_back(browser: Browser, provider: IdentityProvider, start: str = "/oidc/start") -> str:
    """Go to the provider; the callback that it sends the browser to."""
    gone = browser.get(start)
    assert gone.status_code == 303, gone.text
    back = urlsplit(provider.visit(gone.headers["location"]))
    assert back.path == "/api/v1/oidc/callback"
    return f"/oidc/callback?{back.query}"


def _by(provider: IdentityProvider, address: str, **more: object) -> None:
    claims = {"email": address, **more}
    provider.signs_in(**{"sub": SUBJECT, "email_verified": True, "name": "Hana Mori", **claims})


def test_signing_in_by_the_provider(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """The first time by the verified address, from then on by the provider's name for the person."""
    _by(provider, with_password(session, people.company).upper())
    browser = Browser(client)
    done = browser.get(_there_and_back(browser, provider))
    assert (done.status_code, done.headers["location"]) == (303, "/")
    shown = browser.must("GET", "/session")
    assert (shown["account"]["id"], shown["method"]) == (str(people.company.caller.public_id), "oidc")
    assert set(browser.cookies) == {"enmusubi"}
    stored = session.get_one(Account, people.company.caller.id)
    assert (stored.oidc_issuer, stored.oidc_subject) == (provider.issuer, SUBJECT)
    linked = select(func.count()).where(RecordEvent.action == Action.IDENTITY_LINKED)
    assert session.scalar(linked) == 1
    provider.signs_in(sub=SUBJECT, email="new@example.org", email_verified=True)
    again = Browser(client)
    again.get(_there_and_back(again, provider))
    assert again.must("GET", "/session")["account"]["id"] == shown["account"]["id"]
    assert session.scalar(linked) == 1


def test_the_request_has_state_nonce_and_pkce(client: TestClient, provider: IdentityProvider) -> None:
    """Each of its own, long, and not repeated."""
    asked = []
    for _ in range(2):
        _there_and_back(Browser(client), provider)
        asked.append(provider.signs_in(sub="x")[-1])
    for each in asked:
        assert (each["response_type"], each["code_challenge_method"]) == ("code", "S256")
        assert {"openid", "email"} <= set(each["scope"].split())
    for name in ("state", "nonce", "code_challenge"):
        assert len({each[name] for each in asked}) == 2
        assert all(len(each[name]) >= 43 for each in asked)


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": "stranger@example.org"},
        {"email": None},
    ],
)
def test_strangers_are_not_let_in(
    people: People, session: Session, client: TestClient, provider: IdentityProvider, claims: dict[str, object]
) -> None:
    """Nobody gets an account by signing in somewhere else, or by an address that nobody has verified."""
    _by(provider, with_password(session, people.company), **claims)
    browser = Browser(client)
    assert browser.get(_there_and_back(browser, provider)).status_code == 403
    assert not browser.is_signed_in()


def test_an_address_that_has_gone_to_somebody_else(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """An account that belongs to one identity is not taken over by another with the same address."""
    email = with_password(session, people.company)
    _by(provider, email)
    first = Browser(client)
    first.get(_there_and_back(first, provider))
    _by(provider, email, sub="somebody else")
    second = Browser(client)
    assert second.get(_there_and_back(second, provider)).status_code == 403


def test_an_invited_person_joins_by_the_provider(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """The verified address is the invitation's; it is used up by it."""
    people.administrator.create("/invitations", {"email": "Aoi@example.org", "role": Role.AUDITOR, "language": "en"})
    _by(provider, "aoi@example.org")
    browser = Browser(client)
    assert browser.get(_there_and_back(browser, provider)).status_code == 303
    joined = browser.must("GET", "/session")["account"]
    assert (joined["role"], joined["name"], joined["email"]) == ("auditor", "Hana Mori", "Aoi@example.org")
    assert people.administrator.read("/invitations")["items"] == []


def test_whom_several_clusters_invite_opens_a_link(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """Nobody joins the cluster that invited last, by merely signing in."""
    elsewhere = people_of(client, session)
    draft = {"email": "aoi@example.org", "role": Role.AUDITOR}
    for cluster in (people, elsewhere):
        cluster.administrator.create("/invitations", draft)
    _by(provider, "aoi@example.org")
    browser = Browser(client)
    refused = browser.get(_there_and_back(browser, provider))
    assert (refused.status_code, "several clusters" in refused.json()["detail"]) == (403, True)
    assert [len(each.administrator.read("/invitations")["items"]) for each in (people, elsewhere)] == [1, 1]


def test_a_closed_account_stays_closed(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """Also for the provider."""
    _by(provider, with_password(session, people.company))
    session.get_one(Account, people.company.caller.id).active = False
    session.commit()
    browser = Browser(client)
    assert browser.get(_there_and_back(browser, provider)).status_code == 403


def test_a_callback_works_once(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """A state that came back is used up, for whoever sends it again."""
    _by(provider, with_password(session, people.company))
    browser = Browser(client)
    callback = _there_and_back(browser, provider)
    kept = dict(browser.cookies)
    assert browser.get(callback).status_code == 303
    assert Browser(client, cookies=kept).get(callback).status_code == 401
    assert session.scalars(select(OidcSignIn)).all() == []


def test_a_callback_belongs_to_its_browser(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """Nobody is signed in as somebody else by following a link to a callback (login CSRF), nor without having begun."""
    _by(provider, with_password(session, people.company))
    attacker = Browser(client)
    callback = _there_and_back(attacker, provider)
    victim = Browser(client)
    _there_and_back(victim, provider)
    assert victim.get(callback).status_code == 401
    assert not victim.is_signed_in()
    for wrong in ("/oidc/callback", "/oidc/callback?state=x&code=y", "/oidc/callback?state=eno_x"):
        assert attacker.get(wrong).status_code == 401


def test_a_sign_in_takes_ten_minutes_at_most(
    people: People, session: Session, client: TestClient, provider: IdentityProvider
) -> None:
    """What comes back later begins again."""
    _by(provider, with_password(session, people.company))
    browser = Browser(client)
    callback = _there_and_back(browser, provider)
    let_pass(session, minutes=11)
    assert browser.get(callback).status_code == 401


def test_a_refusal_at_the_provider(client: TestClient, provider: IdentityProvider) -> None:
    """Is told as such."""
    provider.signs_in(sub="x", refuses=True)
    browser = Browser(client)
    reply = browser.get(_there_and_back(browser, provider))
    assert (reply.status_code, "did not sign you in" in reply.json()["detail"]) == (401, True)


@pytest.mark.parametrize(
    "lie", [{"nonce": "another"}, {"issuer": "https://elsewhere.example"}, {"skew": -3600}, {"skew": 3600}]
)
def test_an_id_token_that_does_not_fit_is_refused(
    people: People, session: Session, client: TestClient, provider: IdentityProvider, lie: dict[str, object]
) -> None:
    """Of another sign-in, another issuer, or another time."""
    _by(provider, with_password(session, people.company), **lie)
    browser = Browser(client)
    reply = browser.get(_there_and_back(browser, provider))
    assert reply.status_code == 401
    assert not browser.is_signed_in()


@pytest.mark.parametrize("skew", [-50, 50])
def test_clocks_may_differ_by_a_minute(
    people: People, session: Session, client: TestClient, provider: IdentityProvider, skew: int
) -> None:
    """No two clocks are the same."""
    _by(provider, with_password(session, people.company), skew=skew)
    browser = Browser(client)
    assert browser.get(_there_and_back(browser, provider)).status_code == 303


def test_a_code_of_another_verifier_is_refused(provider: IdentityProvider) -> None:
    """Whoever intercepts a code cannot use it (PKCE); nor one whose clock is far off, nor one without the secret."""
    provider.signs_in(sub=SUBJECT)
    verifier = "v" * 48

    def code(mine: Provider) -> str:
        back = provider.visit(mine.address("state", f"nonce {time.monotonic_ns()}", verifier, confirm=False))
        return parse_qs(urlsplit(back).query)["code"][0]

    def client(secret: str = oidc_provider.SECRET, ahead: float = 0.0) -> Provider:
        callback = "http://127.0.0.1:8000/api/v1/oidc/callback"
        clock = lambda: time.time() + ahead  # noqa: E731
        return Provider(provider.issuer, oidc_provider.CLIENT, secret, callback, clock)

    with pytest.raises(UnauthenticatedError):
        client().identity(code(client()), "nonce", "w" * 48)
    with pytest.raises(UnauthenticatedError):
        client("wrong").identity(code(client()), "nonce", verifier)
    nonce = "n" * 43
    address = client().address("state", nonce, verifier, confirm=False)
    late = parse_qs(urlsplit(provider.visit(address)).query)["code"][0]
    with pytest.raises(UnauthenticatedError, match="ExpiredTokenError"):
        client(ahead=3_600).identity(late, nonce, verifier)
    again = parse_qs(urlsplit(provider.visit(address)).query)["code"][0]
    assert client(ahead=30).identity(again, nonce, verifier).subject == SUBJECT


def test_confirming_by_the_provider(
    people: People, session: Session, client: TestClient, provider: IdentityProvider, settings: Settings
) -> None:
    """The provider is told to ask anew, and has to say that it did; a sign-in there of long ago confirms nothing."""
    email = with_password(session, people.company)
    body = {"name": "export", "scopes": ["read"]}
    long_ago = int(time.time()) - 7_200
    _by(provider, email, auth_time=long_ago)
    browser = Browser(client)
    browser.get(_there_and_back(browser, provider))
    browser.must("GET", "/session")
    assert browser.post("/tokens", body).json()["type"] == "/problems/confirmation-needed"
    callback = _there_and_back(browser, provider, "/oidc/start?confirm=true")
    assert provider.signs_in(sub="x")[-1].items() >= {"prompt": "login", "max_age": "0"}.items()
    assert browser.get(callback).status_code == 401
    _by(provider, email, auth_time=int(time.time()))
    browser.get(_there_and_back(browser, provider, "/oidc/start?confirm=true"))
    browser.must("GET", "/session")
    assert browser.post("/tokens", body).status_code == 201
    assert settings.session_confirm_minutes == 15


def test_without_a_provider_there_is_no_way_there(application: Application, settings: Settings) -> None:
    """404, as if there were no such page."""
    with application(settings) as client:
        for path in ("/oidc/start", "/oidc/callback?state=x&code=y"):
            assert Browser(client).get(path).status_code == 404


def test_a_provider_that_is_down_or_somebody_else(provider: IdentityProvider) -> None:
    """503 that names the kind of fault; whoever answers for another issuer is not believed."""
    for issuer in ("http://127.0.0.1:9", f"{provider.issuer}/"):
        mine = Provider(issuer, "enmusubi", None, "http://127.0.0.1/api/v1/oidc/callback")
        with pytest.raises(NotReadyError):
            mine.address("state", "nonce", "v" * 48, confirm=False)


@pytest.mark.parametrize("algorithms", [[], ["none"], ["HS256", "HS512"]])
def test_a_provider_without_a_signature_that_is_taken(provider: IdentityProvider, algorithms: list[str]) -> None:
    """Nobody is sent to a provider whose word could not be checked."""
    provider.signs_in(algorithms=algorithms)
    mine = Provider(provider.issuer, "enmusubi", None, "http://127.0.0.1/api/v1/oidc/callback")
    with pytest.raises(NotReadyError, match="no signature"):
        mine.address("state", "nonce", "v" * 48, confirm=False)
    provider.signs_in(algorithms=[*algorithms, "ES256"])
    assert mine.address("state", "nonce", "v" * 48, confirm=False).startswith(provider.issuer)
    provider.signs_in(sub=SUBJECT)  # as the other tests expect it


def test_settings_of_the_provider_are_checked(settings: Settings) -> None:
    """A provider over plain http, or without the name it knows us by."""
    for wrong in ({"oidc_issuer": "http://idp.example.org"}, {"oidc_issuer": "https://idp.example.org"}):
        with pytest.raises(ConfigurationError, match="ENMUSUBI_OIDC"):
            provider_for(settings.model_copy(update=wrong))
    assert provider_for(settings) is None
