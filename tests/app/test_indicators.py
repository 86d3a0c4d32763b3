"""Indicators by fiscal year: what is counted, for whom, and of which moment."""

import csv
import datetime
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app import indicators
from enmusubi.app.caller import act_as
from enmusubi.app.clock import JAPAN
from enmusubi.app.indicators_table import harmless
from enmusubi.app.models import Match, MatchStep, Need, Organisation, Outcome, RecordEvent, Seed, Wait
from enmusubi.app.vocabulary import Action, Breakdown, OutcomeKind, ReasonCode, Role
from tests.app.conftest import People, people_of
from tests.app.factories import Json, Person, a_match, a_need, a_person, a_seed, an_organisation
from tests.conftest import RolledBackDatabase


def at(year: int, month: int, day: int, hour: int = 12) -> datetime.datetime:
    """A moment in Japan."""
    return datetime.datetime(year, month, day, hour, tzinfo=JAPAN)


def a_step(session: Session, match: Match, step: str, after: str, taken: datetime.datetime, **fields: Any) -> None:
    """Take a match a step further."""
    given = {"side": "cluster", **fields}
    session.add(
        MatchStep(
            match_id=match.id,
            cluster_id=match.cluster_id,
            step=step,
            before=match.status,
            after=after,
            taken=taken,
            **given,
        )
    )
    match.status = after
    session.flush()


def an_ask(session: Session, match: Match, side: str, since: datetime.datetime, due: int = 14, **fields: Any) -> None:
    """Wait for the answer of a side."""
    of_match = {"match_id": match.id, "cluster_id": match.cluster_id}
    due_on = (since + datetime.timedelta(days=due)).date()
    session.add(Wait(**of_match, awaited="answer", side=side, acts=side, since=since, due_on=due_on, **fields))
    session.flush()


@dataclass(frozen=True)
class Scene:
    """One need, one seed and their match, in a cluster with people of every role."""

    session: Session
    people: People
    auditor: Person
    need: Need
    seed: Seed
    match: Match

    def figures(self, person: Person | None = None, year: int = 2026, **query: Any) -> Json:
        """The only row of a year."""
        (row,) = self.rows(person, year, **query)
        figures: Json = row["figures"]
        return figures

    def rows(self, person: Person | None = None, year: int = 2026, **query: Any) -> list[Json]:
        """All rows of a year."""
        self.session.commit()
        path = f"/clusters/{self.people.cluster.public_id}/indicators"
        rows: list[Json] = (person or self.people.coordinator).read(path, year=year, **query)["rows"]
        return rows


@pytest.fixture
def scene(session: Session, people: People) -> Scene:
    """Everything entered in fiscal year 2025."""
    owner = session.merge(people.company.organisation)
    assert owner is not None
    university = session.merge(people.university.organisation)
    need = a_need(session, people.cluster, owner, encoder=None, field_codes=["FORD:2.11"])
    seed = a_seed(
        session, people.cluster, university, encoder=None, field_codes=["IPC:C04B 28/02", "IPC:C08L", "JSIC:E29"]
    )
    need.created = seed.created = at(2026, 3, 31, 23)
    match = a_match(session, need, seed)
    auditor = a_person(people.company.client, session, people.cluster, Role.AUDITOR)
    session.commit()
    return Scene(session, people, auditor, need, seed, match)


def test_entries_count_in_the_fiscal_year_of_japan(scene: Scene) -> None:
    """The last hour of March is of the old year there, as is the first hour of April of the new one."""
    scene.seed.created = at(2026, 4, 1, 0)
    assert scene.figures(year=2025)["needs_posted"] == 1
    assert scene.figures(year=2025)["seeds_registered"] == 0
    assert scene.figures(year=2026)["seeds_registered"] == 1
    assert indicators.fiscal_year(at(2026, 3, 31, 23)) == 2025
    assert indicators.fiscal_year(at(2026, 4, 1, 0)) == 2026


def test_drafts_count_once_they_are_submitted(scene: Scene) -> None:
    """What its owner alone sees is in no figure."""
    scene.need.submitted = False
    assert scene.figures(year=2025)["needs_posted"] == 0


def test_steps_count_the_first_time_and_their_days(scene: Scene) -> None:
    """A match that goes back and comes again is counted once, in the year of its first time."""
    session, match = scene.session, scene.match
    a_step(session, match, "shortlist", "shortlisted", at(2026, 4, 2))
    a_step(session, match, "introduce", "introduced", at(2026, 4, 10))
    a_step(session, match, "accept", "introduced", at(2026, 4, 12), side="seed")
    a_step(session, match, "accept", "accepted", at(2026, 4, 15), side="need")
    a_step(session, match, "close", "declined", at(2026, 4, 20), reason=ReasonCode.TERMS)
    a_step(session, match, "reopen", "suggested", at(2026, 5, 1), reason=ReasonCode.TERMS)
    a_step(session, match, "shortlist", "shortlisted", at(2026, 5, 2))
    a_step(session, match, "introduce", "introduced", at(2026, 5, 3))
    a_step(session, match, "accept", "accepted", at(2026, 5, 5), side="need")
    a_step(session, match, "disclose", "disclosed", at(2026, 5, 6))
    for day in (8, 9):
        a_step(session, match, "meet", "meeting", at(2026, 5, day))
    a_step(session, match, "agree", "agreement", at(2026, 6, 6))
    figures = scene.figures()
    names = ("shortlisted", "introduced", "accepted", "disclosed", "agreements")
    assert {name: figures[name] for name in names} == dict.fromkeys(names, 1)
    assert figures["meetings"] == 2
    assert figures["declined"] == {"count": 1, "reasons": {"terms": 1}}
    assert figures["days"] == {
        "posted_to_introduced": {"median": 10.0, "count": 1},
        "asked_to_answered": {"median": None, "count": 0},
        "introduced_to_accepted": {"median": 5.0, "count": 1},
        "accepted_to_disclosed": {"median": 21.0, "count": 1},
        "disclosed_to_agreement": {"median": 31.0, "count": 1},
        "posted_to_outcome": {"median": None, "count": 0},
    }


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle(scene: Scene) -> None:
    """As `percentile_cont` of the database says of the view's rows."""
    session = scene.session
    for day in (2, 4, 9, 30):
        match = a_match(session, scene.need, a_seed(session, scene.people.cluster, None, encoder=None))
        a_step(session, match, "introduce", "introduced", at(2026, 4, day))
    assert scene.figures()["days"]["posted_to_introduced"] == {"median": 6.5, "count": 4}
    query = (
        "select percentile_cont(0.5) within group (order by days) from indicator_events where measure = 'introduced'"
    )
    assert session.scalar(text(query)) == 6.5


def test_answers(scene: Scene) -> None:
    """In time, late, silent, past the day, in time to answer still, and closed by somebody else."""
    session, cluster = scene.session, scene.people.cluster
    since = at(2026, 4, 10)
    now = datetime.datetime.now(JAPAN)

    def asked() -> Match:
        match = a_match(session, scene.need, a_seed(session, cluster, None, encoder=None))
        a_step(session, match, "introduce", "introduced", since)
        return match

    for days, due in ((3, 14), (14, 14), (15, 14)):
        match = asked()
        answered = since + datetime.timedelta(days=days)
        an_ask(session, match, "seed", since, due, ended=answered)
        a_step(session, match, "accept", "introduced", answered, side="seed")
    silent = asked()
    an_ask(session, silent, "need", since, ended=at(2026, 5, 1))
    a_step(session, silent, "lapse", "declined", at(2026, 5, 1), reason=ReasonCode.NO_ANSWER)
    closed = asked()
    an_ask(session, closed, "need", since, ended=at(2026, 4, 12))
    a_step(session, closed, "close", "declined", at(2026, 4, 12), reason=ReasonCode.CAPACITY)
    an_ask(session, asked(), "need", since, due=-20)
    an_ask(session, asked(), "need", since, due=(now - since).days + 10)
    figures = scene.figures()
    assert figures["answers"] == {
        "asked": 7,
        "in_time": 2,
        "late": 1,
        "no_answer": 1,
        "overdue": 1,
        "waiting": 1,
        "closed": 1,
        "share_in_time": 0.4,
        "share_no_answer": 0.2,
    }
    assert figures["days"]["asked_to_answered"] == {"median": 14.0, "count": 3}


def test_outcomes_with_their_amounts(scene: Scene) -> None:
    """Counts and sums by kind, in the year of the agreement; what names no amount is told apart."""
    by = scene.people.coordinator.caller.id
    for kind, amount, month in (
        (OutcomeKind.JOINT_RESEARCH, 3_000_000, 5),
        (OutcomeKind.JOINT_RESEARCH, None, 6),
        (OutcomeKind.LICENCE, 250_000, 7),
        (OutcomeKind.START_UP, None, 8),
    ):
        day = datetime.date(2026, month, 1)
        scene.session.add(Outcome(match_id=scene.match.id, kind=kind, amount_yen=amount, agreed_on=day, account_id=by))
    figures = scene.figures()
    assert figures["outcomes"]["joint_research"] == {"count": 2, "amount_yen": 3_000_000, "amounts": 1}
    assert figures["outcomes"]["licence"] == {"count": 1, "amount_yen": 250_000, "amounts": 1}
    assert figures["outcomes"]["start_up"] == {"count": 1, "amount_yen": 0, "amounts": 0}
    assert figures["outcomes"]["patent_application"]["count"] == 0
    assert figures["days"]["posted_to_outcome"] == {"median": 31.0, "count": 1}


def named(rows: list[Json]) -> Mapping[tuple[str, str | None], Json]:
    """Rows by what they are of."""
    return {(row["of"]["counted"], row["of"]["name"]): row["figures"] for row in rows}


def test_by_field(scene: Scene) -> None:
    """A seed and its matches count once in each section that the seed names, a need in its own."""
    a_step(scene.session, scene.match, "introduce", "introduced", at(2026, 3, 31))
    a_seed(scene.session, scene.people.cluster, None, encoder=None).created = at(2025, 5, 1)
    rows = named(scene.rows(year=2025, by="field"))
    assert set(rows) == {("field", "IPC:C"), ("field", "JSIC:E"), ("field", "FORD:2"), ("none", None)}
    assert rows["field", "IPC:C"]["introduced"] == rows["field", "JSIC:E"]["introduced"] == 1
    assert rows["field", "FORD:2"]["introduced"] == 0
    assert rows["field", "FORD:2"]["needs_posted"] == rows["none", None]["seeds_registered"] == 1


def test_by_coordinator(scene: Scene) -> None:
    """A match counts for who handles it; entries, and matches that nobody handles, for none."""
    scene.match.coordinator_id = scene.people.coordinator.caller.id
    a_step(scene.session, scene.match, "introduce", "introduced", at(2026, 3, 31))
    rows = named(scene.rows(year=2025, by="coordinator"))
    assert rows["coordinator", "coordinator person"]["introduced"] == 1
    assert rows["none", None]["introduced"] == 0
    assert rows["none", None]["needs_posted"] == 1


def test_by_organisation_the_asked_side_answers_for_itself(scene: Scene) -> None:
    """What happens to a match counts for both organisations, whether one answers for that one alone."""
    an_ask(scene.session, scene.match, "seed", at(2026, 4, 2), ended=at(2026, 4, 3))
    a_step(scene.session, scene.match, "introduce", "introduced", at(2026, 4, 2))
    rows = named(scene.rows(by="organisation"))
    university, company = (person.organisation for person in (scene.people.university, scene.people.company))
    assert university is not None
    assert company is not None
    assert rows["organisation", university.name]["introduced"] == 1
    assert rows["organisation", company.name]["introduced"] == 1
    assert rows["organisation", university.name]["answers"]["asked"] == 1
    assert rows["organisation", company.name]["answers"]["asked"] == 0


def test_a_company_behind_an_anonymous_need_is_named_to_coordinators_alone(scene: Scene) -> None:
    """Administrators and auditors see these companies as one row; a coordinator's look is recorded."""
    company = scene.people.company.organisation
    assert company is not None
    for person in (scene.people.administrator, scene.auditor):
        rows = scene.rows(person, year=2025, by="organisation")
        assert company.name not in str(rows)
        assert str(company.public_id) not in str(rows)
        assert named(rows)["anonymous", None]["needs_posted"] == 1
    assert scene.session.scalars(select(RecordEvent).where(RecordEvent.kind == "cluster")).all() == []
    assert named(scene.rows(year=2025, by="organisation"))["organisation", company.name]["needs_posted"] == 1
    (event,) = scene.session.scalars(select(RecordEvent).where(RecordEvent.kind == "cluster"))
    assert event.action == Action.VIEWED
    assert company.name not in (event.content or "")
    scene.need.anonymous = False
    scene.need.organisation_id = company.id
    assert (
        named(scene.rows(scene.auditor, year=2025, by="organisation"))["organisation", company.name]["needs_posted"]
        == 1
    )


def test_organisations_of_other_clusters_are_one_row(scene: Scene) -> None:
    """Whether one may see them depends on what they open, which changes."""
    elsewhere = people_of(scene.people.company.client, scene.session)
    foreign = scene.session.merge(elsewhere.university.organisation)
    match = a_match(scene.session, scene.need, a_seed(scene.session, elsewhere.cluster, foreign, encoder=None))
    a_step(scene.session, match, "introduce", "introduced", at(2026, 4, 2))
    rows = named(scene.rows(by="organisation"))
    assert rows["elsewhere", None]["introduced"] == 1
    assert scene.figures()["introduced"] == 1
    path = f"/clusters/{elsewhere.cluster.public_id}/indicators"
    (row,) = elsewhere.coordinator.read(path, year=2026)["rows"]
    assert row["figures"]["introduced"] == 0


def test_the_database_gives_figures_to_those_who_oversee_alone(scene: Scene, database: RolledBackDatabase) -> None:
    """Whatever is asked: rows of the own cluster, those that name owners to coordinators, and nothing to the sides."""
    scene.rows(by="organisation")
    scene.rows(scene.auditor, by="organisation")
    expected = {Role.COORDINATOR: {"owner", "organisation"}, Role.AUDITOR: {"organisation"}}
    elsewhere = people_of(scene.people.company.client, scene.session)
    for person in (*scene.people, scene.auditor, *elsewhere):
        with database.for_service.session() as session:
            act_as(session, person.caller)
            session.execute(text("select indicators_count(id, 2020, 'cluster', interval '0') from clusters"))
            found = set(session.scalars(text("select breakdown from indicator_states")))
            owners = set(session.scalars(text("select breakdown from indicator_figures")))
        here = person.caller.cluster_id == scene.people.cluster.id
        if not here:
            # Of its own cluster it may have had the figures counted.
            assert found <= {"cluster"}
            continue
        wanted = expected.get(person.role, {"organisation"} if person.caller.oversees else set())
        assert owners - {"cluster"} <= wanted, person.role
        assert bool(found) == person.caller.oversees, person.role


def test_the_view_shows_its_reader_what_policies_let_him_see(scene: Scene, database: RolledBackDatabase) -> None:
    """A side sees what is counted of its own matches, and nothing of others'."""
    a_step(scene.session, scene.match, "introduce", "introduced", at(2026, 4, 2))
    other = a_person(scene.people.company.client, scene.session, scene.people.cluster, Role.UNIVERSITY)
    scene.session.commit()
    counted = text("select count(*) from indicator_events where measure = 'introduced'")
    for person, expected in (
        (scene.people.coordinator, 1),
        (scene.people.university, 1),
        (scene.people.company, 1),
        (other, 0),
    ):
        with database.for_service.session() as session:
            act_as(session, person.caller)
            assert session.scalar(counted) == expected


def test_sides_do_not_read_indicators(scene: Scene) -> None:
    """They are refused, and another cluster is not there."""
    path = f"/clusters/{scene.people.cluster.public_id}/indicators"
    for person in (scene.people.company, scene.people.university):
        assert person.get(path).status_code == 403
        assert person.get(f"{path}.csv").status_code == 403


def test_what_is_kept_says_of_which_moment_it_is(scene: Scene, database: RolledBackDatabase) -> None:
    """Within the time that is set it is not counted again, and says so; afterwards it is, where something was added."""
    caller, cluster = scene.people.coordinator.caller, scene.people.cluster.public_id
    query = indicators.IndicatorsQuery(year=2026)

    def ask(oldest: float) -> indicators.Indicators:
        with database.for_service.session() as session:
            act_as(session, caller)
            found = indicators.read(session, caller, cluster, query, oldest, "read")
            session.commit()
            return found

    def introduced(found: indicators.Indicators) -> int:
        return sum(one["count"] for row in found.rows for one in row.figures if one.get("detail", 0) is None
                   and one["measure"] == "introduced")  # fmt: skip

    first = ask(0)
    assert introduced(first) == 0
    a_step(scene.session, scene.match, "introduce", "introduced", at(2026, 4, 2))
    scene.session.commit()
    kept = ask(3_600)
    assert (kept.as_of, introduced(kept)) == (first.as_of, 0)
    scene.session.execute(text("update indicator_states set as_of = as_of - interval '2 minutes'"))
    scene.session.commit()
    counted = ask(60)
    assert counted.as_of > first.as_of
    assert introduced(counted) == 1
    scene.session.execute(text("update indicator_states set as_of = as_of - interval '2 minutes'"))
    scene.session.commit()
    # Nothing was added since: it is the last word, and still says when it was counted.
    assert ask(60).as_of == counted.as_of - datetime.timedelta(minutes=2)


def test_the_background_counts_what_somebody_reads(scene: Scene, database: RolledBackDatabase) -> None:
    """What nobody has asked for within a day waits for the next reader."""
    scene.figures(year=2026)
    scene.figures(year=2025)
    old = "update indicator_states set as_of = as_of - interval '1 day'"
    scene.session.execute(text(old))
    scene.session.execute(
        text("update indicator_states set asked = now() - interval '2 days' where fiscal_year = 2025")
    )
    scene.session.commit()
    indicators.count_all(database.for_service, 60)
    fresh = text("select fiscal_year from indicator_states where as_of > now() - interval '1 hour'")
    assert list(scene.session.scalars(fresh)) == [2026]


def test_a_table_for_spreadsheets(scene: Scene) -> None:
    """Headings in either language, a row for each, and nothing that a spreadsheet takes for a formula."""
    university = scene.session.merge(scene.people.university.organisation)
    assert university is not None
    university.name = '=HYPERLINK("http://example.org")'
    scene.session.commit()
    path = f"/clusters/{scene.people.cluster.public_id}/indicators.csv"
    for language, heading in (("ja", "ニーズ登録(件)"), ("en", "needs posted (count)")):
        reply = scene.people.administrator.get(path, year=2025, by="organisation", language=language)
        assert reply.headers["content-type"].startswith("text/csv")
        assert reply.headers["content-disposition"] == 'attachment; filename="indicators-2025.csv"'
        assert reply.content.startswith(b"\xef\xbb\xbf")
        first, *rows = csv.reader(io.StringIO(reply.content.decode("utf-8-sig")))
        assert {len(row) for row in rows} == {len(first)}
        assert len(set(first)) == len(first)
        (seeded,) = [row for row in rows if row[3]]
        assert seeded[3] == '\'=HYPERLINK("http://example.org")'
        assert sum(int(row[first.index(heading)]) for row in rows) == 1
    exports = select(RecordEvent).where(RecordEvent.action == Action.EXPORTED, RecordEvent.kind == "cluster")
    assert len(scene.session.scalars(exports).all()) == 2


@pytest.mark.parametrize("name", ["=1+1", "+81", "-1", "@SUM(A1)", " =1", "\t=1", "＝1", "%0A", "|calc"])
def test_formulas_are_made_harmless(name: str) -> None:
    """An apostrophe makes text of what would begin a formula."""
    assert harmless(name) == f"'{name}"


def test_names_stay_as_they_are() -> None:
    """Nothing else is changed."""
    for name in ("株式会社 例", "A=B", "", "1-2"):
        assert harmless(name) == name


def test_a_wrong_year_or_breakdown_is_refused(scene: Scene) -> None:
    """Owners are no breakdown that can be asked for."""
    path = f"/clusters/{scene.people.cluster.public_id}/indicators"
    for query in ({"year": 1}, {"by": Breakdown.OWNER}, {"by": "cluster"}, {"from": "2025"}):
        assert scene.people.coordinator.get(path, **query).status_code == 422


def test_one_organisation_on_both_sides_counts_once(scene: Scene) -> None:
    """A pair that a coordinator put together may be of one house."""
    house = an_organisation(scene.session, scene.people.cluster)
    need = a_need(scene.session, scene.people.cluster, house, encoder=None)
    match = a_match(scene.session, need, a_seed(scene.session, scene.people.cluster, house, encoder=None))
    a_step(scene.session, match, "introduce", "introduced", at(2026, 4, 2))
    assert isinstance(house, Organisation)
    assert named(scene.rows(by="organisation"))["organisation", house.name]["introduced"] == 1


def test_the_schema_names_units(scene: Scene) -> None:
    """Whoever draws the figures finds in the description what they are counted in."""
    described = scene.people.company.read("/openapi.json")["components"]["schemas"]
    assert described["OutcomeFiguresOut"]["properties"]["amount_yen"]["unit"] == "JPY"
    assert described["DaysOut"]["properties"]["median"]["unit"] == "days"
    assert described["FiguresOut"]["properties"]["introduced"]["unit"] == "count"
    assert described["AnswersOut"]["properties"]["share_in_time"]["unit"] == "share"
