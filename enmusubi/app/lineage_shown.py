"""The chain of innovation as it goes out."""

import datetime
import uuid
from typing import Annotated

from pydantic import BaseModel, Field

from enmusubi.app.lineage import Chain
from enmusubi.app.vocabulary import MatchStatus, OriginKind, OutcomeKind

Generation = Annotated[
    int, Field(ge=0, description="How many times an entry grew from another, as far as you see it; 0 for a beginning")
]


class ChainNodeOut(BaseModel):
    """A seed, a need, a match or an outcome."""

    id: uuid.UUID
    kind: OriginKind
    title: str | None = Field(description="Of a seed or need; null for others")
    what: MatchStatus | OutcomeKind | None = Field(
        description="Of an outcome its kind; of a match its status, for overseers"
    )
    date: datetime.date = Field(description="When it was entered, in Japan; of an outcome when it was agreed")
    generation: Generation


class ChainEdgeOut(BaseModel):
    """What came of what: an entry of its origin, an outcome of its match, a match of its two sides."""

    source: uuid.UUID
    target: uuid.UUID


class ChainOut(BaseModel):
    """What grew from what in a cluster; nothing that you may not see is in it, or counted."""

    cluster: uuid.UUID
    generations: Annotated[int, Field(ge=0, description="How many generations there are")]
    nodes: list[ChainNodeOut]
    edges: list[ChainEdgeOut]
    longest: list[uuid.UUID] = Field(description="The ids of one longest line, from its beginning")


def chain_out(chain: Chain) -> ChainOut:
    """The chain as it goes out."""
    nodes = [
        ChainNodeOut.model_validate(
            {
                "id": node.id,
                "kind": node.kind,
                "title": node.title,
                "what": node.what,
                "date": node.date,
                "generation": node.generation,
            }
        )
        for node in chain.nodes
    ]
    return ChainOut(
        cluster=chain.cluster.public_id,
        generations=chain.generations,
        nodes=nodes,
        edges=[ChainEdgeOut(source=source, target=target) for source, target in chain.edges],
        longest=list(chain.longest),
    )
