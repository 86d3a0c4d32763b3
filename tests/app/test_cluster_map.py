"""The map of a cluster: drawn after a snapshot, by one worker, and read by everybody as far as they may see it."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app.caller import act_as, acting_as_service
from enmusubi.app.clock import SystemClock
from enmusubi.app.cluster_map import reading
from enmusubi.app.cluster_map.chores import chores_for
from enmusubi.app.cluster_map.drawing import draw_next
from enmusubi.app.cluster_map.reading import MapQuery, MapView, listed, view
from enmusubi.app.database import Database
from enmusubi.app.embeddings import embed
from enmusubi.app.models import Cluster, MapDrawing, MapPosition, NeedOpening, Seed
from enmusubi.app.vocabulary import EntryStatus
from tests.app.conftest import People, Serve, people_of
from tests.app.factories import ENCODER, Person, a_need, a_seed, put_into
from tests.conftest import RolledBackDatabase

WORDS = ("kelp", "kerb", "snow", "scallop", "sensor", "enzyme", "laser", "cedar")


def title(number: int) -> str:
    """Words that entries share with some others."""
    return f"{WORDS[number % 8]} {WORDS[number // 8 % 8]} {number}"


def seeds_of(session: Session, cluster: Cluster, count: int, since: int = 0) -> list[Seed]:
    """Published seeds."""
    return [
        a_seed(session, cluster, title=title(number), field_codes=[f"IPC:{'ABCH'[number % 4]}01B"])
        for number in range(since, since + count)
    ]


def draw(session: Session, cluster: Cluster, snapshot: str = "first") -> int | None:
    """As the worker does it."""
    with acting_as_service(session):
        return draw_next(session, ENCODER, {cluster.id: snapshot})


def places(session: Session) -> dict[int, tuple[float, float]]:
    """Where seeds lie."""
    session.expire_all()
    return {row.seed_id: (row.x, row.y) for row in session.scalars(select(MapPosition)) if row.seed_id is not None}


def seen(session: Session, person: Person, **query: object) -> MapView:
    """The map as a person sees it."""
    act_as(session, person.caller)
    return view(session, person.caller, MapQuery.model_validate(query))


def titles(of: MapView) -> Sequence[str | None]:
    """What is on it."""
    return sorted(dot.title or "" for dot in of.dots)


def test_a_map_is_drawn_once_for_each_snapshot(session: Session, people: People) -> None:
    """The next look finds nothing to do; another snapshot has it drawn again."""
    seeds_of(session, people.cluster, 12)
    a_need(session, people.cluster, people.company.organisation)
    assert draw(session, people.cluster) == people.cluster.id
    assert draw(session, people.cluster) is None
    assert draw(session, people.cluster, "second") == people.cluster.id
    assert session.scalar(select(MapDrawing.snapshot)) == "second"
    assert len(session.scalars(select(MapPosition)).all()) == 13


def test_newcomers_leave_the_others_where_they_are(session: Session, people: People) -> None:
    """A revised text is placed anew, what is not published any more is taken away."""
    seeds = seeds_of(session, people.cluster, 40)
    draw(session, people.cluster)
    before = places(session)
    added = seeds_of(session, people.cluster, 5, since=40)
    seeds[0].title = "asparagus asparagus asparagus"
    embed(seeds[0], ENCODER)
    put_into(seeds[1], "withdrawn")
    session.flush()
    draw(session, people.cluster, "second")
    after = places(session)
    assert after.keys() == (before.keys() - {seeds[1].id}) | {seed.id for seed in added}
    assert after[seeds[0].id] != before[seeds[0].id]
    assert all(after[seed.id] == before[seed.id] for seed in seeds[2:])


def test_everybody_sees_what_is_theirs_to_see(session: Session, people: People) -> None:
    """Companies no needs of others; excluded organisations not the need; nobody what is not published."""
    a_seed(session, people.cluster, title="a seed")
    a_seed(session, people.cluster, title="a draft", status=EntryStatus.DRAFT)
    a_need(session, people.cluster, people.company.organisation, title="own need")
    a_need(session, people.cluster, title="another's need")
    excluded = people.university.organisation
    assert excluded is not None
    a_need(session, people.cluster, title="a need that excludes", excluded_organisations=[excluded.name])
    draw(session, people.cluster)
    assert titles(seen(session, people.company)) == ["a seed", "own need"]
    assert titles(seen(session, people.university)) == ["a seed", "another's need", "own need"]
    everything = ["a need that excludes", "a seed", "another's need", "own need"]
    assert titles(seen(session, people.coordinator)) == everything
    assert titles(seen(session, people.administrator)) == everything


def test_what_was_hidden_since_is_not_on_it(session: Session, people: People) -> None:
    """At once, not with the next snapshot."""
    seed = a_seed(session, people.cluster, title="gone")
    a_seed(session, people.cluster, title="still there")
    draw(session, people.cluster)
    put_into(seed, "withdrawn")
    session.flush()
    for person in people:
        assert titles(seen(session, person)) == ["still there"]
        assert seen(session, person).count == 1
        assert [dot.title for dot in listed(session, person.caller, MapQuery())] == ["still there"]


def test_raw_statements_find_no_more(database: RolledBackDatabase, session: Session, people: People) -> None:
    """The database keeps from each reader the positions of what they do not see, and all of other clusters."""
    a_seed(session, people.cluster)
    a_need(session, people.cluster)
    draw(session, people.cluster)
    session.commit()
    elsewhere = people_of(people.company.client, session)
    counts = {}
    with database.for_service.session() as asking:
        for name, person in (
            ("company", people.company),
            ("university", people.university),
            ("elsewhere", elsewhere.coordinator),
        ):
            act_as(asking, person.caller)
            counts[name] = asking.scalar(text("select count(*) from map_positions"))
            assert asking.scalars(text("update map_positions set x = 0 returning id")).all() == []
            assert asking.scalars(text("delete from map_positions returning id")).all() == []
    assert counts == {"company": 1, "university": 2, "elsewhere": 0}


def test_an_opened_entry_is_on_both_maps(session: Session, people: People) -> None:
    """Each cluster has a map of its own."""
    other = people_of(people.company.client, session)
    need = a_need(session, people.cluster, title="opened")
    session.add(NeedOpening(need_id=need.id, cluster_id=other.cluster.id))
    session.flush()
    draw(session, people.cluster)
    draw(session, other.cluster)
    assert titles(seen(session, other.university)) == ["opened"]
    assert titles(seen(session, people.university)) == ["opened"]


def test_a_part_of_it_by_place_side_and_field(session: Session, people: People) -> None:
    """What is counted is what is shown."""
    seeds_of(session, people.cluster, 16)
    a_need(session, people.cluster, title="a need", field_codes=["IPC:A23L"])
    draw(session, people.cluster)
    whole = seen(session, people.coordinator)
    assert whole.count == len(whole.dots) == 17
    assert {each.section: (each.seeds, each.needs) for each in whole.sections}["IPC:A"] == (4, 1)
    assert titles(seen(session, people.coordinator, kind="need")) == ["a need"]
    assert len(seen(session, people.coordinator, field="IPC:C").dots) == 4
    dot = whole.dots[0]
    near = {"left": dot.x - 1e-9, "right": dot.x + 1e-9, "bottom": dot.y - 1e-9, "top": dot.y + 1e-9}
    assert dot in seen(session, people.coordinator, **near).dots


def test_very_many_are_shown_as_numbers(session: Session, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """By cells, which together hold them all; nearer by, each entry is there again."""
    monkeypatch.setattr(reading, "MOST", 10)
    seeds_of(session, people.cluster, 24)
    draw(session, people.cluster)
    found = seen(session, people.university)
    assert not found.dots
    assert sum(cell.count for cell in found.cells) == found.count == 24
    assert len(listed(session, people.university.caller, MapQuery())) == 24
    cell = found.cells[0]
    near = {"left": cell.x - 1e-6, "right": cell.x + 1e-6, "bottom": cell.y - 1e-6, "top": cell.y + 1e-6}
    assert seen(session, people.university, **near).cells == ()


def test_an_empty_cluster_has_an_empty_map(session: Session, people: People) -> None:
    """Drawn or not."""
    assert seen(session, people.coordinator) == MapView(None, None, [], (), ())
    draw(session, people.cluster)
    found = seen(session, people.coordinator)
    assert found.whole is None
    assert found.count == 0
    assert found.drawn is not None


def test_two_workers_draw_once_and_a_killed_one_leaves_the_old_map(serve: Serve, committed: Database) -> None:
    """The second finds the chore taken; what is not committed was never drawn."""
    client = serve()
    runtime = client.app.state.runtime  # type: ignore[attr-defined]
    with committed.session() as session:
        people = people_of(client, session)
        seeds_of(session, people.cluster, 8)
        session.commit()
    snapshots = {people.cluster.id: "first"}
    with committed.session() as killed, acting_as_service(killed):
        assert draw_next(killed, ENCODER, snapshots) == people.cluster.id
        killed.rollback()
    (chore,) = chores_for(runtime.matchmaking.freshness, ENCODER)
    with committed.session() as first:
        first.execute(text("select pg_advisory_xact_lock(7302, hashtext('draw-map'))"))
        assert not chore.run(committed.session, SystemClock())
    assert chore.run(committed.session, SystemClock())
    with committed.session() as session:
        assert session.scalars(select(MapPosition)).all() == []  # no snapshot was published
