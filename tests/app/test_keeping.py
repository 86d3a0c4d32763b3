"""What a look at a ranking writes: what is new and what has changed, and nothing at all where nothing has."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import RowMapping, text

from enmusubi.app.caller import Caller, act_as
from enmusubi.app.config import Settings
from enmusubi.app.database import Database
from enmusubi.app.keeping import keep
from enmusubi.app.models import Match, Need
from enmusubi.app.proposals import Proposals
from enmusubi.ingest import indexing
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, Person, a_need, a_seed
from tests.app.test_statements import counted

WORDS = "frost resistant kerbstone"
# Who wrote and locked a row last, where it lies, and what of it would have to change with it.
_ROWS = text("select id, xmin::text, xmax::text, ctid::text, version, scored, score, snapshot from matches order by id")

Stored = Sequence[RowMapping]


@pytest.fixture
def crowd(committed: Database, serve: Serve) -> People:
    """People with six seeds and a need of the company's that they fit, in a database that commits."""
    client = serve()
    with committed.session() as session:
        people = people_of(client, session)
        for number in range(6):
            a_seed(session, people.cluster, people.university.organisation, title=f"{WORDS} {number}")
        a_need(session, people.cluster, people.company.organisation, title=WORDS)
        session.commit()
    return people


def _stored(database: Database) -> Stored:
    with database.session() as session:
        return session.execute(_ROWS).mappings().all()


def _look(person: Person) -> tuple[str, dict[str, Any]]:
    need = person.read("/needs")["items"][0]["id"]
    return need, person.read(f"/needs/{need}/matches")


@pytest.mark.parametrize("role", ["company", "coordinator", "administrator"])
def test_a_look_that_finds_nothing_new_writes_nothing(
    crowd: People, committed: Database, service: Database, role: str
) -> None:
    """No row is written nor locked, and no statement could."""
    person: Person = getattr(crowd, role)
    need, first = _look(person)
    before = _stored(committed)
    assert len(before) == len(first["ranking"]) == 6
    with counted(service) as statements:
        assert person.read(f"/needs/{need}/matches") == first
    assert not [each for each in statements if "INSERT" in each or "UPDATE" in each], statements
    assert _stored(committed) == before


def test_a_look_from_the_other_side_that_finds_nothing_new_writes_nothing(crowd: People, committed: Database) -> None:
    """Neither where the seed's own ranking stored a pair, nor where the need's did, which says more."""
    seed = crowd.university.read("/seeds")["items"][0]["id"]
    for _ in range(2):
        crowd.university.read(f"/seeds/{seed}/matches")
        before = _stored(committed)
        crowd.university.read(f"/seeds/{seed}/matches")
        assert _stored(committed) == before
        _look(crowd.company)
    assert len(before) == 6


def test_a_new_snapshot_is_written(crowd: People, committed: Database, settings: Settings) -> None:
    """Scores of another snapshot are others, and a row says which it was."""
    _look(crowd.coordinator)
    (published,) = indexing.publish(committed, settings, ENCODER)
    crowd.company.client.app.state.runtime.live.check()  # type: ignore[attr-defined]
    before = _stored(committed)
    _look(crowd.coordinator)
    after = _stored(committed)
    assert {row["snapshot"] for row in after} == {published.manifest.id}
    assert {row["snapshot"] for row in before} == {None}
    assert {row["version"] for row in after} == {1}
    assert all(new["scored"] > old["scored"] for new, old in zip(after, before, strict=True))


def test_another_version_of_one_seed_is_written_with_its_pair_alone(crowd: People, committed: Database) -> None:
    """A change that the score does not feel still says what was ranked."""
    _look(crowd.company)
    before = _stored(committed)
    seed = crowd.university.read("/seeds")["items"][0]["id"]
    assert crowd.university.patch(f"/seeds/{seed}", {"regions": ["北海道"]}).status_code == 200
    _look(crowd.company)
    assert len([row for row in _stored(committed) if row not in before]) == 1


def test_another_policy_is_written(crowd: People, committed: Database) -> None:
    """As the command does that takes a policy into use, the row is told which policy ranked it."""
    _look(crowd.coordinator)
    with committed.session() as session:
        session.execute(text("update matches set policy = 'evidence-0' where id = (select min(id) from matches)"))
        session.commit()
    before = _stored(committed)
    _look(crowd.coordinator)
    changed = [new for new, old in zip(_stored(committed), before, strict=True) if new != old]
    assert [row["id"] for row in changed] == [before[0]["id"]]


def test_a_verdict_given_while_a_ranking_is_stored_keeps_its_score(crowd: People, committed: Database) -> None:
    """Judged by the row as it is when it is written, not as it was read."""
    need, _ = _look(crowd.coordinator)
    (match,) = crowd.coordinator.read("/matches", limit=1)["items"]
    runtime = crowd.company.client.app.state.runtime  # type: ignore[attr-defined]
    with committed.session() as session:
        caller: Caller = crowd.coordinator.caller
        act_as(session, caller)
        entry = session.query(Need).filter_by(public_id=need).one()
        found: Proposals = runtime.matchmaking.for_need(session, caller, entry, 10)
        session.execute(text("update matches set policy = 'evidence-0'"))
        session.commit()
        act_as(session, caller)
        stored = {each.public_id: each.policy for each in session.query(Match)}
        assert set(stored.values()) == {"evidence-0"}
        verdict = crowd.coordinator.post(f"/matches/{match['id']}/reviews", {"verdict": "shortlist"}, If_Match="*")
        assert verdict.status_code == 201
        kept = keep(session, caller, entry, found, "seed")
        session.commit()
    policies = {str(each.public_id): each.policy for each in kept.values()}
    assert policies.pop(match["id"]) == "evidence-0"
    assert set(policies.values()) == {found.provenance.policy}
