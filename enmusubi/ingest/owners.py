"""The owners of a file's rows: found by number, name or public id; those named for the first time are added."""

import uuid
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enmusubi.app.catalogue import organisations
from enmusubi.app.embeddings import Kind
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.models import Organisation, Seed
from enmusubi.app.schemas import OrganisationDraft
from enmusubi.app.vocabulary import OrganisationKind
from enmusubi.ingest.sources import Entry, OrganisationNamed

_LOCK = 7303  # first key of the advisory locks of runs that add organisations


@dataclass(slots=True)
class Owners:
    """The owners found so far in one file; `default_id` owns the rows that name none."""

    cluster_id: int
    kind: Kind
    default_id: int | None = None
    added: list[str] = field(default_factory=list)
    _found: dict[OrganisationNamed | uuid.UUID, int] = field(default_factory=dict)
    _introduced: set[str] = field(default_factory=set)

    def of(self, session: Session, entry: Entry) -> int | None:
        """The key of the row's owner, added where it is new; InvalidInputError where it cannot be told."""
        asked = entry.organisation or entry.draft.organisation
        if asked is None:
            return self.default_id
        if asked not in self._found:
            self._found[asked] = self._look_up(session, asked) or self._add(session, asked)
        return self._found[asked]

    def check(self, session: Session, entry: Entry) -> None:
        """Raise InvalidInputError where `of` would, adding nothing; call it in the order of the file."""
        asked = entry.organisation or entry.draft.organisation
        if asked is None or asked in self._found:
            return
        numbers = _numbers(asked)
        found = self._look_up(session, asked)
        if found is not None:
            self._found[asked] = found
        elif isinstance(asked, OrganisationNamed) and asked.name is not None:
            self._introduced |= numbers
        elif not numbers & self._introduced:
            raise _unknown(asked)

    def _look_up(self, session: Session, asked: OrganisationNamed | uuid.UUID) -> int | None:
        if isinstance(asked, uuid.UUID):
            by_id = (Organisation.cluster_id == self.cluster_id, Organisation.public_id == asked)
            return session.scalar(select(Organisation.id).where(*by_id))
        found = organisations.find_organisation(
            session, self.cluster_id, name=asked.name, ror=asked.ror, corporate_number=asked.corporate_number
        )
        return found.id if found else None

    def _add(self, session: Session, asked: OrganisationNamed | uuid.UUID) -> int:
        if isinstance(asked, uuid.UUID) or asked.name is None:
            raise _unknown(asked)
        # Another run may be adding the same one: who comes second waits for its batch, and finds it.
        session.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(str(self.cluster_id)))))
        known = self._look_up(session, asked)
        if known is not None:
            return known
        draft = OrganisationDraft(
            name=asked.name,
            kind=OrganisationKind.UNIVERSITY if self.kind is Seed else OrganisationKind.COMPANY,
            ror=asked.ror,
            corporate_number=asked.corporate_number,
        )
        added = organisations.create_organisation(session, self.cluster_id, draft)
        self.added.append(asked.name)
        return added.id


def _numbers(asked: OrganisationNamed | uuid.UUID) -> set[str]:
    if isinstance(asked, uuid.UUID):
        return set()
    return {number for number in (asked.ror, asked.corporate_number) if number is not None}


def _unknown(asked: OrganisationNamed | uuid.UUID) -> InvalidInputError:
    if isinstance(asked, uuid.UUID):
        return InvalidInputError("the id names no organisation of the cluster; correct it, or give the name")
    return InvalidInputError("the number names no organisation of the cluster; add its name too")
