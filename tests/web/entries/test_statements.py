"""How many SQL statements the pages take, whatever the number of rows."""

from sqlalchemy import select

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.models import Match
from tests.app.browsers import with_password
from tests.app.conftest import Serve, people_of
from tests.app.factories import a_match, a_need, a_seed
from tests.app.test_statements import counted
from tests.web.conftest import PageBrowser

_MOST = {"/needs?mine=true": 8, "/seeds?mine=true": 6, "/needs": 6, "/seeds": 4, "need": 31, "seed": 27, "match": 28}


def test_pages_take_a_fixed_number_of_statements(
    committed: Database, serve: Serve, service: Database, settings: Settings
) -> None:
    """Nothing is looked up row by row, and no page takes more than it does now."""
    # Calls that are counted are written down now and then, whatever is opened.
    client = serve(given=settings.model_copy(update={"calls_per_minute": 0}))
    with committed.session() as session:
        people = people_of(client, session)
        emails = {person.role: with_password(session, person) for person in people}
    browsers = {}
    for role, email in emails.items():
        browsers[role] = PageBrowser(client, "en")
        assert browsers[role].sign_in(email).status_code == 303
    taken: dict[tuple[str, str], list[int]] = {}
    for number in (2, 15):
        with committed.session() as session:
            for index in range(number):
                need = a_need(session, people.cluster, people.company.organisation, title=f"frost {index}")
                seed = a_seed(session, people.cluster, people.university.organisation, title=f"frost {index}")
            match = a_match(session, need, seed)
            session.commit()
            paths = {"need": f"/needs/{need.public_id}", "seed": f"/seeds/{seed.public_id}",
                     "match": f"/matches/{match.public_id}"}  # fmt: skip
        for role, browser in browsers.items():
            for name in _MOST:
                path = paths.get(name, name)
                browser.open(path)  # what is found for the first time is stored
                # The fewest: now and then a request also does what is due once in so many seconds.
                fewest = min(_statements(browser, path, service) for _ in range(3))
                taken.setdefault((role, name), []).append(fewest)
    assert all(first == second for first, second in taken.values()), taken
    worst = {name: max(numbers[0] for (_, each), numbers in taken.items() if each == name) for name in _MOST}
    assert all(worst[name] <= most for name, most in _MOST.items()), str(worst)
    with committed.session() as session:
        assert session.scalar(select(Match.id).limit(1)) is not None


def _statements(browser: PageBrowser, path: str, service: Database) -> int:
    with counted(service) as statements:
        browser.open(path)
    return len(statements)
