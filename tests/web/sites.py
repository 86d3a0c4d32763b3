"""The real service with the samples in it, people of every role who can sign in, and Chromium to look at it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, sync_playwright
from sqlalchemy import select

from enmusubi.app.config import Settings
from enmusubi.app.database import connect
from enmusubi.app.models import Account
from enmusubi.app.signing_in.passwords import Passwords
from enmusubi.app.vocabulary import Language, Role
from tests.running import Home, Server

PASSWORD = "kelp and kerbstone, Tuesday"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
HERE = "http://127.0.0.1:"


@dataclass(frozen=True)
class Site:
    """A running service, and who can sign in: an address for each role."""

    address: str
    people: dict[Role, str]


@contextmanager
def a_site(model: Path | None = None) -> Iterator[Site]:
    """The service over the samples, by its commands; its people share one password.

    `model` is a small one, whose matches mean little: with the bundled one, reading the samples takes longer.
    """
    # Not in pytest's folders: run by root, the server's account could not pass through them.
    with tempfile.TemporaryDirectory(prefix="enmusubi-site-", ignore_cleanup_errors=True) as folder:
        settings = {"ENMUSUBI_MODEL": str(model or ""), "ENMUSUBI_PRECISION": "auto"}
        if model is not None:
            settings["ENMUSUBI_FLOOR"] = "0"  # probabilities are fitted to the bundled model
        home = Home(Path(folder), Path(), settings)
        try:
            home.must("demo", "--no-serve")
            people = _with_passwords(home)
            server = Server(home).ready()
            try:
                yield Site(str(server.client.base_url).rstrip("/"), people)
            finally:
                server.terminate()
        finally:
            home.close()


def _with_passwords(home: Home) -> dict[Role, str]:
    people = {}
    stored = Passwords().hash(PASSWORD)
    with connect(Settings(home=home.folder)) as database, database.session() as session:
        for account in session.scalars(select(Account).order_by(Account.id.desc())):
            email = f"{account.role}@example.org"
            account.email = account.email_key = email
            account.password_hash = stored
            people[Role(account.role)] = email
        session.commit()
    return people


def chromium() -> str:
    """Where Debian's Chromium is; the test is skipped, by name, where there is none and none is required."""
    found = shutil.which("chromium")
    if found is None:
        said = "no Chromium on this machine: pages are not tested in a browser (apt-get install chromium)"
        if os.environ.get("CHROMIUM_REQUIRED"):
            pytest.fail(said)
        pytest.skip(said)
    return found


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Window:
    """A browser window of one person, which notes what no page may do."""

    site: Site
    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)
    """Requests that left this machine, errors of scripts, what the security policy refused."""
    expected: tuple[str, ...] = ()
    """Parts of console messages that belong to the test, such as the status of a refused form."""

    def open(self, path: str) -> Page:
        """Open a page of the site."""
        self.page.goto(self.site.address + path)
        return self.page

    def sign_in(self, role: Role, language: Language = Language.JA) -> None:
        """By the form, as people do; the account has the language from then on."""
        self.open("/sign-in")
        self.page.fill("#email", self.site.people[role])
        self.page.fill("#password", PASSWORD)
        self.page.click("main button.main")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        asking = self.context.request
        proof = asking.get(f"{self.site.address}/api/v1/session").json()["csrf_token"]
        reply = asking.patch(
            f"{self.site.address}/api/v1/account", data={"language": str(language)},
            headers={"X-CSRF-Token": proof, "Sec-Fetch-Site": "same-origin"},
        )  # fmt: skip
        assert reply.ok, reply.text()

    def first(self, listed: str) -> str:
        """The id of the first of a list of the API, as this person sees it."""
        items = self.context.request.get(f"{self.site.address}/api/v1/{listed}").json()["items"]
        assert items, f"{listed} is empty for this person"
        return str(items[0]["id"])

    def filled(self, path: str) -> str:
        """The path with the first need, seed or match in the place of its name."""
        for name, listed in (("{need}", "needs"), ("{seed}", "seeds"), ("{match}", "matches")):
            if name in path:
                path = path.replace(name, self.first(listed))
        return path


@contextmanager
def a_window(
    browser: Browser, site: Site, language: Language = Language.JA, *, scripts: bool = True, dark: bool = False,
    width: int = 1280,
) -> Iterator[Window]:  # fmt: skip
    """A window with cookies of its own; in the end nothing wrong may have been noted."""
    context = browser.new_context(
        locale={"ja": "ja-JP", "en": "en-GB"}[language], java_script_enabled=scripts,
        color_scheme="dark" if dark else "light", viewport={"width": width, "height": 900},
        timezone_id="Asia/Tokyo",
    )  # fmt: skip
    window = Window(site, context, context.new_page())

    def routed(route: Route, request: Request) -> None:
        if request.url.startswith((HERE, "data:", "blob:")):
            route.continue_()
        else:
            window.wrong.append(f"a request left: {request.url}")
            route.abort()

    def noted(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in window.expected):
            window.wrong.append(message.text)

    context.route("**/*", routed)
    window.page.on("console", noted)
    window.page.on("pageerror", lambda error: window.wrong.append(str(error)))
    try:
        yield window
        assert window.wrong == []
    finally:
        context.close()
