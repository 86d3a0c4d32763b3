"""Pages of needs, seeds and matches, as each role sees them."""

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.vocabulary import MatchStatus
from tests.app.conftest import People
from tests.app.factories import Person, put_match_into
from tests.app.introducing.conftest import Pair, a_pair
from tests.web.conftest import Enter


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_there_for_its_readers(people: People, enter: Enter, session: Session, language: str) -> None:
    """In both languages, in every status of a match."""
    browsers = {person: enter(person, language) for person in people}
    for status in MatchStatus:
        pair = a_pair(people, session)
        put_match_into(session, pair.row, status)
        session.commit()
        for person, paths in _of(pair, people).items():
            for path in paths if status is MatchStatus.SUGGESTED else paths[:3]:
                reply = browsers[person].get(path)
                assert reply.status_code == 200, (person.role, path, status)
                assert f'<html lang="{language}">' in reply.text, path


def _of(pair: Pair, people: People) -> dict[Person, list[str]]:
    need, seed, match = f"/needs/{pair.need}", f"/seeds/{pair.seed}", f"/matches/{pair.match}"
    lists = ["/needs", "/seeds", "/needs?mine=true", "/seeds?mine=true", "/work"]
    overseeing = ["/waiting", "/waiting?kind=seeds", f"{need}/views", f"{seed}/views"]
    return {
        people.company: [need, seed, match, *lists, f"{need}/views", f"{need}/check", f"{need}/withdraw"],
        people.university: [need, seed, match, *lists, f"{seed}/views", f"{seed}/withdraw"],
        people.coordinator: [need, seed, match, *lists, *overseeing, f"{need}/check", "/hand-over"],
        people.administrator: [need, seed, match, *lists, *overseeing[:2]],
    }
