"""Would this identify you? An anonymous need's public text, checked with what its owner and the catalogue say."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ARRAY, ColumnElement, Text, cast, exists, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.organisations import owner_of
from enmusubi.app.models import Need, NeedDetail, Organisation, Seed
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.schemas import NeedDraft
from enmusubi.matching.identifying import Finding, Owner, Statistics, Uses, check

_TEXTS = ("title", "summary", "translation_title", "translation_summary", "expertise_sought", "applications")
_LISTS = ("technology_keywords", "market_keywords", "regions")
CHECKED = (*_TEXTS, *_LISTS)
"""The fields of a need in which its owner may be recognised."""


def public_texts(need: NeedDraft | Need) -> dict[str, str]:
    """What anybody who sees the need reads, by field; of a list, each item as `technology_keywords/0`."""
    texts = {name: text for name in _TEXTS if (text := getattr(need, name))}
    for name in _LISTS:
        texts |= {f"{name}/{place}": item for place, item in enumerate(getattr(need, name))}
    return texts


def check_draft(session: Session, caller: Caller, draft: NeedDraft) -> list[Finding]:
    """What would identify the owner of a draft, which is not stored; for those who may post it."""
    require(caller, Right.CHECK_NEED, Relation.OWN)
    return _check(session, caller, draft, owner_of(session, caller, draft.organisation))


def check_need(session: Session, caller: Caller, need: Need, detail: NeedDetail | None) -> list[Finding] | None:
    """What identifies the owner of a stored need, for one who may read its detail; None where it is not anonymous."""
    if detail is None or not need.anonymous:
        return None
    return _check(session, caller, need, detail.owner_id)


def _check(session: Session, caller: Caller, need: NeedDraft | Need, owner_id: int | None) -> list[Finding]:
    with session.no_autoflush:
        owner = _owner(session, caller, owner_id)
        return check(public_texts(need), owner, catalogue_statistics(session, caller, owner_id))


def _owner(session: Session, caller: Caller, owner_id: int | None) -> Owner | None:
    if owner_id is None:
        return None
    query = select(Organisation).where(Organisation.id == owner_id, visibility.organisations_visible_to(caller))
    found = session.scalar(query)
    if found is None:
        return None
    return Owner(
        found.name,
        found.name_en,
        region=found.region,
        size_band=found.size_band,
        corporate_number=found.corporate_number,
    )


def catalogue_statistics(session: Session, caller: Caller, owner_id: int | None) -> Statistics:
    """The uses of terms, counted in nothing but what the caller may read anyway.

    Others count by published seeds that the caller sees; the owner's own by its needs, as far as the caller may know
    that they are its. Needs of other companies are never looked at: a count would tell that one of them exists.
    """

    def uses(terms: Sequence[str]) -> Mapping[str, Uses]:
        others = _counts(
            session,
            terms,
            Seed.search_text,
            func.count(func.coalesce(Seed.organisation_id, 0).distinct()),
            visibility.published(Seed),
            visibility.seeds_visible_to(caller),
            or_(Seed.organisation_id.is_(None), Seed.organisation_id.is_distinct_from(owner_id)),
        )
        known = (
            exists()
            .where(
                NeedDetail.need_id == Need.id,
                NeedDetail.owner_id == owner_id,
                visibility.need_details_visible_to(caller),
            )
            .correlate(Need)
        )
        own = (
            _counts(session, terms, Need.search_text, func.count(), visibility.needs_visible_to(caller), known)
            if owner_id is not None
            else {}
        )
        return {term: Uses(own.get(term, 0), others.get(term, 0)) for term in {*own, *others}}

    return uses


def _counts(
    session: Session,
    terms: Sequence[str],
    searched: InstrumentedAttribute[str],
    count: ColumnElement[int],
    *rules: ColumnElement[bool],
) -> dict[str, int]:
    asked = func.unnest(cast(literal(list(terms), ARRAY(Text)), ARRAY(Text))).table_valued("term").render_derived()
    holds = func.strpos(searched, asked.c.term) > 0
    query = select(asked.c.term, count).select_from(asked).join(searched.class_, holds).where(*rules)
    query = query.group_by(asked.c.term)
    return {row[0]: row[1] for row in session.execute(query)}
