"""Matches of a cluster as its queue shows them, and what a page says of itself."""

import html
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from enmusubi.app.models import Match, Need, Seed
from tests.app.conftest import People
from tests.app.factories import a_match, a_need, a_seed

_ROW = re.compile(r'<li id="m-([0-9a-f-]{36})"')
_TICK = re.compile(r'name="match" value="([0-9a-f-]{36}\.\d+)"')
_BACK = re.compile(r'name="back" value="([^"]*)"')
_NEXT = re.compile(r'name="next" value="([^"]*)"')


@dataclass(frozen=True)
class Pair:
    """A match with its two sides."""

    need: Need
    seed: Seed
    match: Match

    @property
    def id(self) -> str:
        """The match's public id."""
        return str(self.match.public_id)

    @property
    def ticked(self) -> str:
        """The match as a form names it, in its present version."""
        return f"{self.id}.{self.match.version}"


def pairs_of(
    session: Session, people: People, scores: Sequence[float], *, need: Need | None = None, **seed: Any
) -> list[Pair]:
    """A need of the company's with a match for each score, each with a seed of the university's."""
    need = need or a_need(session, people.cluster, people.company.organisation, title=f"Need {uuid.uuid4()}")
    made = []
    for score in scores:
        fields = {"title": f"Seed at {score}", **seed}
        offered = a_seed(session, people.cluster, people.university.organisation, **fields)
        match = a_match(session, need, offered)
        match.score = score
        match.probability, match.probability_low, match.probability_high = score, score / 2, min(1.0, score * 1.2)
        made.append(Pair(need, offered, match))
    session.commit()
    return made


def listed(page: str) -> list[str]:
    """The ids of the matches of the list, in its order."""
    return _ROW.findall(page)


def ticks(page: str) -> list[str]:
    """What the boxes and the forms of a page send of its matches."""
    return list(dict.fromkeys(_TICK.findall(page)))


def back(page: str) -> str:
    """The place that the forms of a page were sent from."""
    found = _BACK.search(page)
    assert found, "no form"
    return html.unescape(found[1])


def following(page: str) -> str:
    """The match that the form of the opened one leads to."""
    found = _NEXT.search(page)
    assert found, "nothing to decide on"
    return found[1]
