"""A notice is written with what it tells of; whom it goes to is found out by the service's own work."""

from dataclasses import dataclass

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller, act_as, acting_as_service
from enmusubi.app.models import Account, Match, Notice
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, NoticeKind, Role
from tests.app.factories import a_caller, a_cluster, a_match, a_need, a_seed, a_university, an_organisation
from tests.conftest import RolledBackDatabase


@dataclass(frozen=True)
class Scene:
    """A match with people on both sides, and others beside them."""

    match: Match
    company: Caller
    university: Caller
    coordinators: tuple[Caller, Caller]
    administrator: Caller
    auditor: Caller
    stranger: Caller


@pytest.fixture
def scene(session: Session) -> Scene:
    """All of one cluster, but for a stranger's company of another one."""
    cluster, other = a_cluster(session), a_cluster(session)
    owner, institute = an_organisation(session, cluster), a_university(session, cluster)
    a_caller(session, cluster, Role.COMPANY)
    a_caller(session, cluster, Role.UNIVERSITY)
    coordinators = a_caller(session, cluster, Role.COORDINATOR), a_caller(session, cluster, Role.COORDINATOR)
    scene = Scene(
        a_match(session, a_need(session, cluster, owner), a_seed(session, cluster, institute)),
        a_caller(session, cluster, Role.COMPANY, owner),
        a_caller(session, cluster, Role.UNIVERSITY, institute),
        coordinators,
        a_caller(session, cluster, Role.CLUSTER_ADMINISTRATOR),
        a_caller(session, cluster, Role.AUDITOR),
        a_caller(session, other, Role.COMPANY),
    )
    session.commit()
    return scene


def _recipients(database: RolledBackDatabase, notice: Notice) -> set[int]:
    with database.for_service.session() as session, acting_as_service(session):
        return set(session.scalars(select(func.recipients_of(notice.id))))


def _notified(database: RolledBackDatabase, by: Caller, match: Match, audience: Audience) -> Notice:
    with database.for_service.session() as session:
        act_as(session, by)
        notice = notify(session, cluster_id=match.cluster_id, kind=NoticeKind.STEP_DUE, audience=audience, match=match)
        session.commit()
    return notice


@pytest.mark.parametrize("audience", [one for one in Audience if one is not Audience.ACCOUNT])
def test_an_audience_is_its_active_accounts(database: RolledBackDatabase, scene: Scene, audience: Audience) -> None:
    """The company of the need, the institute of the seed, the coordinators, the administrators; nobody else."""
    expected = {
        Audience.NEED_SIDE: {scene.company.id},
        Audience.SEED_SIDE: {scene.university.id},
        Audience.COORDINATORS: {one.id for one in scene.coordinators},
        Audience.ADMINISTRATORS: {scene.administrator.id},
    }
    notice = _notified(database, scene.university, scene.match, audience)
    assert _recipients(database, notice) == expected[audience]


def test_who_was_deactivated_is_told_nothing(database: RolledBackDatabase, session: Session, scene: Scene) -> None:
    """Also where the notice was written before."""
    notice = _notified(database, scene.company, scene.match, Audience.SEED_SIDE)
    session.get_one(Account, scene.university.id).active = False
    session.commit()
    assert _recipients(database, notice) == set()


def test_who_causes_a_notice_does_not_learn_whom_it_goes_to(database: RolledBackDatabase, scene: Scene) -> None:
    """Neither the notice nor its readers can be asked for, but by the service's own work."""
    notice = _notified(database, scene.university, scene.match, Audience.NEED_SIDE)
    with database.for_service.session() as session:
        act_as(session, scene.university)
        assert session.scalars(text("select id from notices")).all() == []
        assert session.scalars(select(func.recipients_of(notice.id))).all() == []
        assert session.scalars(select(func.endpoints_of(notice.id))).all() == []
        assert session.execute(text("select * from reader_of(:id)"), {"id": scene.company.id}).all() == []


def test_a_notice_goes_with_its_transaction(database: RolledBackDatabase, session: Session, scene: Scene) -> None:
    """Rolled back with the change, it was never there, nor its job."""
    counts = text("select (select count(*) from notices), (select count(*) from procrastinate_jobs)")
    before = session.execute(counts).one()
    with database.for_service.session() as working:
        act_as(working, scene.company)
        notify(working, cluster_id=scene.match.cluster_id, kind=NoticeKind.DISCLOSED, audience=Audience.COORDINATORS)
        with acting_as_service(working):
            assert working.execute(counts).one() == (before[0] + 1, before[1] + 1)
        working.rollback()
    assert session.execute(counts).one() == before


@pytest.mark.parametrize("by", ["stranger", "auditor"])
def test_who_may_not_see_a_match_notifies_nobody_of_it(database: RolledBackDatabase, scene: Scene, by: str) -> None:
    """The database refuses it: another cluster's matter is none of theirs, and auditors change nothing."""
    with pytest.raises(ProgrammingError, match="row-level security"):
        _notified(database, getattr(scene, by), scene.match, Audience.NEED_SIDE)
