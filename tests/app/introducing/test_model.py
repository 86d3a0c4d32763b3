"""Random steps by random people in any order: what the database holds afterwards is always what it must be."""

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.introducing.reopening import reopen
from enmusubi.app.models import Disclosure, Interest, Match, MatchStep, Need, Seed, StepActor, Wait
from enmusubi.app.vocabulary import EntryStatus, ReasonCode, Role
from tests.app.clocks import MovedClock, tick_of
from tests.app.conftest import People, people_of
from tests.app.factories import Person, a_person
from tests.app.introducing.conftest import SECRET, Pair, a_pair
from tests.conftest import RolledBackDatabase

BODIES: dict[str, dict[str, Any]] = {
    "reviews/shortlist": {"verdict": "shortlist"},
    "reviews/dismiss": {"verdict": "dismiss", "reason": "out_of_scope"},
    "reconsider": {},
    "introduce": {},
    "interest": {},
    "accept": {},
    "decline": {"reason": "capacity"},
    "disclosure": {},
    "meeting": {},
    "negotiation": {},
    "agreement": {},
    "outcomes": {"kind": "licence", "agreed_on": "2027-04-01"},
    "close": {"reason": "terms"},
}
NAMES = {
    "reviews/shortlist": "shortlist", "reviews/dismiss": "dismiss", "interest": "express_interest",
    "disclosure": "disclose", "meeting": "meet", "negotiation": "negotiate", "agreement": "agree",
    "outcomes": "report_outcome",
}  # fmt: skip
NEEDS_OPEN_ENTRIES = {"introduce", "interest"}

# What the page says, written down once more: of each status, who is waited for (answers apart) ...
WAITED = {
    "shortlisted": "introduction", "accepted": "disclosure", "disclosed": "meeting", "meeting": "report",
    "negotiation": "report", "agreement": "outcome",
}  # fmt: skip
# ... and where a step may come from.
FROM = {
    "shortlist": "suggested shortlisted dismissed", "dismiss": "suggested shortlisted dismissed",
    "reconsider": "shortlisted dismissed", "introduce": "shortlisted",
    "express_interest": "suggested shortlisted dismissed", "accept": "introduced", "decline": "introduced",
    "disclose": "accepted", "meet": "disclosed meeting", "negotiate": "meeting", "agree": "meeting negotiation",
    "report_outcome": "agreement outcome",
    "close": "introduced accepted disclosed meeting negotiation agreement",
}  # fmt: skip
COORDINATORS = {"shortlist", "dismiss", "reconsider", "introduce", "disclose"}
SIDES = {"express_interest", "accept", "decline"}
UNTOLD = {"suggested", "shortlisted", "dismissed"}


class Introductions(RuleBasedStateMachine):
    """One match, everybody who could have to do with it, and some who have not."""

    session: Session
    database: RolledBackDatabase
    clock: MovedClock
    people: People
    others: dict[str, Person]
    looked_at: tuple[str, str, int, bool] | None = None

    @initialize()
    def begin(self) -> None:
        """A new pair of the same people."""
        self.pair: Pair = a_pair(self.people, self.session)
        self.everybody = {
            "company": self.pair.company,
            "university": self.pair.university,
            "coordinator": self.pair.coordinator,
            "administrator": self.pair.administrator,
            **self.others,
        }

    def _match(self) -> Match:
        self.session.expire_all()
        return self.session.get_one(Match, self.pair.row.id)

    def _steps(self) -> list[MatchStep]:
        query = select(MatchStep).where(MatchStep.match_id == self.pair.row.id).order_by(MatchStep.id)
        return list(self.session.scalars(query.execution_options(populate_existing=True)))

    def _answers(self) -> dict[str, str]:
        """What the steps say that the sides have answered since they were asked."""
        answers: dict[str, str] = {}
        for step in self._steps():
            if step.step in ("introduce", "reopen", "pair", "express_interest"):
                asked = step.step in ("introduce", "express_interest")
                answers = dict.fromkeys(("need", "seed"), "waiting") if asked else {}
            if step.step in ("accept", "express_interest"):
                answers[step.side] = "yes"
            elif step.step == "decline":
                answers[step.side] = "no"
            if step.step in ("decline", "close", "lapse"):
                answers = {side: "none" if answer == "waiting" else answer for side, answer in answers.items()}
        return answers

    def _allowed(self, who: str, step: str) -> bool:
        """What the page says of who may take a step now."""
        status, side = self._match().status, {"company": "need", "university": "seed"}.get(who)
        if status not in FROM[step].split() or (side is None and who != "coordinator"):
            return False
        if side is None:
            return step not in SIDES
        if step in COORDINATORS:
            return False
        return status != "introduced" or (self._answers()[side] == "waiting") == (step in SIDES)

    @rule(who=st.sampled_from(["company", "university", "coordinator"]), step=st.sampled_from(sorted(BODIES)))
    def somebody_tries(self, who: str, step: str) -> None:
        """One of the three who have to do with it."""
        self._try(who, step)

    @rule(
        who=st.sampled_from(["administrator", "near company", "near university", "far coordinator"]),
        step=st.sampled_from(sorted(BODIES)),
    )
    def a_stranger_tries(self, who: str, step: str) -> None:
        """Somebody who must not."""
        self._try(who, step)

    @rule(steps=st.integers(1, 8))
    def it_goes_well(self, steps: int) -> None:
        """So many steps of the way that all hope for."""
        for who, step in (
            ("coordinator", "reviews/shortlist"), ("coordinator", "introduce"), ("university", "accept"),
            ("company", "accept"), ("coordinator", "disclosure"), ("company", "meeting"), ("university", "agreement"),
            ("coordinator", "outcomes"),
        )[:steps]:  # fmt: skip
            self._try(who, step)

    def _try(self, who: str, step: str) -> None:
        person, name = self.everybody[who], NAMES.get(step, step)
        allowed, before = self._allowed(who, name), len(self._steps())
        open_entries = self._entries_are_open()
        version = "*"
        if step == "disclosure":
            shown = person.get(f"/matches/{self.pair.match}/disclosure")
            assert shown.is_success == allowed
            version = shown.headers.get("ETag", f'"{"0" * 64}"')
        reply = self.pair.ask(person, step.split("/")[0], {**BODIES[step], "note": f"NOTE of {who}"}, version)
        if allowed and (open_entries or step not in NEEDS_OPEN_ENTRIES):
            assert reply.status_code == 201, (who, step, reply.text)
            assert len(self._steps()) == before + 1
            return
        assert reply.status_code in (403, 404, 409), (who, step, reply.text)
        assert len(self._steps()) == before
        if who in self.others:
            assert reply.status_code == 404
        if reply.status_code == 409 and not allowed:
            told = reply.json()["legal_steps"]
            assert told == self.pair.steps(person)["legal_steps"]
            assert {each for each in FROM if self._allowed(who, each)} == set(told) & set(FROM)

    @rule(days=st.sampled_from([1, 5, 10, 15]))
    def time_passes(self, days: int) -> None:
        """The clock does what is due, once."""
        self.clock.pass_working_days(days)
        tick_of(self.database.for_service, self.clock)
        assert not tick_of(self.database.for_service, self.clock)

    @rule(of_need=st.booleans(), status=st.sampled_from([EntryStatus.PUBLISHED, EntryStatus.ON_HOLD]))
    def an_entry_goes(self, of_need: bool, status: EntryStatus) -> None:
        """On hold, or back."""
        match = self._match()
        if of_need:
            self.session.get_one(Need, match.need_id).status = status
        else:
            self.session.get_one(Seed, match.seed_id).status = status
        self.session.commit()

    @rule()
    def its_cause_has_changed(self) -> None:
        """What was declined is taken up again."""
        match = self._match()
        if match.status == "declined":
            reopen(self.session, match, ReasonCode.TOO_EARLY, self.clock)
            self.session.commit()

    @rule()
    def the_coordinator_hands_over(self) -> None:
        """To a colleague, and back at once."""
        first, second = self.pair.coordinator, self.everybody["second coordinator"]
        for leaving, follower in ((first, second), (second, first)):
            body = {"to": str(follower.caller.public_id)}
            reply = leaving.post(f"/accounts/{leaving.caller.public_id}/hand-over", body)
            assert reply.status_code == 200, reply.text

    def _entries_are_open(self) -> bool:
        match = self._match()
        entries = self.session.get_one(Need, match.need_id), self.session.get_one(Seed, match.seed_id)
        return all(entry.status == EntryStatus.PUBLISHED for entry in entries)

    @invariant()
    def the_status_follows_from_the_steps(self) -> None:
        """Each step begins where the one before it ended, has its time, its actor and where needed its reason."""
        if not hasattr(self, "pair"):
            return
        match, at = self._match(), "suggested"
        for step in self._steps():
            assert step.before == at
            at = step.after
            actor = self.session.get(StepActor, step.id)
            by_the_service = step.step in ("lapse", "reopen", "remind", "escalate", "raise")
            assert (actor is None) == by_the_service
            assert step.reason is not None or step.step not in ("dismiss", "decline", "close", "lapse", "reopen")
        assert match.status == at

    @invariant()
    def who_is_waited_for_follows_from_the_status(self) -> None:
        """Waits are open exactly where the status waits, and of the sides exactly who has not answered."""
        if not hasattr(self, "pair"):
            return
        match, answers = self._match(), self._answers()
        query = select(Wait.side, Wait.awaited).where(Wait.match_id == match.id, Wait.ended.is_(None))
        found = sorted(map(tuple, self.session.execute(query)))
        if match.status == "introduced":
            assert found == sorted((side, "answer") for side, answer in answers.items() if answer == "waiting")
            assert found
        else:
            assert found == ([("cluster", WAITED[match.status])] if match.status in WAITED else [])
        kept = select(Interest.side, Interest.answer).where(Interest.match_id == match.id)
        assert {row.side: row.answer for row in self.session.execute(kept)} == answers

    @invariant()
    def nothing_is_disclosed_without_two_yeses(self) -> None:
        """At every disclosure both sides had said yes since they were asked last."""
        if not hasattr(self, "pair"):
            return
        yes: set[str] = set()
        disclosed = 0
        for step in self._steps():
            if step.step in ("introduce", "express_interest", "reopen"):
                yes = set()
            if step.step in ("accept", "express_interest"):
                yes.add(step.side)
            if step.step == "disclose":
                assert yes == {"need", "seed"}
                disclosed += 2
        told = list(self.session.scalars(select(Disclosure.told).where(Disclosure.match_id == self.pair.row.id)))
        assert len(told) == disclosed

    @invariant()
    def nobody_reads_what_is_not_for_them(self) -> None:
        """Strangers nothing; the sides no verdict, no note of others, and before a disclosure no name."""
        if not hasattr(self, "pair"):
            return
        status = self._match().status
        looked_at = (self.pair.match, status, len(self._steps()), self._entries_are_open())
        if looked_at == self.looked_at:
            return  # nothing has happened
        self.looked_at = looked_at
        path = f"/matches/{self.pair.match}"
        for name in self.others:
            if name != "second coordinator":
                assert self.everybody[name].get(f"{path}/steps").status_code == 404
        is_disclosed = any(step.step == "disclose" for step in self._steps())
        for who, other in (("company", "university"), ("university", "company")):
            person = self.everybody[who]
            reply = person.get(f"{path}/steps")
            if status in UNTOLD and not self._entries_are_open():
                continue  # as it was seen before: with its entries
            assert reply.status_code == 200
            shown = reply.json()
            assert shown["status"] == ("suggested" if status in UNTOLD else status)
            assert f"NOTE of {other}" not in reply.text
            assert "NOTE of coordinator" not in reply.text
            assert not {each["step"] for each in shown["steps"]} & {"shortlist", "dismiss", "reconsider", "reopen"}
            assert all(each["name"] is None for each in shown["steps"] if each["by"] != "you")
            progress = person.get(
                f"/needs/{self.pair.need}/progress" if who == "company" else f"/seeds/{self.pair.seed}/progress"
            )
            assert progress.status_code == 200
            told = reply.text + progress.text + person.get(path).text + person.get("/work").text
            organisation = self.everybody["company"].organisation
            assert organisation is not None
            if who == "university":
                assert organisation.name not in told
                assert SECRET not in told
                assert "company person" not in told
            assert (person.read(f"{path}/disclosed")["items"] != []) == is_disclosed
        watching = self.pair.administrator.get(f"{path}/steps").text
        assert "NOTE of" not in watching
        assert "company person" not in watching


def a_model(
    session: Session, database: RolledBackDatabase, client: TestClient, clock: MovedClock
) -> type[Introductions]:
    """The machine with people of its own."""
    people = people_of(client, session)
    far = people_of(client, session)
    others = {
        "near company": a_person(client, session, people.cluster, Role.COMPANY),
        "near university": a_person(client, session, people.cluster, Role.UNIVERSITY),
        "far coordinator": far.coordinator,
        "second coordinator": a_person(client, session, people.cluster, Role.COORDINATOR),
    }
    session.commit()
    given = {"session": session, "database": database, "clock": clock, "people": people, "others": others}
    return type(f"Introductions{uuid.uuid4().hex}", (Introductions,), given)


def test_random_steps(
    session: Session,
    database: RolledBackDatabase,
    client: TestClient,
    clock: MovedClock,
    pytestconfig: pytest.Config,
) -> None:
    """Whatever is tried in whatever order; more of it with --full."""
    full = pytestconfig.getoption("--full")
    run_state_machine_as_test(
        a_model(session, database, client, clock),
        settings=settings(
            max_examples=100 if full else 8,
            stateful_step_count=40 if full else 15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
