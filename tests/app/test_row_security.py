"""What PostgreSQL itself lets the service's role read and write, whatever the application asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from enmusubi.app import grants, visibility
from enmusubi.app.caller import Caller, act_as, acting_as_service
from enmusubi.app.database import Base
from enmusubi.app.models import (
    IdempotentReply,
    Match,
    Need,
    NeedDetail,
    NeedOpening,
    Organisation,
    Review,
    Seed,
    SeedDetail,
    SeedOpening,
)
from enmusubi.app.vocabulary import EntryStatus, Role, Verdict
from tests.app.factories import a_caller, a_cluster, a_match, a_need, a_seed, an_organisation, days_from_now
from tests.conftest import RolledBackDatabase

OPEN_TO_ALL = {"clusters", "fittings"}
"""Tables without policies of their own."""

STATES = (EntryStatus.PUBLISHED, EntryStatus.DRAFT, EntryStatus.ON_HOLD, EntryStatus.WITHDRAWN)


@dataclass(frozen=True)
class Scene:
    """Two clusters, people of every role in both, and entries of every kind of owner in every state."""

    database: RolledBackDatabase
    session: Session
    callers: tuple[Caller, ...]

    def of(self, role: Role, number: int = 0) -> Caller:
        """The first caller of a role, of the first cluster; with a number, a later one."""
        return [caller for caller in self.callers if caller.role is role][number]


@pytest.fixture
def scene(database: RolledBackDatabase, session: Session) -> Scene:
    """Everything that could be seen by the wrong one."""
    clusters = a_cluster(session), a_cluster(session)
    callers = []
    for cluster, other in (clusters, clusters[::-1]):
        universities = [a_caller(session, cluster, Role.UNIVERSITY) for _ in range(2)]
        companies = [a_caller(session, cluster, Role.COMPANY) for _ in range(2)]
        overseers = [
            a_caller(session, cluster, role) for role in (Role.COORDINATOR, Role.CLUSTER_ADMINISTRATOR, Role.AUDITOR)
        ]
        callers += [*universities, *companies, *overseers]
        seeds: list[Seed] = []
        for owner in universities:
            organisation = session.get_one(Organisation, owner.organisation_id)
            for state in STATES:
                for opened in (False, True):
                    seed = a_seed(session, cluster, organisation, encoder=None)
                    seed.status = state
                    seed.detail = SeedDetail(unpublished="hidden")
                    seeds.append(seed)
                    if opened:
                        session.add(SeedOpening(seed_id=seed.id, cluster_id=other.id))
        seeds.append(a_seed(session, cluster, None, encoder=None))
        expired = a_seed(session, cluster, organisation, encoder=None)
        expired.expires_on = days_from_now(-1)
        for owner, excluded in zip(companies, universities, strict=True):
            organisation = session.get_one(Organisation, owner.organisation_id)
            excluded_name = session.get_one(Organisation, excluded.organisation_id).name
            for state in STATES:
                for anonymous, opened in ((True, False), (True, True), (False, False)):
                    need = a_need(
                        session,
                        cluster,
                        organisation,
                        encoder=None,
                        anonymous=anonymous,
                        description="hidden",
                        excluded_organisations=[excluded_name],
                    )
                    need.status = state
                    if opened:
                        session.add(NeedOpening(need_id=need.id, cluster_id=other.id))
                    for seed in seeds[:8:3] + seeds[8:16:3]:
                        match = a_match(session, need, seed)
                        session.add(
                            Review(match_id=match.id, account_id=overseers[0].id, verdict=Verdict.SHORTLIST, note="n")
                        )
        session.add(IdempotentReply(account_id=companies[0].id, key="k", request_digest=b"d"))
    session.commit()
    return Scene(database, session, tuple(callers))


@contextmanager
def as_service(scene: Scene, caller: Caller | None) -> Iterator[Session]:
    """A session with the role of the service, for the caller or for nobody."""
    with scene.database.for_service.session() as session:
        if caller is not None:
            act_as(session, caller)
        yield session


def expected(scene: Scene, column: Any, condition: ColumnElement[bool], *joined: Any) -> set[Any]:
    """What a condition of `visibility` selects where nothing but it does."""
    query = select(column)
    for target, on in joined:
        query = query.join(target, on)
    return set(scene.session.scalars(query.where(condition)))


def test_raw_statements_find_what_visibility_says(scene: Scene) -> None:
    """A select without any condition gives each account exactly what the application would show it."""
    pair = ((Need, Match.need_id == Need.id), (Seed, Match.seed_id == Seed.id))
    for caller in scene.callers:
        wanted = {
            "select id from seeds": expected(scene, Seed.id, visibility.seeds_visible_to(caller)),
            "select id from needs": expected(scene, Need.id, visibility.needs_visible_to(caller)),
            "select need_id from need_details": expected(
                scene, NeedDetail.need_id, visibility.need_details_visible_to(caller)
            ),
            "select seed_id from seed_details": expected(
                scene,
                SeedDetail.seed_id,
                visibility.seed_details_visible_to(caller),
                (Seed, Seed.id == SeedDetail.seed_id),
            ),
            "select id from matches": expected(scene, Match.id, visibility.pairs_visible_to(caller), *pair),
            "select id from organisations": expected(
                scene, Organisation.id, visibility.organisations_visible_to(caller)
            ),
        }
        assert wanted["select id from matches"] == expected(scene, Match.id, visibility.matches_visible_to(caller))
        with as_service(scene, caller) as session:
            for statement, found in wanted.items():
                assert set(session.scalars(text(statement))) == found, (caller.role, statement)
            assert wanted["select id from seeds"]
            details = set(session.scalars(text("select distinct need_id from need_exclusions")))
            assert details == wanted["select need_id from need_details"]


def test_only_coordinators_and_owners_read_details(scene: Scene) -> None:
    """Some details are read by owners and coordinators, and none by anybody else."""
    for caller in scene.callers:
        with as_service(scene, caller) as session:
            needs = session.scalars(text("select description from need_details")).all()
            seeds = session.scalars(text("select unpublished from seed_details")).all()
        assert bool(needs) == (caller.role in (Role.COMPANY, Role.COORDINATOR)), caller.role
        assert bool(seeds) == (caller.role in (Role.UNIVERSITY, Role.COORDINATOR)), caller.role


def test_reviews_are_read_by_who_oversees_their_cluster(scene: Scene) -> None:
    """Neither side reads reviews, nor does another cluster."""
    for caller in scene.callers:
        with as_service(scene, caller) as session:
            found = set(
                session.scalars(text("select distinct cluster_id from reviews join matches on match_id = matches.id"))
            )
            assert found == ({caller.cluster_id} if caller.oversees else set())


def test_nobody_reads_nothing(scene: Scene) -> None:
    """Where no account is named, every table with policies is empty."""
    with as_service(scene, None) as session:
        for table in Base.metadata.tables:
            if not grants.TABLES[table]:
                with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
                    session.execute(text(f"select count(*) from {table}"))
            elif table not in OPEN_TO_ALL:
                assert session.scalar(text(f"select count(*) from {table}")) == 0, table


def test_every_table_has_forced_policies(session: Session) -> None:
    """A new table without policies is noticed."""
    forced = set(session.scalars(text("select relname from pg_class where relrowsecurity and relforcerowsecurity")))
    assert set(Base.metadata.tables) - forced == OPEN_TO_ALL


def test_the_service_itself_reads_what_was_submitted_and_no_details(scene: Scene) -> None:
    """Its own work reads entries of every cluster that ever were more than drafts, and nothing confidential."""
    with as_service(scene, scene.of(Role.COMPANY)) as session:
        mine = session.scalars(text("select count(*) from needs")).one()
        with acting_as_service(session):
            assert session.scalar(text("select bool_and(submitted) from needs"))
            assert session.scalar(text("select count(distinct cluster_id) from needs")) >= 2
            for table in (
                "need_details",
                "need_exclusions",
                "reviews",
                "disclosures",
                "outcomes",
                "idempotent_replies",
            ):
                assert session.scalar(text(f"select count(*) from {table}")) == 0, table
        assert session.scalars(text("select count(*) from needs")).one() == mine


@pytest.mark.parametrize("role", list(Role))
def test_others_rows_are_not_changed(scene: Scene, role: Role) -> None:
    """An update of everything changes what the account may change, and leaves all else as it is."""
    caller = scene.of(role)
    with as_service(scene, caller) as session:
        session.execute(text("update seeds set title = 'x'"))
        session.execute(text("update needs set title = 'x'"))
        session.execute(text("update need_details set description = 'x'"))
        session.execute(text("update seed_details set unpublished = 'x'"))
        session.execute(text("delete from need_exclusions"))
        session.commit()
    changed_seeds = scene.session.execute(text("select organisation_id, cluster_id from seeds where title = 'x'")).all()
    changed_needs = scene.session.execute(
        text("select owner_id, cluster_id from needs join need_details on need_id = needs.id where title = 'x'")
    ).all()
    changed_details = scene.session.execute(
        text("select owner_id, cluster_id from needs join need_details on need_id = needs.id where description = 'x'")
    ).all()
    owners = {row[0] for row in changed_seeds} | {row[0] for row in changed_needs} | {row[0] for row in changed_details}
    clusters = {row[1] for row in (*changed_seeds, *changed_needs, *changed_details)}
    if role in (Role.COMPANY, Role.UNIVERSITY):
        assert owners == {caller.organisation_id}
        assert bool(changed_seeds) == (role is Role.UNIVERSITY)
        assert bool(changed_details) == (role is Role.COMPANY)
    elif role is Role.COORDINATOR:
        assert clusters == {caller.cluster_id}
        assert changed_seeds
        assert changed_details
    else:
        assert not owners


@pytest.mark.parametrize(
    "statement",
    [
        "insert into seeds (public_id, cluster_id, source, status, search_text, expires_on, version) "
        "values (gen_random_uuid(), :there, 's', 'published', '', current_date, 1)",
        "insert into needs (public_id, cluster_id, source, status, search_text, expires_on, version) "
        "values (gen_random_uuid(), :there, 's', 'published', '', current_date, 1)",
        "update seeds set cluster_id = :there",
        "update needs set cluster_id = :there",
        "update need_details set owner_id = :owner",
    ],
)
@pytest.mark.parametrize("role", [Role.COMPANY, Role.UNIVERSITY])
def test_rows_are_not_put_elsewhere(scene: Scene, role: Role, statement: str) -> None:
    """Nothing is written into another cluster, nor given to another organisation."""
    caller, stranger = scene.of(role), scene.of(role, 2)
    assert caller.cluster_id != stranger.cluster_id
    counting = text(
        "select (select count(*) from seeds where cluster_id = :there), (select count(*) from needs where "
        "cluster_id = :there), (select count(*) from need_details where owner_id = :owner)"
    )
    values = {"there": stranger.cluster_id, "owner": stranger.organisation_id}
    before = scene.session.execute(counting, values).one()
    with as_service(scene, caller) as session:
        others = {"seeds": Role.COMPANY, "needs": Role.UNIVERSITY, "need_details": Role.UNIVERSITY}
        if statement.startswith("update") and others[statement.split()[1]] is role:
            session.execute(text(statement), values)  # of a kind that this role has none of to write
        else:
            with pytest.raises(ProgrammingError, match="row-level security"):
                session.execute(text(statement), values)
            session.rollback()
    assert scene.session.execute(counting, values).one() == before


def test_an_organisation_of_the_other_cluster_is_seen_where_a_seed_names_it(scene: Scene) -> None:
    """A seed that is opened to a cluster is shown there with its owner's name."""
    caller = scene.of(Role.COMPANY)
    opened = select(Organisation.id).join(Seed).join(SeedOpening).where(SeedOpening.cluster_id == caller.cluster_id)
    named = set(scene.session.scalars(opened.where(visibility.published(Seed))))
    assert named
    quiet = an_organisation(scene.session, a_cluster(scene.session))
    with as_service(scene, caller) as session:
        assert named <= set(session.scalars(select(Organisation.id)))
        assert quiet.id not in set(session.scalars(select(Organisation.id)))
