"""What a seed or a need grew from: matches, outcomes, other seeds and needs, as far as its reader may know of it."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Uuid,
    cast,
    column,
    delete,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.errors import InvalidInputError, Sentence
from enmusubi.app.models import Match, Need, NeedDetail, Origin, Outcome, Seed
from enmusubi.app.schemas import OriginDraft
from enmusubi.app.vocabulary import OrganisationKind, OriginKind

Named = tuple[OriginKind, uuid.UUID]

_LOCK: Final = select(func.pg_advisory_xact_lock(func.hashtext("enmusubi origins"), 0))
_COLUMN: Final = {
    OriginKind.SEED: Origin.from_seed_id,
    OriginKind.NEED: Origin.from_need_id,
    OriginKind.MATCH: Origin.from_match_id,
    OriginKind.OUTCOME: Origin.from_outcome_id,
}


def lock(session: Session) -> None:
    """Before an entry is locked whose origins are to change: two that lock each other's would wait for each other."""
    session.execute(_LOCK)


def of_entry(session: Session, caller: Caller, entry: Seed | Need) -> list[OriginDraft]:
    """What the entry grew from, as far as the caller may know of it, in the order in which it was named."""
    # Most entries name none. The database shows only those of which the caller may see both ends.
    named = session.execute(select(*(column.is_not(None) for column in _COLUMN.values())).where(_of(entry))).all()
    kinds = [kind for kind, of_kind in zip(_COLUMN, zip(*named, strict=True), strict=False) if any(of_kind)]
    found: list[tuple[int, OriginDraft]] = []
    if kinds and _entry_tells(session, caller, entry):
        for kind in kinds:
            query = _seen(caller, kind, entry).add_columns(Origin.id).join(Origin, _COLUMN[kind] == _KEY[kind])
            query = query.where(_of(entry))
            found += [(row.id, OriginDraft(kind=kind, id=row.public_id)) for row in session.execute(query)]
    return [origin for _, origin in sorted(found, key=lambda each: each[0])]


def put(session: Session, caller: Caller, entry: Seed | Need, named: Sequence[OriginDraft]) -> None:
    """Have the entry, which is written already, grow from these; what the caller may not know of stays as it is.

    Raises InvalidInputError where one does not exist or is not open to the caller, or where the entry would grow from
    itself.
    """
    known = {(origin.kind, origin.id) for origin in of_entry(session, caller, entry)}
    wanted = dict.fromkeys((origin.kind, origin.id) for origin in named)
    keys = {each: _key_of(session, caller, entry, each, place) for place, each in enumerate(wanted)}
    for kind, public_id in known - set(wanted):
        key = session.scalar(_seen(caller, kind, entry).with_only_columns(_KEY[kind]).where(_PUBLIC[kind] == public_id))
        session.execute(delete(Origin).where(_of(entry), _COLUMN[kind] == key))
    added = [each for each in wanted if each not in known]
    if not added:
        return
    lock(session)
    for each in added:
        _refuse_loop(session, caller, entry, each, keys[each])
        session.add(_origin(entry, each[0], keys[each]))
        session.flush()


def _origin(entry: Seed | Need, kind: OriginKind, key: int) -> Origin:
    of = {"seed_id": entry.id} if isinstance(entry, Seed) else {"need_id": entry.id}
    return Origin(**of, **{_COLUMN[kind].key: key})


def _of(entry: Seed | Need) -> ColumnElement[bool]:
    return Origin.seed_id == entry.id if isinstance(entry, Seed) else Origin.need_id == entry.id


def _key_of(session: Session, caller: Caller, entry: Seed | Need, named: Named, place: int) -> int:
    kind, public_id = named
    key: int | None = session.scalar(
        _seen(caller, kind, entry).with_only_columns(_KEY[kind]).where(_PUBLIC[kind] == public_id)
    )
    if key is None:
        reason = Sentence("no such %(kind)s, or it is not open to you", kind=Sentence(str(kind)))
        at = {"at": f"/body/grown_from/{place}", "reason": reason, "kind": "unknown"}
        raise InvalidInputError(Sentence("grown_from/%(place)s: %(reason)s", place=place, reason=reason), errors=[at])
    return key


_KEY: Final[dict[OriginKind, Any]] = {
    OriginKind.SEED: Seed.id,
    OriginKind.NEED: Need.id,
    OriginKind.MATCH: Match.id,
    OriginKind.OUTCOME: Outcome.id,
}
_PUBLIC: Final[dict[OriginKind, Any]] = {
    OriginKind.SEED: Seed.public_id,
    OriginKind.NEED: Need.public_id,
    OriginKind.MATCH: Match.public_id,
    OriginKind.OUTCOME: Outcome.public_id,
}


def _seen(caller: Caller, kind: OriginKind, entry: Seed | Need) -> Select[Any]:
    """Things of a kind that the entry may name as its origin, or is shown with."""
    if kind is OriginKind.SEED:
        return select(Seed.public_id).where(visibility.seeds_visible_to(caller))
    told = _told(caller, entry)
    if kind is OriginKind.NEED:
        return select(Need.public_id).where(visibility.needs_visible_to(caller), told)
    pairs = visibility.pairs_visible_to(caller)
    if kind is OriginKind.MATCH:
        matches = select(Match.public_id).join(Need, Match.need_id == Need.id).join(Seed, Match.seed_id == Seed.id)
        return matches.where(pairs, told)
    outcomes = select(Outcome.public_id).join(Match, Outcome.match_id == Match.id).join(Need, Match.need_id == Need.id)
    return outcomes.join(Seed, Match.seed_id == Seed.id).where(pairs, told)


def _told(caller: Caller, entry: Seed | Need) -> ColumnElement[bool]:
    """Needs that may be told as an origin: what a company made of an anonymous one may say whose it is."""
    return true() if is_of_research(entry) else or_(~Need.anonymous, owner_known_to(caller, Need))


def is_of_research(entry: Seed | Need) -> bool:
    """Whether the entry is a seed that is not a company's: what it grew from says nothing of whose a need is."""
    return isinstance(entry, Seed) and (
        entry.organisation is None or entry.organisation.kind != OrganisationKind.COMPANY
    )


def owner_known_to(caller: Caller, need: Any) -> ColumnElement[bool]:
    """Needs whose confidential part the caller reads, their owner in it."""
    readable = select(NeedDetail.need_id).where(visibility.need_details_visible_to(caller))
    condition: ColumnElement[bool] = need.id.in_(readable)
    return condition


def _entry_tells(session: Session, caller: Caller, entry: Seed | Need) -> bool:
    """What an anonymous need grew from may say whose it is: for those who read its confidential part."""
    if isinstance(entry, Seed) or not entry.anonymous:
        return True
    return bool(session.scalar(select(exists().where(Need.id == entry.id, owner_known_to(caller, Need)))))


def _refuse_loop(session: Session, caller: Caller, entry: Seed | Need, named: Named, key: int) -> None:
    """Raise InvalidInputError where the entry is among what the named thing grew from, with the way between them."""
    kind, public_id = named
    seeds = [key] if kind is OriginKind.SEED else []
    needs = [key] if kind is OriginKind.NEED else []
    if kind in (OriginKind.MATCH, OriginKind.OUTCOME):
        paired = select(Match.seed_id, Match.need_id)
        if kind is OriginKind.OUTCOME:
            paired = paired.join(Outcome, Outcome.match_id == Match.id)
        seed, need = session.execute(paired.where(_KEY[kind] == key)).one()
        seeds, needs = [seed], [need]
    of = (entry.id, None) if isinstance(entry, Seed) else (None, entry.id)
    loop = func.origins_loop(
        *(cast(each, BigInteger) for each in of), *(cast(each, ARRAY(BigInteger)) for each in (seeds, needs))
    )
    ends = (column("kind", Text), column("id", Uuid), column("from_kind", Text), column("from_id", Uuid))
    edges = loop.table_valued(*ends)
    found = session.execute(select(edges)).all()
    if found:
        way = _way(session, caller, entry, [tuple(edge) for edge in found])
        reason = Sentence(
            "the entry would grow from itself: %(way)s", way=f"{entry.public_id} ← {kind} {public_id}{way}"
        )
        at = {"at": "/body/grown_from", "reason": reason, "kind": "loop"}
        raise InvalidInputError(Sentence("grown_from: %(reason)s", reason=reason), errors=[at])


def _way(session: Session, caller: Caller, entry: Seed | Need, edges: list[tuple[Any, ...]]) -> str:
    """From what was named back to the entry; what the caller does not see on the way is not named."""
    children: dict[uuid.UUID | None, list[tuple[str, uuid.UUID]]] = {}
    for _, child, kind, parent in edges:
        children.setdefault(child, []).append((kind, parent))
    before: dict[uuid.UUID, tuple[str, uuid.UUID] | None] = {}
    waiting: list[tuple[str, uuid.UUID]] = []
    for each in children.get(None, []):
        before[each[1]] = None
        waiting.append(each)
    for each in waiting:  # grows meanwhile: breadth first, so that the shortest way is told
        for following in children.get(each[1], []):
            if following[1] not in before:
                before[following[1]] = each
                waiting.append(following)
    own = "seed" if isinstance(entry, Seed) else "need"
    steps: list[tuple[str, uuid.UUID]] = [(own, entry.public_id)]
    while (earlier := before[steps[-1][1]]) is not None:
        steps.append(earlier)
    steps.reverse()
    seen = _visible(session, caller, steps)
    return "".join(f" ← {kind} {one}" if one in seen else " ← …" for kind, one in steps)


def _visible(session: Session, caller: Caller, steps: list[tuple[str, uuid.UUID]]) -> set[uuid.UUID]:
    seeds = [one for kind, one in steps if kind == "seed"]
    needs = [one for kind, one in steps if kind == "need"]
    told = or_(~Need.anonymous, owner_known_to(caller, Need))
    return {
        *session.scalars(select(Seed.public_id).where(Seed.public_id.in_(seeds), visibility.seeds_visible_to(caller))),
        *session.scalars(
            select(Need.public_id).where(Need.public_id.in_(needs), visibility.needs_visible_to(caller), told)
        ),
    }
