"""Stored embeddings: which rows need one, how it is kept with its row, and how it is read."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session, load_only

from enmusubi.app.database import Database
from enmusubi.app.models import Need, Seed
from enmusubi.app.schemas import need_profile, seed_profile
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.matching.encoder import Encoder, Role, embedding_key
from enmusubi.matching.profile import Profile

Kind = type[Seed] | type[Need]

# What may be matched now or after a hold. Drafts are not embedded: nobody but their owner may know of them.
_EMBEDDED = (EntryStatus.PUBLISHED, EntryStatus.ON_HOLD)
_SHARED_COLUMNS = (
    "title",
    "summary",
    "applications",
    "translation_title",
    "translation_summary",
    "technology_keywords",
    "market_keywords",
    "language",
)
_MATCHED_COLUMNS: dict[Kind, tuple[str, ...]] = {
    Seed: (*_SHARED_COLUMNS, "description", "advantages", "open_challenges"),
    Need: (*_SHARED_COLUMNS, "expertise_sought"),
}


def role_of(kind: Kind) -> Role:
    """The encoder's role for a kind of entry."""
    return "seed" if kind is Seed else "need"


def profile_of(entry: Seed | Need) -> Profile:
    """The public profile of a stored entry."""
    return seed_profile(entry) if isinstance(entry, Seed) else need_profile(entry)


def to_bytes(vector: NDArray[np.float32]) -> bytes:
    """A vector as it is stored: little-endian float32."""
    return vector.astype("<f4").tobytes()


def to_vector(stored: bytes) -> NDArray[np.float32]:
    """A stored vector, shape (d,)."""
    vector: NDArray[np.float32] = np.frombuffer(stored, dtype="<f4")
    return vector


def _key(entry: Seed | Need, encoder: Encoder) -> bytes:
    return embedding_key(encoder, role_of(type(entry)), profile_of(entry).matched_text())


def embed(entry: Seed | Need, encoder: Encoder) -> None:
    """Put the vector of an entry that may be matched into its row, where that is not up to date."""
    key = _key(entry, encoder)
    if entry.status not in _EMBEDDED or entry.embedding_key == key:
        return
    entry.embedding, entry.embedding_key = to_bytes(vector_of(entry, encoder)), key
    entry.embedding_encoder = encoder.fingerprint


def vector_of(entry: Seed | Need, encoder: Encoder) -> NDArray[np.float32]:
    """The entry's vector (d,): the stored one if it is up to date, else a new one, which is not stored."""
    if entry.embedding is not None and entry.embedding_key == _key(entry, encoder):
        return to_vector(entry.embedding)
    vector: NDArray[np.float32] = encoder.encode([profile_of(entry).matched_text()], role_of(type(entry)))[0]
    return vector


def _is_stale(kind: Kind, encoder: Encoder) -> ColumnElement[bool]:
    outdated = or_(kind.embedding.is_(None), kind.embedding_encoder.is_distinct_from(encoder.fingerprint))
    return and_(kind.status.in_(_EMBEDDED), outdated)


def count_stale(session: Session, kind: Kind, encoder: Encoder) -> int:
    """How many rows have no vector of this encoder for their present text."""
    return session.scalar(select(func.count()).select_from(kind).where(_is_stale(kind, encoder))) or 0


def refresh(
    database: Database,
    encoder: Encoder,
    kind: Kind,
    progress: Callable[[int], None] | None = None,
    batch: int = 512,
) -> int:
    """Embed every stale row of a kind, a transaction per batch; returns how many were embedded.

    A row that is revised while its old text is being embedded keeps no vector from here (the version is
    compared) and is found stale again by the next run.
    """
    role = role_of(kind)
    done, last = 0, 0
    while True:
        with database.session() as session:
            columns = [getattr(kind, name) for name in ("id", "version", *_MATCHED_COLUMNS[kind])]
            query = select(kind).options(load_only(*columns)).where(kind.id > last, _is_stale(kind, encoder))
            rows: list[Seed | Need] = list(session.scalars(query.order_by(kind.id).limit(batch)))
        if not rows:
            return done
        last = rows[-1].id
        texts = [profile_of(row).matched_text() for row in rows]
        vectors = encoder.encode(texts, role, progress)
        statement = (
            update(kind)
            .where(kind.__table__.c.id == bindparam("row_id"), kind.__table__.c.version == bindparam("row_version"))
            .values(
                embedding=bindparam("vector"),
                embedding_key=bindparam("key"),
                embedding_encoder=encoder.fingerprint,
                last_modified=kind.__table__.c.last_modified,  # the entry itself has not changed
            )
        )
        with database.engine.begin() as connection:
            connection.execute(
                statement,
                [
                    {
                        "row_id": row.id,
                        "row_version": row.version,
                        "vector": to_bytes(vector),
                        "key": embedding_key(encoder, role, text),
                    }
                    for row, text, vector in zip(rows, texts, vectors, strict=True)
                ],
            )
        done += len(rows)


def read_vectors(
    session: Session, kind: Kind, encoder: Encoder, chunk: int = 8_192
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Keys (n,) ascending and vectors (n, d) of all published rows that are up to date, in chunks."""
    query = (
        select(kind.id, kind.embedding)
        .where(kind.status == EntryStatus.PUBLISHED, kind.embedding_encoder == encoder.fingerprint)
        .where(kind.embedding.is_not(None))
        .order_by(kind.id)
        .execution_options(yield_per=chunk)
    )
    for rows in session.execute(query).partitions():
        keys = np.array([row.id for row in rows], dtype=np.int64)
        matrix = np.frombuffer(b"".join(row.embedding or b"" for row in rows), dtype="<f4")
        yield keys, matrix.reshape(len(keys), encoder.dimension)
