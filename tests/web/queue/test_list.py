"""The list of the queue: order, filters, parts, counts, and its empty states."""

import datetime
import html
import re

import pytest
from sqlalchemy.orm import Session

from enmusubi.app.models import Wait
from enmusubi.app.vocabulary import MatchStatus
from tests.app.conftest import People, people_of
from tests.app.factories import a_need, put_match_into
from tests.web.conftest import Enter
from tests.web.queue.matches import listed, pairs_of


def test_needs_come_by_their_best_match_and_matches_by_their_score(
    people: People, session: Session, enter: Enter
) -> None:
    """The need with the best match first, with all of its matches."""
    lower = pairs_of(session, people, [0.5, 0.7])
    better = pairs_of(session, people, [0.2, 0.9])
    page = enter(people.coordinator).open("/queue")
    assert listed(page) == [better[1].id, better[0].id, lower[1].id, lower[0].id]


@pytest.mark.parametrize(("language", "said"), [("ja", "確認を待っているマッチはあり"), ("en", "Nothing waits")])
def test_nothing_to_review(people: People, enter: Enter, language: str, said: str) -> None:
    """An empty queue says so, and where to go on."""
    page = enter(people.coordinator, language).open("/queue")
    assert said in page
    assert 'class="empty"' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("field=ipc:a23l", True), ("field=IPC:H01L", False), ("region=架空県", True), ("region=他県", False),
        ("trl=5", True), ("trl=6", False), ("language=ja", True), ("language=en", False), ("band=likely", True),
        ("band=possible", False), ("state=shortlisted", False), ("state=every", True), ("handled=nobody", True),
        ("handled=mine", False), ("waiting=need", False), ("overdue=yes", False),
    ],
)  # fmt: skip
def test_filters(people: People, session: Session, enter: Enter, query: str, found: bool) -> None:
    """Each lets through what it says; where nothing is left, the page says how to go on."""
    pair = pairs_of(session, people, [0.8], field_codes=["IPC:A23L 3/36"], regions=["架空県"], trl=5, language="ja")[0]
    page = enter(people.coordinator, "en").open(f"/queue?{query}")
    assert (pair.id in listed(page)) is found
    assert ("No match for these filters" in page) is not found


def test_a_filter_that_is_none_is_an_error_at_its_field(people: People, session: Session, enter: Enter) -> None:
    """Nothing is guessed: the field says what is wrong, and no list is shown under it."""
    pairs_of(session, people, [0.8])
    reply = enter(people.coordinator, "en").get("/queue?trl=12&state=nonsense")
    assert reply.status_code == 422
    assert 'id="trl-wrong"' in reply.text
    assert 'id="state-wrong"' in reply.text
    assert listed(reply.text) == []
    assert "Correct the filters" in reply.text


def test_who_is_waited_for_and_since_when(people: People, session: Session, enter: Enter) -> None:
    """Whoever filters by waits sees matches in whatever state, with what is overdue marked."""
    pair, other = pairs_of(session, people, [0.8, 0.7])
    put_match_into(session, pair.match, MatchStatus.INTRODUCED)
    for wait in session.query(Wait).filter_by(match_id=pair.match.id):
        wait.due_on = datetime.date(2020, 1, 1)
    session.commit()
    coordinator = enter(people.coordinator, "en")
    for query in ("waiting=need", "waiting=seed", "overdue=yes", "state=introduced"):
        page = coordinator.open(f"/queue?{query}")
        assert listed(page) == [pair.id], query
        assert "<strong>overdue</strong>" in page
    assert listed(coordinator.open("/queue")) == [other.id]


def test_counts_of_each_state(people: People, session: Session, enter: Enter) -> None:
    """Under the filters that are set, whatever the state."""
    first, *_ = pairs_of(session, people, [0.9, 0.8, 0.7])
    pairs_of(session, people, [0.6], trl=2)
    put_match_into(session, first.match, MatchStatus.SHORTLISTED)
    session.commit()
    page = enter(people.coordinator, "en").open("/queue")
    counts = dict(re.findall(r'>(to review|shortlisted|dismissed|overdue) <span class="number">(\d+)', page))
    assert counts == {"to review": "3", "shortlisted": "1", "dismissed": "0", "overdue": "0"}
    assert '>to review <span class="number">1' in enter(people.coordinator, "en").open("/queue?trl=1")


def test_parts_of_the_list_keep_the_filters_and_lose_nothing(people: People, session: Session, enter: Enter) -> None:
    """Seven needs are two parts; a need with many matches leads to all of its own."""
    made = [pairs_of(session, people, [0.3 + index / 20], trl=4)[0].id for index in range(7)]
    coordinator = enter(people.coordinator)
    first = coordinator.open("/queue?trl=3")
    assert listed(first) == made[:1:-1]
    further = html.unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])  # type: ignore[index]
    assert "trl=3" in further
    second = coordinator.open(further)
    assert listed(second) == made[1::-1]
    assert 'rel="next"' not in second
    assert coordinator.get("/queue?cursor=nonsense").status_code == 422


def test_a_need_with_many_matches_shows_ten_and_leads_to_all(people: People, session: Session, enter: Enter) -> None:
    """The rest is not dropped in silence: a link shows all, fifty at a time."""
    need = a_need(session, people.cluster, people.company.organisation)
    pairs = pairs_of(session, people, [index / 100 for index in range(60, 0, -1)], need=need)
    coordinator = enter(people.coordinator)
    page = coordinator.open("/queue")
    assert listed(page) == [pair.id for pair in pairs[:10]]
    assert f"need={need.public_id}" in page
    alone = coordinator.open(f"/queue?need={need.public_id}")
    assert listed(alone) == [pair.id for pair in pairs[:50]]
    further = html.unescape(re.search(r'rel="next" href="([^"]+)"', alone)[1])  # type: ignore[index]
    assert listed(coordinator.open(further)) == [pair.id for pair in pairs[50:]]


def test_what_may_not_be_introduced_any_more_is_nothing_to_review(
    people: People, session: Session, enter: Enter
) -> None:
    """A suggestion whose need or seed is closed waits for nobody."""
    first, second, third = pairs_of(session, people, [0.9, 0.8, 0.7])
    first.seed.open_for_interest = False
    second.seed.expires_on = datetime.date(2020, 1, 1)
    session.commit()
    assert listed(enter(people.coordinator).open("/queue")) == [third.id]


def test_another_clusters_matches_are_not_there(people: People, session: Session, enter: Enter) -> None:
    """Neither listed, nor counted, nor opened."""
    pair = pairs_of(session, people, [0.9])[0]
    others = people_of(people.company.client, session)
    stranger = enter(others.coordinator, "en")
    page = stranger.open("/queue")
    assert listed(page) == []
    assert '>to review <span class="number">0' in page
    assert stranger.get(f"/queue?match={pair.id}").status_code == 404


def test_who_may_see_the_queue(people: People, session: Session, enter: Enter) -> None:
    """Sides do not: it is not there for them. Who oversees the cluster looks and does not decide."""
    pair = pairs_of(session, people, [0.9])[0]
    for person in (people.company, people.university):
        assert enter(person).get("/queue").status_code == 404
        assert enter(person).send("/queue/views", name="x").status_code == 404
        for path in ("/queue/decisions", "/queue/batch", "/queue/undo", "/queue/more"):
            sent = enter(person).send(path, match=pair.ticked, verdict="shortlist", need=str(pair.need.public_id))
            assert sent.status_code == 403, path
    administrator = enter(people.administrator)
    page = administrator.open(f"/queue?match={pair.id}")
    assert listed(page) == [pair.id]
    assert 'action="/queue/decisions"' not in page
    assert administrator.send("/queue/decisions", match=pair.ticked, verdict="shortlist").status_code == 403
