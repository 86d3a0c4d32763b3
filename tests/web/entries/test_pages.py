"""Pages of needs, seeds and matches, as each role sees them."""

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.vocabulary import MatchStatus
from tests.app.factories import put_match_into
from tests.app.introducing.conftest import Pair
from tests.web.conftest import Enter


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_there_for_its_readers(pair: Pair, enter: Enter, session: Session, language: str) -> None:
    """In both languages, in every status of the match."""
    need, seed, match = f"/needs/{pair.need}", f"/seeds/{pair.seed}", f"/matches/{pair.match}"
    paths = {
        pair.company: ["/needs", "/needs?mine=true", "/seeds", need, f"{need}/views", f"{need}/check",
                       f"{need}/withdraw", seed, match, "/work"],
        pair.university: ["/needs", "/seeds?mine=true", need, seed, f"{seed}/withdraw", match, "/work"],
        pair.coordinator: ["/needs", "/seeds", need, seed, match, f"{need}/views", f"{seed}/views", f"{need}/check",
                           "/waiting", "/waiting?kind=seeds", "/work", "/hand-over"],
        pair.administrator: ["/needs", "/seeds", need, seed, match, "/waiting", "/work"],
    }  # fmt: skip
    for status in (None, *MatchStatus):
        if status is not None:
            put_match_into(session, pair.row, status)
            session.commit()
        for person, opened in paths.items():
            browser = enter(person, language)
            for path in opened if status is None else (need, seed, match):
                reply = browser.get(path)
                assert reply.status_code == 200, (person.role, path, status)
                assert f'<html lang="{language}">' in reply.text, path
