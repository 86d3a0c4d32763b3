"""Drawing the map of a cluster after its snapshot was published: outside its time, and outside every request.

Of the vectors of public texts alone, as the index is: what is confidential has no vector anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enmusubi.app.embeddings import Kind, read_rows, role_of
from enmusubi.app.models import MapDrawing, MapPosition, Need, Seed
from enmusubi.matching.encoder import Encoder
from enmusubi.matching.projection import Layout, lay_out
from enmusubi.matching.rows import Rows

KINDS: Final[tuple[Kind, Kind]] = (Seed, Need)
_AT_ONCE: Final = 5_000  # rows that one statement writes

Entry = tuple[Kind, int]


@dataclass(frozen=True, slots=True)
class _Before:
    """The rows that are there: of each entry its key, place, digest, and whether it is settled."""

    rows: Mapping[Entry, tuple[int, float, float, bytes, bool]] = field(default_factory=dict)


def draw_next(session: Session, encoder: Encoder, snapshots: Mapping[int, str]) -> int | None:
    """Draw the map of the first cluster whose snapshot is another than the one it was drawn after; which, or None.

    `snapshots` are the ids of those published, by cluster. Its caller keeps others from drawing at the same time, acts
    as the service, and commits; whatever ends it before that, the map stays as it was and is drawn the next time.
    """
    drawn = {row.cluster_id: row.snapshot for row in session.scalars(select(MapDrawing))}
    due = next((key for key, snapshot in sorted(snapshots.items()) if drawn.get(key) != snapshot), None)
    if due is not None:
        draw(session, encoder, due, snapshots[due])
    return due


def draw(session: Session, encoder: Encoder, cluster_key: int, snapshot: str) -> None:
    """Draw the map of a cluster, beginning where its entries lay before."""
    entries: list[Entry] = []
    groups: list[str] = []
    parts: list[Rows] = []
    for kind in KINDS:
        rows = Rows.joined(read_rows(session, kind, encoder, cluster_key), encoder.dimension)
        entries += [(kind, int(key)) for key in rows.keys]
        groups += [f"{role_of(kind)} {language}" for language in rows.languages]
        parts.append(rows)
    matrix = np.concatenate([rows.matrix for rows in parts])
    digests = [blake2b(vector.tobytes(), digest_size=8).digest() for vector in matrix]
    before = _read(session, cluster_key)
    places = np.full((len(entries), 2), np.nan)
    settled = np.zeros(len(entries), dtype=np.bool_)
    for number, (entry, digest) in enumerate(zip(entries, digests, strict=True)):
        _, x, y, placed_by, was_settled = before.rows.get(entry, (0, 0.0, 0.0, b"", False))
        if placed_by == digest:
            places[number], settled[number] = (x, y), was_settled
    # Nothing is locked meanwhile: this takes seconds.
    layout = lay_out([f"{role_of(kind)} {key}" for kind, key in entries], matrix, groups, places, settled)
    _write(session, cluster_key, entries, digests, layout, before)
    drawn = insert(MapDrawing).values(cluster_id=cluster_key, snapshot=snapshot, drawn=func.now())
    renewed = {"snapshot": drawn.excluded.snapshot, "drawn": drawn.excluded.drawn}
    session.execute(drawn.on_conflict_do_update(index_elements=[MapDrawing.cluster_id], set_=renewed))


def _read(session: Session, cluster_key: int) -> _Before:
    of = MapPosition
    query = select(of.id, of.seed_id, of.need_id, of.x, of.y, of.digest, of.settled).where(of.cluster_id == cluster_key)
    return _Before(
        {
            _entry(row.seed_id, row.need_id): (row.id, row.x, row.y, row.digest, row.settled)
            for row in session.execute(query)
        }
    )


def _entry(seed_id: int | None, need_id: int | None) -> Entry:
    if seed_id is not None:
        return Seed, seed_id
    assert need_id is not None  # a constraint of the table
    return Need, need_id


def _write(
    session: Session, cluster_key: int, entries: list[Entry], digests: list[bytes], layout: Layout, before: _Before
) -> None:
    """Write what differs, and take away what is not published any more."""
    gone = [before.rows[entry][0] for entry in before.rows.keys() - set(entries)]
    if gone:
        session.execute(delete(MapPosition).where(MapPosition.id == func.any(gone)))
    for kind, column in ((Seed, "seed_id"), (Need, "need_id")):
        rows = []
        for number, (of, key) in enumerate(entries):
            x, y = (float(value) for value in layout.positions[number])
            values = (x, y, digests[number], bool(layout.settled[number]))
            if of is kind and before.rows.get((of, key), (0,))[1:] != values:
                rows.append(dict(zip(("x", "y", "digest", "settled"), values, strict=True)) | {column: key})
        statement = insert(MapPosition)
        renewed = {name: statement.excluded[name] for name in ("x", "y", "digest", "settled")}
        upsert = statement.on_conflict_do_update(index_elements=["cluster_id", column], set_=renewed)
        for start in range(0, len(rows), _AT_ONCE):
            part = [{"cluster_id": cluster_key, **row} for row in rows[start : start + _AT_ONCE]]
            session.connection().execute(upsert, part)
