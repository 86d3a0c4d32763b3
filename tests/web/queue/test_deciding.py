"""Decisions in the queue without JavaScript: one, many, taken back, more seeds."""

import html

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.models import Match, MatchStep, RecordEvent, Review, StepActor
from enmusubi.app.vocabulary import MatchStatus, ReasonCode
from tests.app.conftest import People
from tests.app.factories import a_need, a_seed
from tests.web.conftest import Enter
from tests.web.queue.matches import back, following, listed, pairs_of, ticks


def _status(session: Session, match_id: str) -> str:
    session.expire_all()
    return session.scalars(select(Match.status).where(Match.public_id == match_id)).one()


def test_a_match_is_shortlisted_and_the_next_one_opens(people: People, session: Session, enter: Enter) -> None:
    """The filters stay; the page says what was done, what comes next, and offers to undo it."""
    first, second = pairs_of(session, people, [0.9, 0.8], trl=4)
    coordinator = enter(people.coordinator, "en")
    page = coordinator.open(f"/queue?trl=3&match={first.id}")
    assert following(page) == second.id
    sent = coordinator.send(
        "/queue/decisions", match=first.ticked, verdict="shortlist", back=back(page), next=following(page)
    )
    assert sent.status_code == 303
    page = coordinator.open(sent.headers["location"])
    assert "Shortlisted." in page
    assert f"Next: {second.seed.title}" in page
    assert listed(page) == [second.id]
    assert "trl=3" in back(page)
    assert f"match={second.id}" in back(page)
    assert _status(session, first.id) == MatchStatus.SHORTLISTED
    assert first.match.coordinator_id == people.coordinator.caller.id


def test_a_dismissal_has_a_reason_and_an_internal_note(people: People, session: Session, enter: Enter) -> None:
    """The button of a reason dismisses; the note is shown to coordinators alone."""
    pair = pairs_of(session, people, [0.9])[0]
    coordinator = enter(people.coordinator, "en")
    page = coordinator.open(f"/queue?match={pair.id}")
    assert page.count('name="reason" value="') == len(ReasonCode)
    sent = coordinator.send(
        "/queue/decisions", match=pair.ticked, reason="too_early", note="Ask again in spring", back=back(page)
    )
    assert sent.headers["location"].startswith("/queue?")
    review = session.scalars(select(Review)).one()
    assert (review.verdict, review.reason, review.note) == ("dismiss", "too_early", "Ask again in spring")
    shown = coordinator.open(f"/queue?match={pair.id}")
    assert "Ask again in spring" in shown
    assert "<strong>too early</strong>" in shown
    looked_at = enter(people.administrator, "en").open(f"/queue?match={pair.id}")
    assert "Ask again in spring" not in looked_at
    assert "<strong>too early</strong>" in looked_at


def test_a_note_that_is_too_long_is_refused_and_kept(people: People, session: Session, enter: Enter) -> None:
    """Nothing is decided; what was typed stays in its field."""
    pair = pairs_of(session, people, [0.9])[0]
    coordinator = enter(people.coordinator, "en")
    page = coordinator.open(f"/queue?match={pair.id}")
    sent = coordinator.send(
        "/queue/decisions", match=pair.ticked, verdict="shortlist", note="長" * 2_001, back=back(page)
    )
    assert sent.status_code == 422
    assert "is too long: at most 2000 characters" in sent.text
    assert "長" * 2_001 in sent.text
    assert _status(session, pair.id) == MatchStatus.SUGGESTED


def test_the_last_decision_is_undone(people: People, session: Session, enter: Enter) -> None:
    """From the line that says it; the match is open again, and both steps stay in its history."""
    first, _second = pairs_of(session, people, [0.9, 0.8])
    coordinator = enter(people.coordinator, "en")
    page = coordinator.open(f"/queue?match={first.id}")
    sent = coordinator.send(
        "/queue/decisions", match=first.ticked, reason="capacity", back=back(page), next=following(page)
    )
    page = coordinator.open(sent.headers["location"])
    undo = next(tick for tick in ticks(page) if tick.startswith(first.id))
    undone = coordinator.send("/queue/undo", match=undo, back=back(page))
    shown = coordinator.open(undone.headers["location"])
    assert "The verdict was taken back." in shown
    assert listed(shown)[0] == first.id
    assert 'class="current"' in shown
    assert "verdict taken back" in shown
    assert _status(session, first.id) == MatchStatus.SUGGESTED


def test_undo_is_offered_on_every_decided_match(people: People, session: Session, enter: Enter) -> None:
    """Not only for the last one."""
    pair = pairs_of(session, people, [0.9])[0]
    coordinator = enter(people.coordinator)
    coordinator.send("/queue/decisions", match=pair.ticked, verdict="shortlist")
    page = coordinator.open(f"/queue?state=shortlisted&match={pair.id}")
    assert 'id="undo-this"' in page
    assert 'id="decide-shortlist"' in page  # what is shortlisted can still be dismissed
    coordinator.send("/queue/undo", match=next(tick for tick in ticks(page) if tick.startswith(pair.id)))
    assert _status(session, pair.id) == MatchStatus.SUGGESTED


def test_many_are_decided_at_once_and_undone_at_once(people: People, session: Session, enter: Enter) -> None:
    """One verdict, one transaction; one click takes all of it back."""
    pairs = pairs_of(session, people, [0.9, 0.8, 0.7])
    coordinator = enter(people.coordinator, "en")
    page = coordinator.open("/queue")
    chosen = [pair.ticked for pair in pairs[:2]]
    sent = coordinator.send("/queue/batch", match=chosen, verdict="dismiss", reason="out_of_scope", back=back(page))
    shown = coordinator.open(sent.headers["location"])
    assert "All ticked matches were decided on." in shown
    assert listed(shown) == [pairs[2].id]
    assert {_status(session, pair.id) for pair in pairs[:2]} == {MatchStatus.DISMISSED}
    undo = [tick for tick in ticks(shown) if not tick.startswith(pairs[2].id)]
    assert len(undo) == 2
    coordinator.send("/queue/undo", match=undo)
    assert {_status(session, pair.id) for pair in pairs} == {MatchStatus.SUGGESTED}


def test_a_batch_goes_all_or_not_at_all(people: People, session: Session, enter: Enter) -> None:
    """Where one has changed meanwhile nothing is decided, which one is said, and the others stay ticked."""
    first, second, third = pairs_of(session, people, [0.9, 0.8, 0.7])
    coordinator = enter(people.coordinator, "en")
    place = back(coordinator.open("/queue"))
    chosen = [first.ticked, second.ticked, third.ticked]
    second.match.by_hand = True  # somebody else's change, whatever it is
    session.commit()
    before = session.scalar(select(func.count()).select_from(MatchStep))
    sent = coordinator.send("/queue/batch", match=chosen, verdict="shortlist", back=place)
    assert sent.status_code == 409
    assert "Nothing was decided: one match stands otherwise by now." in sent.text
    assert f"{second.seed.title}</a>: Somebody took a step meanwhile." in sent.text
    assert sent.text.count(" checked") == 3  # two matches, and the switch of the keys
    assert f'value="{second.ticked}">' in sent.text  # in its present version, not ticked
    assert session.scalar(select(func.count()).select_from(MatchStep)) == before
    assert _status(session, first.id) == MatchStatus.SUGGESTED


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"verdict": "shortlist"}, "Tick the matches that you decide on."),
        ({"verdict": "dismiss", "match": "some"}, "a dismissal needs a reason code"),
        ({"match": "some"}, "is needed"),
    ],
)
def test_a_batch_that_says_too_little(
    people: People, session: Session, enter: Enter, fields: dict[str, str], said: str
) -> None:
    """It is said what is missing, and what was ticked stays ticked."""
    pair = pairs_of(session, people, [0.9])[0]
    sent_fields = {**fields, **({"match": pair.ticked} if "match" in fields else {})}
    sent = enter(people.coordinator, "en").send("/queue/batch", **sent_fields)
    assert sent.status_code == 422
    assert html.escape(said) in sent.text
    assert (f'value="{pair.ticked}" checked' in sent.text) is ("match" in fields)


def test_a_decision_sent_twice_is_refused_the_second_time(people: People, session: Session, enter: Enter) -> None:
    """The version says that it was decided on already; there is one verdict."""
    pair = pairs_of(session, people, [0.9])[0]
    coordinator = enter(people.coordinator)
    assert coordinator.send("/queue/decisions", match=pair.ticked, verdict="shortlist").status_code == 303
    again = coordinator.send("/queue/decisions", match=pair.ticked, verdict="shortlist")
    assert again.status_code == 409
    assert session.scalar(select(func.count()).select_from(Review)) == 1


def test_more_seeds_for_a_need(people: People, session: Session, enter: Enter) -> None:
    """Ranked beyond what was stored, listed with all of that need; where there are no more, it says so."""
    need = a_need(session, people.cluster, people.company.organisation, title="frost kerbstone concrete")
    for index in range(12):
        a_seed(session, people.cluster, people.university.organisation, title=f"frost kerbstone concrete {index}")
    session.commit()
    coordinator = enter(people.coordinator, "en")
    sent = coordinator.send("/queue/more", need=str(need.public_id), back="trl=")
    shown = coordinator.open(sent.headers["location"])
    assert "More seeds were ranked for this need." in shown
    assert len(listed(shown)) == 10
    shown = coordinator.open(coordinator.send("/queue/more", need=str(need.public_id)).headers["location"])
    assert len(listed(shown)) == 12
    nothing = coordinator.open(coordinator.send("/queue/more", need=str(need.public_id)).headers["location"])
    assert "No further seed is good enough" in nothing
    assert coordinator.send("/queue/more", need="nonsense").status_code == 404


def test_where_a_form_says_to_go_is_a_place_in_the_queue(people: People, session: Session, enter: Enter) -> None:
    """Of what a form claims to come from, nothing but filters and ids is taken up."""
    pair = pairs_of(session, people, [0.9])[0]
    sent = enter(people.coordinator).send(
        "/queue/decisions", match=pair.ticked, verdict="shortlist", back="//evil.example?x=1&trl=3&next=//evil.example",
        next="https://evil.example",
    )  # fmt: skip
    assert sent.headers["location"].startswith("/queue?")
    assert "evil" not in sent.headers["location"]


def test_looking_at_a_match_tells_nothing_confidential_and_records_no_view(
    people: People, session: Session, enter: Enter
) -> None:
    """The confidential part is a link away: who opens it is recorded, who leafs through the queue is not."""
    need = a_need(
        session, people.cluster, people.company.organisation, requirements="SECRET requirement", description="SECRET"
    )
    pair = pairs_of(session, people, [0.9], need=need)[0]
    page = enter(people.coordinator).open(f"/queue?match={pair.id}")
    assert "SECRET" not in page
    assert f"/needs/{need.public_id}" in page
    assert session.scalar(select(func.count()).select_from(RecordEvent).where(RecordEvent.action == "viewed")) == 0
    assert session.scalar(select(func.count()).select_from(StepActor)) == 0
