"""What a text that is being written would match: public, of what its writer may see, and gone afterwards."""

import logging

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.models import Match, Need, RecordEvent, Seed
from enmusubi.app.vocabulary import EntryStatus
from tests.app.conftest import People
from tests.app.factories import a_cluster, a_need, a_seed, a_university, an_organisation
from tests.web.conftest import Enter
from tests.web.posting.filled import fill

TEXT = "concrete freezing additive"


def _stored(session: Session) -> list[int | None]:
    return [session.scalar(select(func.count()).select_from(table)) for table in (Need, Seed, Match, RecordEvent)]


def test_a_company_is_shown_the_seeds_that_it_may_see(people: People, enter: Enter, session: Session) -> None:
    """No draft, none of another cluster, no score; and it is told which words are shared."""
    university = a_university(session, people.cluster, "Frost University")
    a_seed(session, people.cluster, university, title=f"Open {TEXT}", technology_keywords=["concrete"])
    a_seed(session, people.cluster, university, title=f"Hidden {TEXT}", status=EntryStatus.DRAFT)
    a_seed(session, a_cluster(session), title=f"Distant {TEXT}")
    session.commit()
    reply = enter(people.company, "en").send("/needs/new/matches", title=TEXT, language="en")
    assert reply.status_code == 200
    assert f"Open {TEXT}" in reply.text
    assert "Frost University" in reply.text
    assert "Shared: concrete" in reply.text
    assert "Hidden" not in reply.text
    assert "Distant" not in reply.text
    assert "score" not in reply.text


def test_a_university_does_not_learn_whose_a_matching_need_is(people: People, enter: Enter, session: Session) -> None:
    """An anonymous need is shown without its company."""
    company = an_organisation(session, people.cluster, name="Frostwerk")
    need = a_need(session, people.cluster, company, title=TEXT)
    session.commit()
    reply = enter(people.university).send("/seeds/new/matches", title=TEXT)
    assert f"/needs/{need.public_id}" in reply.text
    assert "Frostwerk" not in reply.text


def test_nothing_of_it_is_stored_or_logged(
    people: People, enter: Enter, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a match, nor an event, nor a word in the log."""
    a_seed(session, people.cluster, title=TEXT)
    session.commit()
    browser = enter(people.company)
    before = _stored(session)
    with caplog.at_level(logging.DEBUG):
        assert browser.send("/needs/new/matches", title="UNHEARD-OF concrete freezing").status_code == 200
        assert (
            fill(browser, "/needs/new", "match", title="UNHEARD-OF concrete", description="SECRET").status_code == 200
        )
    assert _stored(session) == before
    # The test's own client and server speak of what they send; the service does not.
    said = [one.getMessage() for one in caplog.records if one.name.startswith(("enmusubi", "sqlalchemy.engine"))]
    assert not [line for line in said if "UNHEARD-OF" in line or "SECRET" in line]


def test_confidential_texts_match_nothing(people: People, enter: Enter, session: Session) -> None:
    """Even where the whole form is sent, without a script."""
    a_seed(session, people.cluster, title=TEXT)
    session.commit()
    browser = enter(people.company, "en")
    page = fill(browser, "/needs/new", "match", description=TEXT, requirements=TEXT)
    assert page.status_code == 200
    assert "Matches appear here as you write." in page.text
    page = fill(browser, "/needs/new", "match", title=TEXT)
    assert f">{TEXT}<" in page.text


@pytest.mark.parametrize(
    ("language", "nothing", "long"),
    [
        ("ja", "まだ候補になるものがありません。", "ここでの候補表示は20,000文字までです"),
        ("en", "Nothing is open to you yet that could match.", "up to 20,000 characters"),
    ],
)
def test_it_says_why_there_is_none(people: People, enter: Enter, language: str, nothing: str, long: str) -> None:
    """In the reader's language, for a text that nothing matches, and for one that is too long to be tried."""
    browser = enter(people.company, language)
    assert nothing in browser.send("/needs/new/matches", title="氷").text
    assert long in browser.send("/needs/new/matches", title="氷", expertise_sought="長" * 20_000).text


def test_what_no_text_can_hold_is_no_error_while_typing(people: People, enter: Enter) -> None:
    """The form says so when it is sent."""
    assert enter(people.company).send("/needs/new/matches", title="a\x00b").status_code == 200
