"""Disclosure: who the two sides are, shown to the coordinator before, told as shown, and kept word for word."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Text, column, func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.needs import view_details
from enmusubi.app.errors import PreconditionFailedError
from enmusubi.app.introducing.drafts import StepDraft
from enmusubi.app.introducing.hindrances import refuse_undisclosable
from enmusubi.app.introducing.steps import At, refuse_others, to_step
from enmusubi.app.models import Account, Disclosure, Match, MatchStep
from enmusubi.app.permissions import Right, relation_to, require
from enmusubi.app.recording import record
from enmusubi.app.reviewing import read_match
from enmusubi.app.stepping.machine import RULES
from enmusubi.app.stepping.parties import actors_of, sides_of
from enmusubi.app.stepping.taking import Held, Saying, hold, illegal, take
from enmusubi.app.vocabulary import Action, RecordedKind, Side, Step

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Preview:
    """What each side would be told now, and the tag of exactly this."""

    told: Mapping[Side, Content]
    tag: str


def preview(session: Session, caller: Caller, public_id: uuid.UUID) -> Preview:
    """What a disclosure would tell each side; recorded as a look at the need's confidential part."""
    match = read_match(session, caller, public_id)
    actors = actors_of(session, caller, match)
    refuse_others(caller, match, Step.DISCLOSE, actors)
    held = hold(session, match)
    if held.status not in RULES[Step.DISCLOSE].before:
        raise illegal(caller, held, Step.DISCLOSE, actors)
    refuse_undisclosable(session, caller, match)
    return _preview(session, caller, held)


def disclose(session: Session, caller: Caller, at: At, tag: str, draft: StepDraft) -> MatchStep:
    """Tell each side what the coordinator was shown; PreconditionFailedError where that is no more what it would be."""
    held = to_step(session, caller, at, Step.DISCLOSE)
    if held.status not in RULES[Step.DISCLOSE].before:
        raise illegal(caller, held, Step.DISCLOSE, actors_of(session, caller, held.match))
    refuse_undisclosable(session, caller, held.match)
    shown = _preview(session, caller, held)
    if shown.tag != tag:
        raise PreconditionFailedError("what would be disclosed has changed since it was shown; look at it again")
    fields = sorted(shown.told[Side.SEED]["confidential"])
    saying = Saying(note=draft.note, facts={"fields": fields}, discloses=fields)
    taken = take(session, caller, held, Step.DISCLOSE, at.now, saying)
    session.add_all(
        Disclosure(match_id=held.match.id, told=side, content=content, account_id=caller.id, disclosed=at.now)
        for side, content in shown.told.items()
    )
    session.flush()
    return taken


def read_disclosed(session: Session, caller: Caller, public_id: uuid.UUID) -> Sequence[Disclosure]:
    """What the caller's side was told; coordinators read both."""
    match = read_match(session, caller, public_id)
    sides = sides_of(session, match)
    if not sides:
        require(caller, Right.READ_DISCLOSED, relation_to(caller, match.cluster_id, None))
    query = select(Disclosure).where(Disclosure.match_id == match.id).order_by(Disclosure.id)
    if Side.CLUSTER not in sides:
        query = query.where(Disclosure.told.in_(sides))
    found = session.scalars(query).all()
    if any(each.content.get("confidential") for each in found) and Side.NEED not in sides:
        seen = {"version": match.need.version, "through": "disclosed"}
        record(session, caller, Action.VIEWED, RecordedKind.NEED, match.need.public_id, **seen)
    return found


def organisations_disclosed(session: Session, caller: Caller, match: Match) -> dict[Side, tuple[str, str | None]]:
    """The organisations whose names the caller's side was told, with their English names, by their side in the match.

    For coordinators both, once they were told. Nothing else of what was disclosed is read, so it is no view of it.
    """
    sides = sides_of(session, match)
    query = select(Disclosure.told, Disclosure.content["organisation"]).where(Disclosure.match_id == match.id)
    if Side.CLUSTER not in sides:
        query = query.where(Disclosure.told.in_(sides))
    other = {Side.NEED: Side.SEED, Side.SEED: Side.NEED}
    found = session.execute(query.order_by(Disclosure.id)).all()
    return {other[Side(told)]: (named["name"], named["name_en"]) for told, named in found if named}


def _preview(session: Session, caller: Caller, held: Held) -> Preview:
    match = held.match
    parties = list(session.execute(_of(match)))
    detail = view_details(session, caller, [match.need], through="disclosure")[match.need_id]
    confidential = {name: getattr(detail, name) for name in held.interests[Side.NEED].discloses}
    own = session.get_one(Account, caller.id)
    told = {
        Side.NEED: _about(parties, Side.SEED, own) | {"researchers": _researchers(match.seed.researchers)},
        Side.SEED: _about(parties, Side.NEED, own) | {"confidential": confidential},
    }
    whole = json.dumps({"match": str(match.public_id), "told": told}, ensure_ascii=False, sort_keys=True)
    return Preview(told, hashlib.sha256(whole.encode()).hexdigest())


def _of(match: Match) -> Any:
    names = ("side", "organisation", "organisation_en", "person", "email")
    return select(func.introduction_parties(match.id).table_valued(*(column(name, Text) for name in names)))


def _about(parties: Iterable[Row[Any]], side: Side, coordinator: Account) -> Content:
    """Who stands on a side: of an entry without an organisation, the coordinator who answers for it."""
    of_side = [row for row in parties if row.side == side]
    named = of_side[0] if of_side and of_side[0].organisation else None
    contacts = [{"name": row.person, "email": row.email} for row in of_side if row.person]
    return {
        "organisation": {"name": named.organisation, "name_en": named.organisation_en} if named else None,
        "contacts": contacts if named else [{"name": coordinator.name, "email": coordinator.email}],
    }


def _researchers(stored: Iterable[Mapping[str, Any]]) -> list[Content]:
    return [{"name": each.get("name"), "orcid": each.get("orcid")} for each in stored]
