"""Proposed pairs as stored matches: new ones added, scores that have changed renewed, and nothing else written."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import astuple
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, ColumnElement, and_, case, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller, acting_as_service
from enmusubi.app.models import Match, Need, Seed
from enmusubi.app.proposals import Proposal, Proposals
from enmusubi.app.recording import Service, record
from enmusubi.app.vocabulary import Action, MatchStatus, RecordedKind
from enmusubi.matching.encoder import Role

_VERSIONS: Final = ("need_version", "seed_version")

Values = dict[str, Any]

_FOR_GOOD: Final = frozenset({"need_id", "seed_id", "cluster_id", "public_id", "status", "version"})
"""What no later ranking changes."""
_COMPANYS: Final = ("company_probability", "company_probability_low", "company_probability_high")
"""What the need's company is told, by rankings of its own alone."""


def keep(
    session: Session, caller: Caller, entry: Seed | Need, proposals: Proposals, other: Role, by: Service | None = None
) -> dict[int, Match]:
    """Store the proposed pairs of an entry, unless the caller changes nothing; the matches by the other side's key.

    `by` is who has them proposed where that is not the caller.
    Most looks find what was found before. What is stored is read first, and written is only what differs: each row
    that is written, or locked for it, passes policies several times.
    """
    if not proposals.found or proposals.misses:
        return {}
    stored = _stored(session, entry, proposals, other)
    if caller.changes_nothing:
        return stored
    # In one order everywhere, so that two requests that store the same pairs do not deadlock.
    ranked = sorted(proposals.found, key=lambda each: each.ranked.key)
    values = [_values(caller, entry, proposals, other, each) for each in ranked]
    written = [row for row in values if _differs(stored.get(row[f"{other}_id"]), row, other)]
    if not written:
        return stored
    _write(session, written, other)
    found = _stored(session, entry, proposals, other)
    new = {row["public_id"] for row in written} & {match.public_id for match in found.values()}
    if new:
        # Rankings of what was proposed before change scores, and decide nothing.
        proposed = {"version": entry.version, "matches": len(new), "policy": proposals.provenance.policy}
        with nullcontext() if by is None else acting_as_service(session):
            record(session, by or caller, Action.PROPOSED, RecordedKind(_own(other)), entry.public_id, **proposed)
    return found


def _values(caller: Caller, entry: Seed | Need, proposals: Proposals, other: Role, each: Proposal) -> Values:
    """A match as this ranking would store it."""
    own, source, here = _own(other), proposals.provenance, caller.cluster_id
    cluster_id = entry.cluster_id if isinstance(entry, Need) else each.row.cluster_id
    return {
        f"{own}_id": entry.id,
        f"{own}_version": entry.version,
        "cluster_id": cluster_id,
        "asking": own,
        f"{other}_id": each.ranked.key,
        f"{other}_version": each.row.version,
        "fresh": each.fresh,
        "public_id": uuid.uuid4(),
        "status": MatchStatus.SUGGESTED,
        "score": each.ranked.score,
        "parts": {
            part.name: {"value": part.value, "weight": part.weight, "estimated": part.estimated}
            for part in each.ranked.parts
        },
        "snapshot": source.snapshot,
        "ranked_in": None if cluster_id == here else here,
        "model": source.model,
        "revision": source.revision,
        "precision": source.precision,
        "policy": source.policy,
        "probability": each.probability.value,
        "probability_low": each.probability.low,
        "probability_high": each.probability.high,
        "calibration": source.calibration,
        "needs_unknown": source.needs_unknown,
        "version": 1,
        **(
            dict(zip(_COMPANYS, astuple(each.probability), strict=True))
            if source.needs_unknown and own == "need"
            else {}
        ),
    }


def _differs(stored: Match | None, row: Values, other: Role) -> bool:
    """Whether there is something to write: the rules of `_write` for a row that was read, and may be newer now.

    A row that has changed since is judged again by the statement that writes; one that has not is left in peace.
    """
    if stored is None:
        return True
    if stored.status != MatchStatus.SUGGESTED:
        return False
    if any(getattr(stored, name) != row[name] for name in _COMPANYS if name in row):
        return True
    if stored.ranked_in is None and row["ranked_in"] is not None:
        return False
    if other == "need" and stored.asking != "seed":
        return False
    of_these_versions = all(getattr(stored, name) == row[name] for name in _VERSIONS)
    if row["needs_unknown"] and not stored.needs_unknown and of_these_versions:
        return False
    return any(getattr(stored, name) != value for name, value in row.items() if name in _rescored(row))


def _rescored(row: Values) -> list[str]:
    """The columns that one ranking sets together."""
    return [name for name in row if name not in _FOR_GOOD and name not in _COMPANYS]


def _write(session: Session, rows: Sequence[Values], other: Role) -> None:
    """Add the rows that are missing and renew the others as they are by now: a verdict may have come meanwhile.

    What a coordinator has decided on keeps the score that was decided on. What the need's company is told is renewed by
    itself; all else together, where the new ranking says more than the stored one.
    """
    statement = insert(Match)
    new = {name: statement.excluded[name] for name in _rescored(rows[0])}
    better = _is_better(new, other)
    rescored = and_(better, or_(*(getattr(Match, name).is_distinct_from(value) for name, value in new.items())))
    told = {name: statement.excluded[name] for name in _COMPANYS if name in rows[0]}
    retold = or_(false(), *(getattr(Match, name).is_distinct_from(value) for name, value in told.items()))
    renewed = {**new, "scored": func.now()}
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Match.need_id, Match.seed_id],
            set_={
                **{name: case((rescored, value), else_=getattr(Match, name)) for name, value in renewed.items()},
                **told,
            },
            where=and_(Match.status == MatchStatus.SUGGESTED, or_(rescored, retold)),
        ).values(rows)
    )


def _is_better(new: Mapping[str, ColumnElement[Any]], other: Role) -> ColumnElement[bool]:
    """Whether a ranking says more of a pair than the one that is stored."""
    # A ranking by the index of the need's own cluster is not replaced by one of another's.
    rules = [or_(Match.ranked_in.is_not(None), new["ranked_in"].is_(None))]
    if other == "need":
        # A need's own ranking says more of the need than that of a seed, whoever looks at the seed.
        rules.append(Match.asking == "seed")
    # Nor one that knew the cluster's needs by one that did not, of the same texts.
    of_other_versions = or_(*(getattr(Match, name).is_distinct_from(new[name]) for name in _VERSIONS))
    rules.append(or_(Match.needs_unknown, ~new["needs_unknown"], of_other_versions))
    return and_(*rules)


def _stored(session: Session, entry: Seed | Need, proposals: Proposals, other: Role) -> dict[int, Match]:
    column, own_column = Match.seed_id, Match.need_id
    if other == "need":
        column, own_column = own_column, column
    keys = [each.ranked.key for each in proposals.found]
    # One array, not a list of parameters: the statement stays the same however many keys there are.
    query = select(Match).where(own_column == entry.id, column == func.any(literal(keys, ARRAY(BigInteger))))
    found = session.scalars(query.execution_options(populate_existing=True))
    return {getattr(match, f"{other}_id"): match for match in found}


def _own(other: Role) -> Role:
    return "need" if other == "seed" else "seed"
