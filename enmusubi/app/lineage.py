"""The chain of innovation of a cluster: what grew from what, in generations, as far as its reader may know of it."""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.origins import owner_known_to
from enmusubi.app.clock import day_of
from enmusubi.app.clusters import read_cluster
from enmusubi.app.errors import InvalidInputError, Sentence
from enmusubi.app.models import Cluster, Match, Need, Organisation, Origin, Outcome, Seed
from enmusubi.app.permissions import Right
from enmusubi.app.vocabulary import OrganisationKind, OriginKind

MOST_NODES: Final = 5_000

Key = tuple[OriginKind, int]


class ChainQuery(BaseModel):
    """All of it, or what one entry grew from and what grew from it."""

    model_config = ConfigDict(extra="forbid")

    entry: uuid.UUID | None = Field(default=None, description="Id of a seed or a need")


@dataclass(frozen=True, slots=True)
class Node:
    """One thing of the chain."""

    id: uuid.UUID
    kind: OriginKind
    title: str | None
    what: str | None
    """Of an outcome its kind; of a match its status, for those who oversee: its sides are not told all of it."""
    date: datetime.date
    generation: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Nodes by generation, edges from what was first to what came of it, and the ids of the longest line."""

    cluster: Cluster
    nodes: Sequence[Node]
    edges: Sequence[tuple[uuid.UUID, uuid.UUID]]
    longest: Sequence[uuid.UUID]

    @property
    def generations(self) -> int:
        """How many there are; none where there is no chain."""
        return max((node.generation for node in self.nodes), default=-1) + 1


@dataclass(frozen=True, slots=True)
class _Found:
    id: uuid.UUID
    title: str | None
    what: str | None
    date: datetime.date
    came_of: tuple[Key, ...] = ()
    tells: bool = True
    """Of a need, whether its reader may know whose it is; of a seed, whether it says nothing of whose a need is."""


def read(session: Session, caller: Caller, cluster_id: uuid.UUID, query: ChainQuery) -> Chain:
    """The chain of the caller's cluster; what the caller does not see is not there, nor counted.

    Raises InvalidInputError where it has more than MOST_NODES nodes, or none for the entry that is asked for.
    """
    cluster = read_cluster(session, caller, cluster_id, Right.READ_CHAIN)
    parents, found = _read(session, caller, cluster)
    if query.entry is not None:
        parents = _around(parents, found, query.entry)
    keys = {key for child, froms in parents.items() for key in (child, *froms)}
    if len(keys) > MOST_NODES:
        raise InvalidInputError(
            Sentence(
                "the chain has %(count)s nodes, %(most)s are shown at once: name an entry",
                count=f"{len(keys):,}",
                most=f"{MOST_NODES:,}",
            )
        )
    generations = _generations(parents, keys)
    nodes = [
        Node(found[key].id, key[0], found[key].title, found[key].what, found[key].date, generations[key])
        for key in keys
    ]
    edges = [(found[key].id, found[child].id) for child, froms in parents.items() for key in froms]
    return Chain(
        cluster,
        sorted(nodes, key=lambda node: (node.generation, node.date, str(node.id))),
        sorted(edges, key=lambda edge: (str(edge[0]), str(edge[1]))),
        [found[key].id for key in _longest(parents, generations)],
    )


def _read(session: Session, caller: Caller, cluster: Cluster) -> tuple[dict[Key, list[Key]], dict[Key, _Found]]:
    """Of each visible thing what it came of, and what is to be shown of every one."""
    named = _named(session, cluster)
    ends = {key for pair in named for key in pair}
    found: dict[Key, _Found] = {}
    found |= _outcomes(session, caller, _of(OriginKind.OUTCOME, ends))
    ends |= {key for each in found.values() for key in each.came_of}
    matches = _matches(session, caller, _of(OriginKind.MATCH, ends))
    found |= matches
    ends |= {key for each in matches.values() for key in each.came_of}
    found |= _seeds(session, caller, _of(OriginKind.SEED, ends))
    found |= _needs(session, caller, _of(OriginKind.NEED, ends))
    parents: dict[Key, list[Key]] = {}
    for child, origin in named:
        if child in found and origin in found and _is_told(child, origin, found):
            parents.setdefault(child, []).append(origin)
    # Of what something grew from, what that came of itself: an outcome of its match, a match of its two sides.
    reached = {origin for origins in parents.values() for origin in origins}
    while reached:
        added = {key: [each for each in found[key].came_of if each in found] for key in reached if found[key].came_of}
        parents |= added
        reached = {each for origins in added.values() for each in origins} - set(parents)
    return parents, found


def _is_told(child: Key, origin: Key, found: Mapping[Key, _Found]) -> bool:
    """What an anonymous need grew from, and what a company made of one, is for those who know whose it is."""
    if child[0] is OriginKind.NEED and not found[child].tells:
        return False
    if child[0] is OriginKind.SEED and found[child].tells:
        return True
    needs = {origin} if origin[0] is OriginKind.NEED else set()
    inner = [origin]
    while inner:
        for each in found[inner.pop()].came_of:
            (needs.add if each[0] is OriginKind.NEED else inner.append)(each)
    return all(found[need].tells for need in needs if need in found)


def _named(session: Session, cluster: Cluster) -> list[tuple[Key, Key]]:
    of = select(Origin).outerjoin(Seed, Origin.seed_id == Seed.id).outerjoin(Need, Origin.need_id == Need.id)
    of = of.where(or_(Seed.cluster_id == cluster.id, Need.cluster_id == cluster.id)).order_by(Origin.id)
    return [(_entry_of(row), _origin_of(row)) for row in session.scalars(of)]


def _entry_of(row: Origin) -> Key:
    if row.seed_id is not None:
        return OriginKind.SEED, row.seed_id
    assert row.need_id is not None  # a constraint of the table
    return OriginKind.NEED, row.need_id


def _origin_of(row: Origin) -> Key:
    keys = {
        OriginKind.SEED: row.from_seed_id,
        OriginKind.NEED: row.from_need_id,
        OriginKind.MATCH: row.from_match_id,
        OriginKind.OUTCOME: row.from_outcome_id,
    }
    return next((kind, key) for kind, key in keys.items() if key is not None)


def _of(kind: OriginKind, keys: Iterable[Key]) -> list[int]:
    return [key for of, key in keys if of is kind]


def _seeds(session: Session, caller: Caller, keys: list[int]) -> dict[Key, _Found]:
    query = (
        select(Seed.id, Seed.public_id, Seed.title, Seed.created, Organisation.kind)
        .outerjoin(Organisation, Seed.organisation_id == Organisation.id)
        .where(Seed.id.in_(keys), visibility.seeds_visible_to(caller))
    )
    return {
        (OriginKind.SEED, row.id): _Found(
            row.public_id, row.title, None, day_of(row.created), tells=row.kind != OrganisationKind.COMPANY
        )
        for row in session.execute(query)
    }


def _needs(session: Session, caller: Caller, keys: list[int]) -> dict[Key, _Found]:
    tells = or_(~Need.anonymous, owner_known_to(caller, Need)).label("tells")
    query = select(Need.id, Need.public_id, Need.title, Need.created, tells)
    query = query.where(Need.id.in_(keys), visibility.needs_visible_to(caller))
    return {
        (OriginKind.NEED, row.id): _Found(
            # To the day, as wherever an anonymous need is shown.
            row.public_id,
            row.title,
            None,
            row.created.astimezone(datetime.UTC).date(),
            tells=bool(row.tells),
        )
        for row in session.execute(query)
    }


def _matches(session: Session, caller: Caller, keys: list[int]) -> dict[Key, _Found]:
    query = (
        select(Match.id, Match.public_id, Match.status, Match.created, Match.need_id, Match.seed_id)
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(Match.id.in_(keys), visibility.pairs_visible_to(caller))
    )
    return {
        (OriginKind.MATCH, row.id): _Found(
            row.public_id,
            None,
            row.status if caller.oversees else None,
            day_of(row.created),
            ((OriginKind.NEED, row.need_id), (OriginKind.SEED, row.seed_id)),
        )
        for row in session.execute(query)
    }


def _outcomes(session: Session, caller: Caller, keys: list[int]) -> dict[Key, _Found]:
    query = (
        select(Outcome.id, Outcome.public_id, Outcome.kind, Outcome.agreed_on, Outcome.match_id)
        .join(Match, Outcome.match_id == Match.id)
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(Outcome.id.in_(keys), visibility.pairs_visible_to(caller))
    )
    return {
        (OriginKind.OUTCOME, row.id): _Found(
            row.public_id, None, row.kind, row.agreed_on, ((OriginKind.MATCH, row.match_id),)
        )
        for row in session.execute(query)
    }


def _around(parents: Mapping[Key, list[Key]], found: Mapping[Key, _Found], entry: uuid.UUID) -> dict[Key, list[Key]]:
    """The edges that lead to the entry, and those that lead away from it."""
    children: dict[Key, list[Key]] = {}
    for child, origins in parents.items():
        for origin in origins:
            children.setdefault(origin, []).append(child)
    start = next((key for key in {*parents, *children} if found[key].id == entry), None)
    if start is None:
        raise InvalidInputError("entry: nothing that you may see grew from it, nor it from anything")
    back, onward = _reached(start, parents), _reached(start, children)
    kept = {child: list(origins) for child, origins in parents.items() if child in back}
    for child in onward - {start}:
        kept[child] = [origin for origin in parents[child] if origin in onward]
    return kept


def _reached(start: Key, following: Mapping[Key, list[Key]]) -> set[Key]:
    reached, waiting = {start}, [start]
    while waiting:
        for key in following.get(waiting.pop(), []):
            if key not in reached:
                reached.add(key)
                waiting.append(key)
    return reached


def _generations(parents: Mapping[Key, list[Key]], keys: Iterable[Key]) -> dict[Key, int]:
    """An entry is one generation after the latest thing that it grew from; a match and an outcome are of their sides'.

    Without recursion, however long a chain is. Triggers of the database see to it that it ends.
    """
    generations: dict[Key, int] = {}
    for start in keys:
        waiting = [start]
        while waiting:
            key = waiting[-1]
            missing = [origin for origin in parents.get(key, []) if origin not in generations]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            latest = max((generations[origin] for origin in parents.get(key, [])), default=None)
            is_entry = key[0] in (OriginKind.SEED, OriginKind.NEED)
            generations[key] = 0 if latest is None else latest + is_entry
    return generations


def _longest(parents: Mapping[Key, list[Key]], generations: Mapping[Key, int]) -> list[Key]:
    """The line to the latest generation, of several the one with the most steps; from its beginning."""
    steps: dict[Key, int] = {}
    for key in sorted(generations, key=lambda key: (generations[key], _RANK[key[0]])):
        steps[key] = max((steps[origin] + 1 for origin in parents.get(key, [])), default=0)
    if not generations:
        return []

    def further(key: Key) -> tuple[int, int, Any]:
        return generations[key], steps[key], (key[0], -key[1])

    line = [max(generations, key=further)]
    while origins := parents.get(line[-1]):
        line.append(max(origins, key=further))
    return line[::-1]


_RANK: Final = {OriginKind.SEED: 0, OriginKind.NEED: 0, OriginKind.MATCH: 1, OriginKind.OUTCOME: 2}
"""Within a generation, what comes of what."""
