"""Hostile and very long texts, wherever somebody else reads them."""

import html
from typing import Any

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.vocabulary import MatchStatus
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_seed, put_match_into
from tests.web.conftest import Enter

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}\u202e%(oops)s"
LONG = "凍結融解に耐える縁石の材料を探しています" * 200


@pytest.mark.parametrize("language", ["ja", "en"])
def test_texts_of_others_are_texts(people: People, session: Session, enter: Enter, language: str) -> None:
    """Escaped on every page where they are shown, whole, and in an element that ends what they do to directions."""
    words = [f"{EVIL}{number}"[:200] for number in range(200)]
    texts: dict[str, Any] = {"title": EVIL, "summary": EVIL + LONG, "applications": EVIL, "translation_title": EVIL,
             "technology_keywords": words, "market_keywords": words, "regions": words[:20]}  # fmt: skip
    seed = a_seed(
        session, people.cluster, people.university.organisation, description=LONG, advantages=EVIL, unpublished=EVIL,
        expected_partner=EVIL, open_challenges=EVIL, researchers=[{"name": EVIL[:200]}], **texts,
    )  # fmt: skip
    need = a_need(
        session, people.cluster, people.company.organisation, expertise_sought=EVIL, requirements=EVIL,
        constraints=LONG, description=EVIL, excluded_organisations=[EVIL], **texts,
    )  # fmt: skip
    match = a_match(session, need, seed)
    put_match_into(session, match, MatchStatus.DISCLOSED)
    session.commit()
    people.university.post(f"/matches/{match.public_id}/meeting", {"message": EVIL, "note": EVIL}, If_Match="*")
    for person in people:
        browser = enter(person, language)
        for path in (f"/needs/{need.public_id}", f"/seeds/{seed.public_id}", f"/matches/{match.public_id}", "/needs",
                     "/seeds", f"/needs?q={EVIL[:8]}"):  # fmt: skip
            page = browser.open(path)
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path
            assert "49" not in page.partition("<h1")[2].partition("</h1>")[0], path
        shown = html.unescape(browser.open(f"/seeds/{seed.public_id}"))
        assert LONG in shown
        assert all(word in shown for word in words), "a keyword was left out"
        assert EVIL in html.unescape(browser.open(f"/matches/{match.public_id}"))


def test_a_form_takes_nothing_that_no_text_can_hold(people: People, session: Session, enter: Enter) -> None:
    """A NUL, and a message that is too long, are said at their field."""
    need = a_need(session, people.cluster, people.company.organisation)
    match = a_match(session, need, a_seed(session, people.cluster, people.university.organisation))
    session.commit()
    browser = enter(people.company)
    for message in ("a\x00b", "長" * 2_001):
        reply = browser.send(f"/matches/{match.public_id}/interest", version="1", message=message)
        assert reply.status_code == 422
        assert 'id="express_interest-message-wrong"' in reply.text
