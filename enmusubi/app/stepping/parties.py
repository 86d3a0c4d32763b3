"""In which capacities an account may act on a match."""

from typing import Final

from sqlalchemy import Text, func, select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.models import Match
from enmusubi.app.stepping.machine import Actor
from enmusubi.app.vocabulary import Role, Side

_ACTORS: Final = {Side.NEED: Actor.NEED, Side.SEED: Actor.SEED, Side.CLUSTER: Actor.COORDINATOR}


def sides_of(session: Session, match: Match) -> list[Side]:
    """The sides whose steps the account that asks may take.

    Asked of the database by a function: whose an anonymous need is, is confidential. An entry of no organisation is
    answered for by the coordinators who handle the match.
    """
    return [Side(side) for side in session.scalars(select(func.match_sides(match.id, type_=Text)))]


def actors_of(session: Session, caller: Caller, match: Match) -> list[Actor]:
    """What the caller is to a match that he sees; nothing for who only reads."""
    actors = [_ACTORS[side] for side in sides_of(session, match)]
    if caller.role is Role.CLUSTER_ADMINISTRATOR and match.cluster_id == caller.cluster_id:
        actors.append(Actor.ADMINISTRATOR)
    return actors
