"""What a page of the queue costs: statements, and bytes."""

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.ingest import indexing
from tests.app.browsers import with_password
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, a_need
from tests.app.test_statements import counted
from tests.web.conftest import Enter, PageBrowser
from tests.web.queue.matches import listed, pairs_of

MOST_STATEMENTS = 12
MOST_BYTES = 150_000


def _fill(session: Session, people: People, needs: int, matches: int) -> None:
    for number in range(needs):
        need = a_need(
            session, people.cluster, people.company.organisation, title=f"Kerbstones {number}", field_codes=["IPC:C04B"]
        )
        scores = [(number * matches + each + 1) / 1_000 for each in range(matches)]
        pairs_of(session, people, scores, need=need, field_codes=["IPC:C04B"], technology_keywords=["frost"])


@pytest.mark.parametrize("with_snapshot", [False, True])
def test_a_page_takes_twelve_statements_at_most_whatever_it_shows(
    committed: Database, service: Database, serve: Serve, settings: Settings, with_snapshot: bool
) -> None:
    """With a match opened as well as without, with filters, for one match as for fifty."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
        _fill(session, people, 1, 1)
        browser = PageBrowser(client)
        email = with_password(session, people.coordinator)
        session.commit()
        assert browser.sign_in(email).status_code == 303
        taken: dict[str, list[int]] = {}
        for further in (0, 5):
            _fill(session, people, further, 10)
            if with_snapshot:
                assert indexing.publish(committed, settings, ENCODER)
                client.app.state.runtime.live.check()  # type: ignore[attr-defined]
            browser.open("/queue?match=first")  # what stays: the background of the reasons, the use of the session
            for path in ("/queue", "/queue?match=first", "/queue?field=IPC&trl=&waiting=&match=first"):
                with counted(service) as statements:
                    page = browser.open(path)
                # Read once for a snapshot, but every ten seconds where few seeds have sentences, as here.
                lasting = [each for each in statements if "passages.made_with" not in each]
                assert len(statements if with_snapshot else lasting) <= MOST_STATEMENTS, "\n".join(statements)
                taken.setdefault(path, []).append(len(lasting))
        assert len(listed(page)) == 50
        assert all(first == second for first, second in taken.values()), taken


def test_a_page_of_fifty_matches_is_light(people: People, session: Session, enter: Enter) -> None:
    """With titles of 256 Japanese characters, and the longest description that a form takes opened beside."""
    for number in range(5):
        need = a_need(session, people.cluster, people.company.organisation, title=f"{number}" + "長" * 255)
        scores = [(number * 10 + each + 1) / 100 for each in range(10)]
        pairs_of(session, people, scores, need=need, title="題" * 256, description="凍" * 4_000, language="ja", trl=4)
    page = enter(people.coordinator).open("/queue?match=first&trl=3&language=ja")
    assert len(listed(page)) == 50
    assert len(page.encode()) < MOST_BYTES
