"""Stored vectors of passages: which entries need them, how they are filled in, and how they are read.

Of public texts only: what is confidential in a need has no vector anywhere, because a vector can be turned back into
text.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from enmusubi.app.caller import acting_as_service
from enmusubi.app.database import Database
from enmusubi.app.embeddings import Kind, profile_of, role_of
from enmusubi.app.models import EntryPassages, Need, Seed
from enmusubi.app.vocabulary import EntryStatus
from enmusubi.matching.encoder import Encoder, Role, Vectors
from enmusubi.matching.reasons import (
    PackedVectorsError,
    PassageVectors,
    need_texts,
    pack,
    passages_key,
    passages_of,
    seed_texts,
    unpack,
)
from enmusubi.matching.reasons.splitting import RULES

logger = logging.getLogger(__name__)

KINDS: tuple[Kind, Kind] = (Seed, Need)
"""In the order they are filled: a seed's sentences also are what those of others stand out from."""


def public_texts(entry: Seed | Need) -> dict[str, str]:
    """The public fields of an entry that have passages, by name."""
    profile = profile_of(entry)
    return seed_texts(profile) if isinstance(entry, Seed) else need_texts(profile)


def made_with(encoder: Encoder) -> str:
    """Names what made the vectors of a row: encoder and rule of splitting."""
    return f"{encoder.fingerprint}, sentences {RULES}"


def entry_column(kind: Kind) -> InstrumentedAttribute[int | None]:
    """The column of the passages that names an entry of this kind."""
    return EntryPassages.seed_id if kind is Seed else EntryPassages.need_id


def unpacked(content: bytes | None, entry: Seed | Need, encoder: Encoder) -> PassageVectors | None:
    """The stored vectors of an entry; None where there are none of its present texts and of this encoder."""
    if content is None:
        return None
    texts = public_texts(entry)
    try:
        return unpack(content, passages_key(encoder.fingerprint, role_of(type(entry)), texts), texts)
    except PackedVectorsError:
        return None  # it is found stale, and filled in anew


def _is_stale(kind: Kind, encoder: Encoder) -> ColumnElement[bool]:
    """Published entries that were not looked at in their present version, with this encoder."""
    fresh = exists().where(
        entry_column(kind) == kind.id,
        EntryPassages.entry_version == kind.version,
        EntryPassages.made_with == made_with(encoder),
    )
    return (kind.status == EntryStatus.PUBLISHED) & ~fresh.correlate(kind)


def count_stale(session: Session, encoder: Encoder) -> int:
    """How many published entries have no vectors of this encoder for their present version."""
    return sum(
        session.scalar(select(func.count()).select_from(kind).where(_is_stale(kind, encoder))) or 0 for kind in KINDS
    )


IDLE = 15.0
"""Seconds until entries are looked for again, once all are filled in."""
QUIET = 1.0
"""So many seconds after the last request, sentences are encoded in the background."""
PATIENCE = 5.0
"""However many requests come, a few sentences are encoded every so many seconds."""


class Filling:
    """One pass over the entries whose passages have no up-to-date vectors, a few at a time.

    Each step has two short transactions of its own, none while it encodes; whatever ends it in between, what was
    written stays and the rest is found again. No step changes the entry: neither its version nor its stamp. Two that
    fill at the same time do some of the work twice, and no harm.
    """

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        entries: int = 4,
        texts: int = 4,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """`entries` a step, `texts` a call of the encoder; before each call `may_go_on` is asked, which may wait."""
        self._database = database
        self._encoder = encoder
        self._entries = entries
        self._texts = texts
        self._may_go_on = may_go_on
        self._kinds = list(KINDS)
        self._last = 0

    def step(self) -> int:
        """Fill in the next few entries, and say how many these were; 0 when the pass is over or may not go on."""
        while self._kinds:
            entries, keys = self._next(self._kinds[0])
            if not entries:
                self._kinds.pop(0)
                self._last = 0
                continue
            # Before anything can fail: an entry that does fail must not keep others from their turn.
            self._last = entries[-1].id
            return len(entries) if self._fill(self._kinds[0], entries, keys) else 0
        return 0

    def _next(self, kind: Kind) -> tuple[list[Seed | Need], dict[int, bytes]]:
        query = select(kind).where(kind.id > self._last, _is_stale(kind, self._encoder))
        with self._database.session() as session, acting_as_service(session):
            entries: list[Seed | Need] = list(session.scalars(query.order_by(kind.id).limit(self._entries)))
            column = entry_column(kind)
            stored = select(column, EntryPassages.key).where(column.in_([entry.id for entry in entries]))
            keys = {entry_id: key for entry_id, key in session.execute(stored) if entry_id is not None}
        return entries, keys

    def _fill(self, kind: Kind, entries: Sequence[Seed | Need], stored: Mapping[int, bytes]) -> bool:
        role = role_of(kind)
        texts = {entry.id: public_texts(entry) for entry in entries}
        keys = {entry_id: passages_key(self._encoder.fingerprint, role, each) for entry_id, each in texts.items()}
        changed = {
            entry_id: passages_of(each, role)
            for entry_id, each in texts.items()
            if stored.get(entry_id) != keys[entry_id]
        }
        vectors = self._encoded(role, [passage.text for passages in changed.values() for passage in passages])
        if vectors is None:
            return False
        contents, start = {}, 0
        for entry_id, passages in changed.items():
            known = PassageVectors(passages, vectors[start : start + len(passages)])
            contents[entry_id] = pack(known, keys[entry_id])
            start += len(passages)
        self._write(kind, {entry.id: entry.version for entry in entries}, keys, contents)
        return True

    def _encoded(self, role: Role, texts: Sequence[str]) -> Vectors | None:
        """Vectors of the texts, a few at a time; None when it may not go on."""
        vectors = [np.zeros((0, self._encoder.dimension), np.float32)]
        for start in range(0, len(texts), self._texts):
            if not self._may_go_on():
                return None
            vectors.append(self._encoder.encode(texts[start : start + self._texts], role))
        return np.vstack(vectors)

    def _write(
        self, kind: Kind, versions: Mapping[int, int], keys: Mapping[int, bytes], contents: Mapping[int, bytes]
    ) -> None:
        column = entry_column(kind)
        with self._database.session() as session, acting_as_service(session):
            # Locked, so that a revision has not begun, or is seen; one that is under way is left to the next pass.
            query = select(kind.id, kind.version).where(kind.id.in_(list(versions))).order_by(kind.id)
            for entry_id, version in session.execute(query.with_for_update(read=True, skip_locked=True)).all():
                if versions[entry_id] != version:
                    continue
                values: dict[str, Any] = {"entry_version": version, "made_with": made_with(self._encoder)}
                if entry_id not in contents:  # another version with the same texts
                    session.execute(update(EntryPassages).where(column == entry_id).values(values))
                    continue
                values |= {column.key: entry_id, "key": keys[entry_id], "content": contents[entry_id]}
                statement = insert(EntryPassages).values(values)
                session.execute(statement.on_conflict_do_update(index_elements=[column], set_=values))
            session.commit()


class BackgroundFilling:
    """Fills in passages from a thread of its own, while the service has nothing else to do."""

    def __init__(self, database: Database, encoder: Encoder, quiet_for: Callable[[], float]) -> None:
        """Start; `quiet_for` says for how many seconds no request has come."""
        self._database = database
        self._encoder = encoder
        self._quiet_for = quiet_for
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sentences", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it, after the few sentences it may be encoding."""
        self._closing.set()
        self._thread.join()

    def _work(self) -> None:
        told: type[Exception] | None = None
        while self._may_go_on():
            filling = Filling(self._database, self._encoder, may_go_on=self._may_go_on)
            while not self._closing.is_set():
                try:
                    if not filling.step():
                        break
                    told = None
                except Exception as error:
                    if type(error) is not told:
                        told = type(error)  # its message may quote a text
                        logger.warning("sentence vectors could not be stored (%s); trying again", told.__name__)
                    self._closing.wait(PATIENCE)
            self._closing.wait(IDLE)

    def _may_go_on(self) -> bool:
        """Wait until no request has come for a while, or for as long as is patient; False when closing."""
        until = time.monotonic() + PATIENCE
        while (wait := min(QUIET - self._quiet_for(), until - time.monotonic())) > 0:
            if self._closing.wait(wait):
                return False
        return not self._closing.is_set()
