"""A cluster with everything that one can have: a row in every table that is exported, every column set somewhere."""

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.models import (
    Account,
    Alert,
    AlertSettings,
    Cluster,
    ClusterSettings,
    Decline,
    Disclosure,
    Interest,
    Match,
    MatchStep,
    Need,
    NeedDetail,
    NeedOpening,
    Organisation,
    Origin,
    Outcome,
    PublicationReview,
    Review,
    SavedSearch,
    Seed,
    SeedDetail,
    SeedOpening,
    StepActor,
    Wait,
)
from enmusubi.app.vocabulary import OrganisationKind, PublicationVerdict, ReviewedKinds, Role, Verdict
from tests.app.factories import a_caller, a_cluster, a_match, a_need, a_seed, an_organisation

THEN = datetime.datetime(2026, 6, 1, 3, 0, 0, 123456, tzinfo=datetime.UTC)
DAY = datetime.date(2026, 6, 15)


@dataclass(frozen=True)
class Made:
    """A cluster with something in every table, and another one beside it."""

    cluster: Cluster
    other: Cluster


@dataclass(frozen=True)
class People:
    """Who acts in it."""

    company: Caller
    university: Caller
    coordinator: Caller


def a_full_cluster(session: Session, *, foreign: bool = False) -> Made:
    """Everything that a cluster can have; with what refers to another cluster, if asked for."""
    # Others come first, so that no key is by chance the same elsewhere.
    other = a_cluster(session, "Another cluster")
    stranger = an_organisation(session, other, name="Stranger")
    for number in range(3):
        a_seed(session, other, stranger, title=f"Foreign {number}")
    cluster = a_cluster(session, "架空クラスター")
    settings = session.get_one(ClusterSettings, cluster.id)
    settings.review_before_publication, settings.answer_days, settings.warn_days = ReviewedKinds.NEEDS, 7, 3
    people = _people(session, cluster)
    seeds = _seeds(session, cluster, people)
    needs = _needs(session, cluster, people)
    match = _match(session, cluster, needs[0], seeds[0], people)
    refused = a_match(session, needs[1], seeds[0])
    outcome = _introduction(session, match, people)
    _refusals(session, refused, people)
    # Later than the "no"s, which keep what it was then.
    seeds[0].trl = 6
    session.add_all(
        [
            Origin(seed_id=seeds[1].id, from_match_id=match.id),
            Origin(seed_id=seeds[1].id, from_seed_id=seeds[0].id),
            Origin(need_id=needs[1].id, from_need_id=needs[0].id),
            Origin(need_id=needs[1].id, from_outcome_id=outcome.id, created=THEN),
        ]
    )
    search = _alerts(session, match, refused, people)
    if foreign:
        session.add(SeedOpening(seed_id=seeds[0].id, cluster_id=other.id))
        session.add(NeedOpening(need_id=needs[0].id, cluster_id=other.id))
        theirs = a_seed(session, other, stranger)
        shared = a_match(session, needs[0], theirs)
        session.add(Review(match_id=shared.id, account_id=people.coordinator.id, verdict=Verdict.SHORTLIST))
        session.add(Origin(seed_id=seeds[1].id, from_match_id=shared.id))
        session.add(Origin(seed_id=seeds[1].id, from_seed_id=theirs.id))
        session.add(Alert(account_id=people.coordinator.id, match_id=shared.id))
        session.add(Alert(account_id=people.university.id, saved_search_id=search.id, seed_id=theirs.id))
        _introduction(session, shared, people)
        _refusals(session, shared, people)
    session.commit()
    return Made(cluster, other)


def _people(session: Session, cluster: Cluster) -> People:
    company, university, coordinator = (
        a_caller(session, cluster, role) for role in (Role.COMPANY, Role.UNIVERSITY, Role.COORDINATOR)
    )
    account = session.get_one(Account, company.id)
    account.email = account.email_key = "ken@example.org"
    account.password_hash = "SECRET-HASH"
    account.oidc_issuer, account.oidc_subject = "https://sign-in.example.org", "subject-1"
    an_organisation(
        session, cluster, OrganisationKind.UNIVERSITY, name="Named", name_en="Named in English", region="架空県",
        size_band="101-300", ror="02e16g702", corporate_number="7000012050002",
    )  # fmt: skip
    return People(company, university, coordinator)


def _seeds(session: Session, cluster: Cluster, people: People) -> list[Seed]:
    maker = session.get_one(Organisation, people.university.organisation_id)
    seeds = [
        a_seed(
            session, cluster, maker, title=f"Seed {number}", sdgs=[9, 12], researchers=[{"name": "架空 太郎"}],
            unpublished="UNPUBLISHED" if number else None, external_id=f"S-{number}",
        )
        for number in range(2)
    ]  # fmt: skip
    _fill(
        seeds[0], source_digest=b"\x00\xff", reference="R-1", summary="概要", translation_title="T",
        translation_summary="U", applications="A", language="ja", published_on=DAY, expiry_noticed_on=DAY,
        description="D", advantages="V", open_challenges="O", expected_partner="P", trl=4, stage="applied",
        ipr_status="pending", licensable=True, transferable=False, submitted_by_id=people.university.id,
    )  # fmt: skip
    session.get_one(SeedDetail, seeds[1].id).filing_expected_on = DAY
    session.add(
        PublicationReview(
            seed_id=seeds[0].id, account_id=people.coordinator.id, verdict=PublicationVerdict.REJECT,
            reason="Too short", entry_version=1,
        )
    )  # fmt: skip
    return seeds


def _needs(session: Session, cluster: Cluster, people: People) -> list[Need]:
    owner = session.get_one(Organisation, people.company.organisation_id)
    needs = [
        a_need(
            session, cluster, owner, title=f"需要 {number}\n", description="CONFIDENTIAL", budget_yen=10**13,
            excluded_organisations=["Zeta", "Named", "Alpha"], anonymous=not number,
        )
        for number in range(2)
    ]  # fmt: skip
    _fill(
        needs[0], external_id="N-1", source_digest=b"\x01", reference="R-2", summary="概要", translation_title="T",
        translation_summary="U", applications="A", language="ja", published_on=DAY, expiry_noticed_on=DAY,
        expertise_sought="E", wanted_trl=5, deadline=DAY,
    )  # fmt: skip
    detail = session.get_one(NeedDetail, needs[0].id)
    _fill(detail, requirements="Q", constraints="C", submitted_by_id=people.company.id)
    session.add(
        PublicationReview(
            need_id=needs[0].id, account_id=people.coordinator.id, verdict=PublicationVerdict.APPROVE, entry_version=1
        )
    )
    return needs


def _match(session: Session, cluster: Cluster, need: Need, seed: Seed, people: People) -> Match:
    match = a_match(session, need, seed)
    _fill(
        match, score=0.1 + 0.2, probability=1 / 3, probability_low=0.1, probability_high=0.7, calibration="c-1",
        company_probability=0.3, company_probability_low=0.2, company_probability_high=0.4, snapshot="s-1",
        ranked_in=cluster.id, need_version=1, seed_version=2, fresh=True, coordinator_id=people.coordinator.id,
        by_hand=True, status="outcome", reopened=THEN, reopened_for="too_early",
        reopened_since={"refused_by": "seed", "changes": [str(seed.public_id)]},
    )  # fmt: skip
    session.add(Review(match_id=match.id, account_id=people.coordinator.id, verdict=Verdict.SHORTLIST, note="NOTE"))
    return match


def _introduction(session: Session, match: Match, people: People) -> Outcome:
    """Asked, agreed, disclosed, with what came of it."""
    path = (
        ("shortlist", "suggested", "shortlisted"),
        ("introduce", "shortlisted", "introduced"),
        ("accept", "introduced", "accepted"),
        ("disclose", "accepted", "disclosed"),
        ("report_outcome", "disclosed", "outcome"),
    )
    for number, (name, before, after) in enumerate(path):
        by = people.university if name == "accept" else people.coordinator
        step = MatchStep(
            match_id=match.id, cluster_id=match.cluster_id, step=name, before=before, after=after,
            side="seed" if name == "accept" else "cluster", message="Gladly" if number else None,
            facts={"awaited": "answer", "need": str(match.public_id)}, taken=THEN + datetime.timedelta(days=number),
        )  # fmt: skip
        session.add(step)
        session.flush()
        session.add(
            StepActor(
                step_id=step.id, cluster_id=match.cluster_id, account_id=by.id, organisation_id=by.organisation_id,
                veiled=name == "accept", note="ACTOR NOTE",
            )
        )  # fmt: skip
    session.add_all(
        [
            Interest(match_id=match.id, side="need", answer="yes", asked=THEN, answered=THEN, discloses=["budget_yen"]),
            Interest(match_id=match.id, side="seed", answer="no", asked=THEN, answered=THEN, reason="capacity"),
            Wait(
                match_id=match.id, cluster_id=match.cluster_id, awaited="answer", side="seed", acts="seed", since=THEN,
                due_on=DAY, next_on=DAY, warned=THEN, reminded=THEN, escalated=THEN, raised=THEN,
                ended=THEN + datetime.timedelta(days=3),
            ),
            Wait(
                match_id=match.id, cluster_id=match.cluster_id, awaited="outcome", side="cluster", acts="cluster",
                due_on=DAY,
            ),
            Disclosure(
                match_id=match.id, told="need", account_id=people.coordinator.id,
                content={"organisation": {"id": str(people.university.public_id), "name": "架空大学"}},
            ),
        ]
    )  # fmt: skip
    outcome = Outcome(
        match_id=match.id, kind="licence", amount_yen=10**12, agreed_on=DAY, starts_on=DAY,
        ends_on=DAY + datetime.timedelta(days=365), note="OUTCOME NOTE", account_id=people.company.id,
    )  # fmt: skip
    session.add(outcome)
    session.flush()
    return outcome


def _refusals(session: Session, match: Match, people: People) -> None:
    """Turned down by the seed's side, reopened, and turned down by the cluster: a trigger keeps both."""
    match.status = "dismissed"
    session.add(
        Review(
            match_id=match.id, account_id=people.coordinator.id, verdict=Verdict.DISMISS, reason="out_of_scope"
        )
    )  # fmt: skip
    for step, before, after, side, reason in (
        ("decline", "introduced", "declined", "seed", "too_early"),
        ("reopen", "declined", "suggested", "cluster", None),
        ("dismiss", "suggested", "dismissed", "cluster", "out_of_scope"),
    ):
        session.add(
            MatchStep(
                match_id=match.id, cluster_id=match.cluster_id, step=step, before=before, after=after, side=side,
                reason=reason, taken=THEN,
            )
        )  # fmt: skip
        session.flush()
    for decline in session.scalars(select(Decline).where(Decline.match_id == match.id, Decline.ended.is_not(None))):
        decline.noted, decline.ended, decline.digested = THEN, THEN, THEN


def _alerts(session: Session, match: Match, refused: Match, people: People) -> SavedSearch:
    search = SavedSearch(
        account_id=people.university.id, name="凍結対策", against="seeds", text="SEARCHED FOR", field="IPC:A23L",
        language="ja", region="架空県", trl_min=3, trl_max=8, floor=0.35, frequency="at_once", last_run=THEN,
    )  # fmt: skip
    session.add(search)
    session.add(AlertSettings(account_id=people.company.id, frequency="never", digested_on=DAY))
    session.flush()
    session.add_all(
        [
            Alert(account_id=people.coordinator.id, match_id=match.id, created=THEN, sent=THEN),
            Alert(account_id=people.company.id, match_id=refused.id, dropped=THEN),
            Alert(account_id=people.university.id, saved_search_id=search.id, seed_id=match.seed_id),
            Alert(account_id=people.university.id, saved_search_id=search.id, need_id=match.need_id),
        ]
    )
    return search


def _fill(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
