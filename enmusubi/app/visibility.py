"""Who may see which seeds, needs, organisations and matches: the start of every query over them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Select,
    Subquery,
    Uuid,
    and_,
    any_,
    column,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from enmusubi.app.caller import Caller
from enmusubi.app.models import (
    Match,
    MatchStep,
    Need,
    NeedDetail,
    NeedOpening,
    Organisation,
    Seed,
    SeedOpening,
    StepActor,
    Wait,
)
from enmusubi.app.vocabulary import Awaited, EntryStatus, MatchStatus, OrganisationKind, Role, Side

# A coordinator follows entries through their whole life; what an owner has not submitted yet stays the owner's.
_FOLLOWED = [str(status) for status in EntryStatus if status is not EntryStatus.DRAFT]
NOT_INTRODUCED = [str(status) for status in (MatchStatus.SUGGESTED, MatchStatus.SHORTLISTED, MatchStatus.DISMISSED)]
"""Statuses of a match whose two sides have not been brought together: they are not told these apart."""

# Aliased, so that a query that also reads these does not correlate with them; once, since that takes its time.
_OWN_DETAIL, _OWN_SEED = aliased(NeedDetail), aliased(Seed)


def published(kind: type[Seed] | type[Need]) -> ColumnElement[bool]:
    """Entries that are published and whose time has not run out."""
    return and_(kind.status == EntryStatus.PUBLISHED, kind.expires_on >= func.current_date())


def in_cluster(kind: type[Seed] | type[Need], cluster_id: int) -> ColumnElement[bool]:
    """Entries of a cluster, and those opened to it: what its index is made of, where they are published."""
    opened = (
        exists().where(SeedOpening.seed_id == Seed.id, SeedOpening.cluster_id == cluster_id).correlate(Seed)
        if kind is Seed
        else exists().where(NeedOpening.need_id == Need.id, NeedOpening.cluster_id == cluster_id).correlate(Need)
    )
    return or_(kind.cluster_id == cluster_id, opened)


def own(caller: Caller, kind: type[Seed] | type[Need]) -> ColumnElement[bool]:
    """Entries of the caller's own organisation."""
    if kind is Need:
        return _need_is_own(caller)
    return Seed.organisation_id.is_not_distinct_from(caller.organisation_id) & Seed.organisation_id.is_not(None)


def seeds_visible_to(caller: Caller) -> ColumnElement[bool]:
    """Published seeds of the cluster or opened to it, all of one's own, and for coordinators all but drafts.

    And those that were introduced to one, whatever became of them.
    """
    rules = [and_(published(Seed), in_cluster(Seed, caller.cluster_id))]
    if caller.organisation_id is not None:
        rules.append(Seed.organisation_id == caller.organisation_id)
    if caller.oversees:
        rules.append(and_(Seed.cluster_id == caller.cluster_id, Seed.submitted, Seed.status.in_(_FOLLOWED)))
    # Last: it is looked up, once, where nothing before says yes.
    rules.append(Seed.id.in_(select(func.introduced_seeds(type_=BigInteger))))
    return or_(*rules)


def _need_is_own(caller: Caller) -> ColumnElement[bool]:
    if caller.organisation_id is None:
        return false()
    own_detail = exists().where(_OWN_DETAIL.need_id == Need.id, _OWN_DETAIL.owner_id == caller.organisation_id)
    return own_detail.correlate(Need)


def needs_visible_to(caller: Caller) -> ColumnElement[bool]:
    """Published needs for universities and coordinators of the cluster; other companies see none but their own.

    And those that one was introduced to, whatever became of them.
    """
    rules: list[ColumnElement[bool]] = []
    if caller.role is not Role.COMPANY:
        # For an organisation that a need excludes it is not there: not to be proposed alone would tell of it.
        barred = () if caller.oversees else (Need.id.not_in(_excluding(caller.organisation_id)),)
        rules.append(and_(published(Need), in_cluster(Need, caller.cluster_id), *barred))
    # After what is said of the need itself: it is looked up need by need.
    rules.append(_need_is_own(caller))
    if caller.oversees:
        rules.append(and_(Need.cluster_id == caller.cluster_id, Need.submitted, Need.status.in_(_FOLLOWED)))
    rules.append(Need.id.in_(select(func.introduced_needs(type_=BigInteger))))
    return or_(*rules)


def need_details_visible_to(caller: Caller) -> ColumnElement[bool]:
    """Confidential texts: the need's own organisation and the coordinators of its cluster. Goes with NeedDetail."""
    rules: list[ColumnElement[bool]] = []
    if caller.organisation_id is not None:
        rules.append(NeedDetail.owner_id == caller.organisation_id)
    if caller.coordinates:
        handled = aliased(Need)
        rules.append(
            exists()
            .where(
                handled.id == NeedDetail.need_id,
                handled.cluster_id == caller.cluster_id,
                handled.submitted,
                handled.status.in_(_FOLLOWED),
            )
            .correlate(NeedDetail)
        )
    return or_(false(), *rules)


def seed_details_visible_to(caller: Caller) -> ColumnElement[bool]:
    """Unpublished parts: the seed's own organisation and the coordinators of its cluster. Goes with Seed."""
    rules: list[ColumnElement[bool]] = [own(caller, Seed)]
    if caller.coordinates:
        rules.append(and_(Seed.cluster_id == caller.cluster_id, Seed.submitted, Seed.status.in_(_FOLLOWED)))
    return or_(*rules)


def pairs_visible_to(caller: Caller, excluded: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """Pairs of a visible need and a visible seed that this account may see as a match.

    A match is seen by its two sides, and by the coordinators and administrators of the need's cluster. Goes with
    Need and Seed in one query, joined or not with Match. `excluded` says which pairs are, where one side is known.
    """
    sides = [_need_is_own(caller)]
    if caller.organisation_id is not None:
        # A match proposed before the exclusion would tell the excluded side of it.
        barred = excluded_pair() if excluded is None else excluded
        # Who was introduced has been told already.
        sides.append(and_(Seed.organisation_id == caller.organisation_id, or_(~barred, _introduced_pair())))
    if caller.oversees:
        sides.append(Need.cluster_id == caller.cluster_id)
    return and_(needs_visible_to(caller), seeds_visible_to(caller), or_(*sides))


def matches_visible_to(caller: Caller) -> ColumnElement[bool]:
    """The same of stored matches: where they are listed, in their own order, without a join. Goes with Match."""
    # Who was introduced has been told already: neither the entries nor exclusions are asked about.
    told = Match.status.not_in(NOT_INTRODUCED)
    need_is_seen, seed_is_seen = _need_is_seen(caller), _seed_is_seen(caller)
    rules: list[ColumnElement[bool]] = []
    if caller.oversees:
        rules.append(and_(Match.cluster_id == caller.cluster_id, or_(told, and_(need_is_seen, seed_is_seen))))
    if caller.organisation_id is not None:
        # One's own entry is seen whatever its status: of one's own matches only the other one is looked up.
        rules.append(and_(Match.need_id.in_(_own_needs(caller)), or_(told, seed_is_seen)))
        barred = Match.need_id.in_(_excluding(caller.organisation_id))
        rules.append(and_(Match.seed_id.in_(_own_seeds(caller)), or_(told, and_(~barred, need_is_seen))))
    return or_(false(), *rules)


def own_matches() -> Subquery:
    """Key, time and public id of the matches of the caller's organisation's entries, seen or not, newest first.

    What a list of them begins with: whether a match is seen is then asked of few more than a page holds.
    """
    columns = (column("id", BigInteger), column("created", DateTime(timezone=True)), column("public_id", Uuid))
    own = func.own_matches().table_valued(*columns, name="own")
    # In its order already, so that what is asked of each is asked in that order, until there are enough.
    return select(own).order_by(own.c.created.desc(), own.c.public_id.desc()).subquery()


def own_sides(caller: Caller) -> list[tuple[Side, ColumnElement[bool]]]:
    """Of each side, the matches of which it is the caller's organisation's, found by an index. Goes with Match."""
    return [
        (Side.NEED, Match.need_id == any_of(_own_needs(caller))),
        (Side.SEED, Match.seed_id == any_of(_own_seeds(caller))),
    ]


def _own_needs(caller: Caller) -> Select[int]:
    return select(_OWN_DETAIL.need_id).where(_OWN_DETAIL.owner_id == caller.organisation_id)


def _own_seeds(caller: Caller) -> Select[int]:
    return select(_OWN_SEED.id).where(_OWN_SEED.organisation_id == caller.organisation_id)


def any_of(keys: Select[int]) -> ColumnElement[bool]:
    """Any of these keys, as an array that is read first: with either of two such, both indexes can be used."""
    return any_(func.array(keys.scalar_subquery(), type_=ARRAY(BigInteger)))


# Looked up pair by pair: `exists` would have the planner read all entries first, for a page of fifty too.
def _need_is_seen(caller: Caller) -> ColumnElement[bool]:
    seen = select(true()).where(Need.id == Match.need_id, needs_visible_to(caller)).correlate(Match)
    return seen.scalar_subquery()


def _seed_is_seen(caller: Caller) -> ColumnElement[bool]:
    seen = select(true()).where(Seed.id == Match.seed_id, seeds_visible_to(caller)).correlate(Match)
    return seen.scalar_subquery()


def _introduced_pair() -> ColumnElement[bool]:
    match = aliased(Match)
    return (
        exists()
        .where(match.need_id == Need.id, match.seed_id == Seed.id, match.status.not_in(NOT_INTRODUCED))
        .correlate(Need, Seed)
    )


def excluded_pair() -> ColumnElement[bool]:
    """Pairs whose need excludes the seed's organisation, by key or by name, or is its own. Goes with Need and Seed.

    Asked of the database by a function: whom a need excludes is confidential, and so is whose it is.
    """
    return func.coalesce(func.excludes(Need.id, Seed.organisation_id, type_=Boolean), false())


def excluded_from(need: Need) -> ColumnElement[bool]:
    """The same for the pairs of one need, looked up once."""
    barred = select(func.excluded_organisations(need.id, type_=BigInteger))
    return func.coalesce(Seed.organisation_id.in_(barred), false())


def excluding(seed: Seed) -> ColumnElement[bool]:
    """The same for the pairs of one seed, looked up once."""
    return Need.id.in_(_excluding(seed.organisation_id))


def _excluding(organisation_id: int | None) -> Select[int]:
    return select(func.needs_excluding(organisation_id, type_=BigInteger))


def organisations_visible_to(caller: Caller) -> ColumnElement[bool]:
    """Organisations of the cluster and those that a visible entry names; of the companies, others see only these."""
    if caller.oversees:
        return or_(Organisation.cluster_id == caller.cluster_id, *_named(caller))
    own = Organisation.id == caller.organisation_id if caller.organisation_id is not None else false()
    not_company = Organisation.kind != OrganisationKind.COMPANY
    here = and_(Organisation.cluster_id == caller.cluster_id, not_company)
    return or_(own, here, *_named(caller))


def _named(caller: Caller) -> list[ColumnElement[bool]]:
    """Organisations that a published entry which the caller may see names as its owner."""
    seeds = and_(Seed.organisation_id == Organisation.id, published(Seed), seeds_visible_to(caller))
    rules: list[ColumnElement[bool]] = [exists(select(Seed.id).where(seeds).correlate(Organisation))]
    if caller.role is not Role.COMPANY:
        needs = and_(Need.organisation_id == Organisation.id, published(Need), needs_visible_to(caller))
        rules.append(exists(select(Need.id).where(needs).correlate(Organisation)))
    return rules


def open_for_matching(kind: type[Seed] | type[Need]) -> ColumnElement[bool]:
    """Entries that may be proposed now: published, not expired, open for interest, deadline not passed."""
    deadline: ColumnElement[bool] = true()
    if kind is Need:
        deadline = or_(Need.deadline.is_(None), Need.deadline >= func.current_date())
    return and_(published(kind), kind.open_for_interest, deadline)


def step_actors_visible_to(caller: Caller) -> ColumnElement[bool]:
    """Who took a step, and what they noted: one's own people's, and for who oversees the match.

    A company that stays anonymous is named to coordinators alone. Goes with StepActor.
    """
    rules: list[ColumnElement[bool]] = [StepActor.account_id == caller.id]
    if caller.organisation_id is not None:
        rules.append(StepActor.organisation_id == caller.organisation_id)
    if caller.coordinates:
        rules.append(StepActor.cluster_id == caller.cluster_id)
    elif caller.oversees:
        rules.append(and_(StepActor.cluster_id == caller.cluster_id, ~StepActor.veiled))
    return or_(*rules)


def steps_visible_to(caller: Caller) -> ColumnElement[bool]:
    """Steps of a match that the caller sees: to its sides those that lead to an introduction or on from there."""
    told = MatchStep.after.not_in(NOT_INTRODUCED)
    return or_(told, MatchStep.cluster_id == caller.cluster_id) if caller.oversees else told


def waits_visible_to(caller: Caller) -> ColumnElement[bool]:
    """What is waited for in a match that the caller sees: to its sides not that somebody is to introduce them."""
    told = Wait.awaited != Awaited.INTRODUCTION
    return or_(told, Wait.cluster_id == caller.cluster_id) if caller.oversees else told
