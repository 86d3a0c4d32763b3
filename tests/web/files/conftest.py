"""A university's and a company's browser before the pages of files, and the worker beside them."""

import io
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from openpyxl import Workbook
from sqlalchemy import func, select, update

from enmusubi.app.clock import SystemClock
from enmusubi.app.database import Database
from enmusubi.app.importing.running import run_next_import
from enmusubi.app.models import Account, Import, Seed
from tests.app.browsers import with_password
from tests.app.conftest import People, Serve, committed, migrated, people_of, serve, service, settings  # noqa: F401
from tests.app.factories import ENCODER, Person
from tests.web.conftest import PageBrowser

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(*rows: Sequence[object]) -> bytes:
    """An .xlsx of these rows."""
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(out)
    return out.getvalue()


@dataclass
class Desk:
    """Somebody who drops files, and the worker that reads them."""

    browser: PageBrowser
    service: Database

    def drop(self, name: str, content: bytes, kind: str = "seeds", once: str | None = None, **more: str) -> str:
        """Drop a file that is taken; the address of its page."""
        reply = self.send(name, content, kind, once, **more)
        assert reply.status_code == 303, reply.text
        return str(reply.headers["location"])

    def send(self, name: str, content: bytes, kind: str = "seeds", once: str | None = None, **more: str):  # type: ignore[no-untyped-def]
        """Drop a file, whatever becomes of it."""
        once = once or uuid.uuid4().hex
        return self.browser.send("/imports", {"file": (name, content, XLSX)}, kind=kind, once=once, **more)

    def work(self) -> int:
        """Look through and read all that waits, with the rights of the service; how many."""
        done = 0
        while run_next_import(self.service.session, ENCODER, SystemClock()) is not None:
            done += 1
        return done

    def preview(self, name: str, content: bytes, kind: str = "seeds", **more: str) -> tuple[str, str]:
        """Drop a file and have it looked through; its address and the page."""
        address = self.drop(name, content, kind, **more)
        assert self.work() == 1
        return address, self.browser.open(address)

    def confirm(self, address: str, page: str) -> str:
        """Confirm what a preview shows; where that leads."""
        found = re.search(r'name="layout" value="(\w+)"', page)
        assert found, page
        reply = self.browser.send(f"{address}/confirm", layout=found[1])
        assert reply.status_code == 303, reply.text
        return str(reply.headers["location"])


@dataclass(frozen=True)
class Floor:
    """A cluster whose people drop files."""

    people: People
    database: Database
    service: Database
    client: TestClient

    def desk(self, person: Person, language: str = "ja") -> Desk:
        """Somebody signed in, in that language."""
        with self.database.session() as session:
            session.execute(update(Account).where(Account.id == person.caller.id).values(language=language))
            email = with_password(session, person)
            session.commit()
        browser = PageBrowser(self.client, language)
        assert browser.sign_in(email).status_code == 303
        return Desk(browser, self.service)

    def count(self, model: type[Seed] | type[Import]) -> int:
        """Rows, as the operator sees them."""
        with self.database.session() as session:
            return session.scalars(select(func.count()).select_from(model)).one()


@pytest.fixture
def floor(serve: Serve, committed: Database, service: Database) -> Floor:  # noqa: F811 fixtures
    """The application over a database that the worker sees."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
        session.commit()
    return Floor(people, committed, service, client)


@pytest.fixture
def desk(floor: Floor) -> Desk:
    """The university's, in Japanese."""
    return floor.desk(floor.people.university)
