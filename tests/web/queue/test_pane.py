"""The opened match: both sides, evidence that leads both ways, the score, and what was decided before."""

import html
import re

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.models import Outcome, Seed
from enmusubi.app.vocabulary import MatchStatus, OutcomeKind
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_seed, days_from_now, put_match_into
from tests.app.test_explaining import CANARY, OPEN, SAID, WANTED, _catalogue, _fill
from tests.conftest import RolledBackDatabase
from tests.web.conftest import Enter
from tests.web.queue.matches import listed, pairs_of

LONG = "凍害に強い縁石用コンクリートを求めています" * 400


def _tags(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_evidence_leads_from_each_side_to_the_other(
    people: People, session: Session, database: RolledBackDatabase, enter: Enter
) -> None:
    """A requirement links to the sentence that supports it and back; what is not addressed is listed."""
    need, seed = _catalogue(people, session)
    match = a_match(session, need, seed)
    session.commit()
    _fill(database)
    page = enter(people.coordinator, "en").open(f"/queue?match={match.public_id}")
    wanted = re.search(rf'<mark id="(r\d+)" class="evidence" data-evidence="(\d+)">{re.escape(WANTED)}', page)
    said = re.search(rf'<mark id="(s\d+)" class="evidence" data-evidence="([\d ]+)">{re.escape(SAID)}', page)
    assert wanted
    assert said
    assert wanted[2] in said[2].split()
    assert f'href="#{wanted[1]}"' in page
    assert f'href="#{said[1]}"' in page
    assert re.search(rf'<mark id="r\d+" class="evidence open" data-evidence="\d+">{re.escape(OPEN)}', page)
    not_addressed = page.partition("Not addressed</h4>")[2].partition("</ol>")[0]
    assert OPEN in not_addressed
    assert CANARY not in page
    assert "2 levels short" in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([rs]\d+)"', page)) <= set(ids)


def test_the_parts_of_the_score_are_bars(people: People, session: Session, enter: Enter) -> None:
    """To the right what speaks for it, to the left what is against it, with the figures beside; no inline style."""
    pair = pairs_of(session, people, [0.5])[0]
    pair.match.parts = {
        "similarity": {"value": 0.8, "weight": 1.0, "estimated": False},
        "terms": {"value": 0.5, "weight": 0.2, "estimated": True},
        "hub_across": {"value": 0.4, "weight": -1.0, "estimated": False},
    }
    session.commit()
    page = enter(people.coordinator, "en").open(f"/queue?match={pair.id}")
    assert '<rect class="for" x="100.0" width="100.0"' in page
    assert '<rect class="for" x="100.0" width="12.5"' in page
    assert '<rect class="against" x="50.0" width="50.0"' in page
    for figure in ("+0.800", "+0.100", "−0.400", "0.500", "50%"):
        assert f"{figure}<" in page, figure
    assert " style=" not in page


def test_earlier_decisions_on_either_side_and_past_likes_of_it(people: People, session: Session, enter: Enter) -> None:
    """With their reasons; what is of the same field and has an outcome comes first."""
    pair = pairs_of(session, people, [0.9], field_codes=["IPC:C04B 28/02"])[0]
    same_need = pairs_of(session, people, [0.8], need=pair.need)[0]
    other = a_need(session, people.cluster, people.company.organisation, title="Another need")
    same_seed = a_match(session, other, pair.seed)
    past = pairs_of(session, people, [0.7], field_codes=["IPC:C04B 28/02"], title="A seed that went far")[0]
    put_match_into(session, past.match, MatchStatus.OUTCOME)
    session.add(
        Outcome(
            match_id=past.match.id, account_id=people.coordinator.caller.id, kind=OutcomeKind.LICENCE,
            agreed_on=days_from_now(0),
        )
    )  # fmt: skip
    session.commit()
    coordinator = enter(people.coordinator, "en")
    coordinator.send("/queue/decisions", match=same_need.ticked, reason="ip_position", note="asked their office")
    coordinator.send("/queue/decisions", match=f"{same_seed.public_id}.1", reason="too_early")
    page = coordinator.open(f"/queue?match={pair.id}")
    history = _tags(page.partition("Earlier decisions")[2])
    assert "Of this need, with other seeds" in history
    assert "dismissed: intellectual property" in history.replace(" :", ":")
    assert "asked their office" in history
    assert "Of this seed, with other needs" in history
    assert "too early" in history
    assert "A seed that went far" in history.partition("Similar past matches")[2]
    assert "outcome licence" in history.partition("Similar past matches")[2]


def test_a_match_that_left_the_list_is_still_open(people: People, session: Session, enter: Enter) -> None:
    """The list keeps its place; the next one is the first of it."""
    first, second = pairs_of(session, people, [0.9, 0.8])
    put_match_into(session, first.match, MatchStatus.DECLINED)
    session.commit()
    page = enter(people.coordinator, "en").open(f"/queue?match={first.id}")
    assert listed(page) == [second.id]
    assert 'id="pane-title"' in page
    assert 'action="/queue/decisions"' not in page  # it went on without a verdict
    assert f"match={second.id}" in page


def test_the_first_of_the_list_can_be_asked_for(people: People, session: Session, enter: Enter) -> None:
    """As the key of the next part does; an id that is none is nothing."""
    pairs = pairs_of(session, people, [0.9, 0.8])
    coordinator = enter(people.coordinator)
    assert f'<li id="m-{pairs[0].id}" class="current">' in coordinator.open("/queue?match=first")
    assert coordinator.get("/queue?match=nonsense").status_code == 404
    assert coordinator.get("/queue?match=first&trl=9").status_code == 200


@pytest.mark.parametrize("language", ["ja", "en"])
def test_hostile_texts_are_only_texts(people: People, session: Session, enter: Enter, language: str) -> None:
    """Markup, marks of direction, very long texts and very many keywords: all shown as what they are."""
    hostile = '<script>alert("x")</script>\u202e逆 {{ 7*7 }} %(num)s'
    need = a_need(
        session, people.cluster, people.company.organisation, title=hostile, summary=hostile,
        expertise_sought=LONG[:2_000],
        technology_keywords=[f"<b>語{number}" for number in range(200)],
    )  # fmt: skip
    pair = pairs_of(
        session, people, [0.9], need=need, title=(hostile + "長" * 256)[:256], description=LONG[:4_000],
        advantages=hostile, technology_keywords=[f"<i>{number}</i>" for number in range(200)],
        field_codes=["IPC:A23L 3/36"], regions=["<u>県"],
    )[0]  # fmt: skip
    coordinator = enter(people.coordinator, language)
    coordinator.send("/queue/decisions", match=pair.ticked, verdict="shortlist", note=hostile)
    page = coordinator.open(f"/queue?state=every&match={pair.id}")
    assert "<script>alert" not in page
    assert "<b>語" not in page
    assert "<u>県" not in page
    assert html.escape(hostile) in page.replace("&#34;", "&quot;")
    assert page.count(LONG[:500]) >= 1
    assert ("ほか176件" if language == "ja" else "and 176 more") in page
    assert len(page.encode()) < 150_000


def test_a_match_without_texts_is_shown(people: People, session: Session, enter: Enter) -> None:
    """Entries may say next to nothing."""
    pair = pairs_of(session, people, [0.9])[0]
    for entry in (pair.need, pair.seed):
        entry.title = None
    pair.match.probability = pair.match.probability_low = pair.match.probability_high = None
    session.commit()
    page = enter(people.coordinator, "en").open(f"/queue?match={pair.id}")
    assert page.count("(no title)") >= 4
    assert "not known" in page


def test_a_seed_of_no_language_is_shown(people: People, session: Session, enter: Enter) -> None:
    """Files may leave out what forms ask for, or name a language that the pages do not speak."""
    seed = a_seed(session, people.cluster, people.university.organisation)
    need = a_need(session, people.cluster, people.company.organisation)
    need.language, seed.language = "zh", "und"
    match = a_match(session, need, session.get_one(Seed, seed.id))
    session.commit()
    assert "zh" in enter(people.coordinator).open(f"/queue?match={match.public_id}")
