"""Stored vectors and terms: which rows need them, how they are kept with their row, and how they are read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session, load_only, object_session

from enmusubi.app import visibility
from enmusubi.app.database import Database
from enmusubi.app.models import EntryPassages, Need, Seed
from enmusubi.app.schemas import need_profile, seed_profile
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.matching.encoder import Encoder, Role, embedding_key
from enmusubi.matching.lexical import analysis_fingerprint, language_of, terms
from enmusubi.matching.lexical.languages import UNDETERMINED
from enmusubi.matching.parts import RULES as PARTS_RULES
from enmusubi.matching.parts import parts_of
from enmusubi.matching.profile import Profile
from enmusubi.matching.rows import Asking, Rows

Kind = type[Seed] | type[Need]

# What may be matched now, after a hold or once it is approved. Drafts are not embedded: they are their owner's alone.
_EMBEDDED = (EntryStatus.PUBLISHED, EntryStatus.ON_HOLD, EntryStatus.UNDER_REVIEW)
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
_STORED_COLUMNS = ("embedding", "embedding_key")
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
    """Put vector and terms of an entry that may be matched into its row, where they are not up to date."""
    if entry.status not in _EMBEDDED or _is_up_to_date(entry, encoder):
        return
    asking = asking_of(entry, encoder)
    entry.embedding, entry.embedding_key = to_bytes(asking.vector), _key(entry, encoder)
    entry.embedding_encoder = encoder.fingerprint
    entry.terms, entry.text_language = " ".join(asking.terms), asking.language
    entry.terms_analysis = analysis()
    if isinstance(entry, Need):
        entry.embedding_parts = _parts_to_bytes(asking)


def forget(entry: Seed | Need) -> None:
    """Drop what was computed from an entry's text, because the text has changed."""
    entry.embedding = entry.embedding_key = entry.embedding_encoder = None
    entry.terms = entry.terms_analysis = entry.text_language = None
    if isinstance(entry, Need):
        entry.embedding_parts = None
    session = object_session(entry)
    if session is not None and entry.id is not None:
        column = EntryPassages.seed_id if isinstance(entry, Seed) else EntryPassages.need_id
        with session.no_autoflush:  # a half-filled entry is not written
            session.execute(delete(EntryPassages).where(column == entry.id))


@cache
def analysis() -> str:
    """Names what made the terms of a row, and the parts of a need."""
    return f"{analysis_fingerprint()}, {PARTS_RULES}"


def _is_up_to_date(entry: Seed | Need, encoder: Encoder) -> bool:
    return entry.embedding_key == _key(entry, encoder) and entry.terms_analysis == analysis()


def asking_of(entry: Seed | Need, encoder: Encoder) -> Asking:
    """The entry as the side that asks: from its row where that is up to date, else computed and not stored."""
    role = role_of(type(entry))
    if entry.embedding and entry.terms is not None and entry.text_language and _is_up_to_date(entry, encoder):
        parts = None
        if isinstance(entry, Need) and entry.embedding_parts:
            parts = to_vector(entry.embedding_parts).reshape(-1, encoder.dimension)
        return Asking(role, to_vector(entry.embedding), entry.text_language, entry.terms.split(), parts)
    return asking_with(profile_of(entry).matched_text(), role, encoder)


def asking_with(text: str, role: Role, encoder: Encoder) -> Asking:
    """A text as the side that asks."""
    return _derived([text], role, encoder)[0]


def _derived(
    texts: Sequence[str],
    role: Role,
    encoder: Encoder,
    progress: Callable[[int], None] | None = None,
    known: Mapping[str, NDArray[np.float32]] | None = None,
) -> list[Asking]:
    """Vector, language, terms and parts of texts; seeds have no parts. The vectors of `known` texts are taken as given.

    `progress` counts texts, each part of one as a share of it.
    """
    vectors = dict(known or {})
    languages = [language_of(text) for text in texts]
    divided = [
        parts_of(text, language) if role == "need" else [] for text, language in zip(texts, languages, strict=True)
    ]
    wanted = [*texts, *(part for parts in divided for part in parts)]
    missing = [text for text in dict.fromkeys(wanted) if text not in vectors]
    counting = None if progress is None else _Scaled(progress, len(wanted), len(texts))
    if counting is not None:
        counting(len(wanted) - len(missing))
    if missing:
        vectors.update(zip(missing, encoder.encode(missing, role, counting), strict=True))
    return [
        Asking(
            role,
            vectors[text],
            language,
            terms(text, language),
            np.array([vectors[part] for part in parts]) if parts else None,
        )
        for text, language, parts in zip(texts, languages, divided, strict=True)
    ]


class _Scaled:
    """Counts up to one number and tells it as a share of another."""

    def __init__(self, progress: Callable[[int], None], counted: int, told: int) -> None:
        self._progress = progress
        self._counted = counted
        self._told = told
        self._done = 0

    def __call__(self, count: int) -> None:
        before = self._done * self._told // self._counted
        self._done += count
        self._progress(self._done * self._told // self._counted - before)


def _parts_to_bytes(asking: Asking) -> bytes:
    return b"" if asking.parts is None else to_bytes(asking.parts)


def _is_stale(kind: Kind, encoder: Encoder) -> ColumnElement[bool]:
    outdated = or_(
        kind.embedding.is_(None),
        kind.embedding_encoder.is_distinct_from(encoder.fingerprint),
        kind.terms_analysis.is_distinct_from(analysis()),
    )
    return and_(kind.status.in_(_EMBEDDED), outdated)


def count_stale(session: Session, kind: Kind, encoder: Encoder) -> int:
    """How many rows have no vector of this encoder, or no terms of this analysis, for their present text."""
    return session.scalar(select(func.count()).select_from(kind).where(_is_stale(kind, encoder))) or 0


def count_waiting(session: Session, encoder: Encoder) -> int:
    """How many published entries of both kinds are not proposed, and not found, before `enmusubi index` has run."""
    return sum(
        session.scalar(
            select(func.count()).select_from(kind).where(kind.status == EntryStatus.PUBLISHED, _is_stale(kind, encoder))
        )
        or 0
        for kind in (Seed, Need)
    )


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
            columns = [getattr(kind, name) for name in ("id", "version", *_STORED_COLUMNS, *_MATCHED_COLUMNS[kind])]
            query = select(kind).options(load_only(*columns)).where(kind.id > last, _is_stale(kind, encoder))
            rows: list[Seed | Need] = list(session.scalars(query.order_by(kind.id).limit(batch)))
        if not rows:
            return done
        last = rows[-1].id
        texts = [profile_of(row).matched_text() for row in rows]
        # What is analysed otherwise now, and has its vector already, keeps it.
        known = {
            text: to_vector(row.embedding)
            for row, text in zip(rows, texts, strict=True)
            if row.embedding and row.embedding_key == embedding_key(encoder, role, text)
        }
        derived = _derived(texts, role, encoder, progress, known)
        values: dict[str, Any] = {
            "embedding": bindparam("vector"),
            "embedding_key": bindparam("key"),
            "embedding_encoder": encoder.fingerprint,
            "terms": bindparam("found"),
            "terms_analysis": analysis(),
            "text_language": bindparam("spoken"),
            "last_modified": kind.__table__.c.last_modified,  # the entry itself has not changed
        }
        if kind is Need:
            values["embedding_parts"] = bindparam("parts")
        statement = (
            update(kind)
            .where(kind.__table__.c.id == bindparam("row_id"), kind.__table__.c.version == bindparam("row_version"))
            .values(values)
        )
        with database.engine.begin() as connection:
            connection.execute(
                statement,
                [
                    {
                        "row_id": row.id,
                        "row_version": row.version,
                        "vector": to_bytes(asking.vector),
                        "key": embedding_key(encoder, role, text),
                        "found": " ".join(asking.terms),
                        "spoken": asking.language,
                        **({"parts": _parts_to_bytes(asking)} if kind is Need else {}),
                    }
                    for row, text, asking in zip(rows, texts, derived, strict=True)
                ],
            )
        done += len(rows)


def rows_of(entries: Sequence[Sequence[Any]], dimension: int) -> Rows:
    """Index rows of stored rows: id, embedding, text language, terms."""
    matrix = np.frombuffer(b"".join(embedding or b"" for _, embedding, _, _ in entries), dtype="<f4")
    return Rows(
        np.array([key for key, _, _, _ in entries], dtype=np.int64),
        matrix.reshape(len(entries), dimension),
        [language or UNDETERMINED for _, _, language, _ in entries],
        [found or "" for _, _, _, found in entries],
    )


def read_rows(session: Session, kind: Kind, encoder: Encoder, cluster_id: int, chunk: int = 8_192) -> Iterator[Rows]:
    """All published rows of a cluster, or opened to it, that are up to date, keys ascending, in chunks.

    Without those whose last day is over. One whose day comes later leaves with the next publication, which is due then:
    until that it counts in the statistics, and is proposed to nobody.
    """
    query = (
        select(kind.id, kind.embedding, kind.text_language, kind.terms)
        .where(visibility.in_cluster(kind, cluster_id), visibility.published(kind))
        .where(kind.embedding_encoder == encoder.fingerprint)
        .where(kind.embedding.is_not(None), kind.terms_analysis == analysis())
        .order_by(kind.id)
        .execution_options(yield_per=chunk)
    )
    for rows in session.execute(query).partitions():
        yield rows_of(rows, encoder.dimension)
