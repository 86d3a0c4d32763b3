"""Whose the rows of a file are that an account has posted: as for its own calls, with names where these take ids."""

import uuid

from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.catalogue import organisations
from enmusubi.app.embeddings import Kind
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.models import Organisation, Seed
from enmusubi.app.schemas import OrganisationDraft
from enmusubi.app.vocabulary import OrganisationKind
from enmusubi.ingest.sources import Entry, OrganisationNamed

NOT_YOURS = "organisation: only your own may own what you enter; correct the name or number, or leave it out"


class Whose:
    """Finds the owners of an account's rows."""

    def __init__(self, caller: Caller, kind: Kind) -> None:
        self._caller = caller
        self._kind = kind

    def of(self, session: Session, entry: Entry) -> uuid.UUID | None:
        """The public id of the row's owner; None for the account's own, or for nobody where a coordinator posts.

        Raises InvalidInputError for what is not the account's to enter. A coordinator's file adds the organisations
        that it names and the cluster does not have yet.
        """
        asked = entry.organisation or entry.draft.organisation
        if asked is None:
            return None
        if not self._caller.coordinates:
            own = session.get(Organisation, self._caller.organisation_id)
            # Alike for organisations that are there and those that are not.
            if own is None or not _is(asked, own):
                raise InvalidInputError(NOT_YOURS)
            return own.public_id
        if isinstance(asked, uuid.UUID):
            return asked  # checked where the entry is entered
        found = organisations.find_organisation(
            session, self._caller.cluster_id, name=asked.name, ror=asked.ror, corporate_number=asked.corporate_number
        )
        return (found or self._add(session, asked)).public_id

    def _add(self, session: Session, asked: OrganisationNamed) -> Organisation:
        if asked.name is None:
            raise InvalidInputError("the number names no organisation of the cluster; add its name too")
        draft = OrganisationDraft(
            name=asked.name,
            kind=OrganisationKind.UNIVERSITY if self._kind is Seed else OrganisationKind.COMPANY,
            ror=asked.ror,
            corporate_number=asked.corporate_number,
        )
        return organisations.add_organisation(session, self._caller, draft)


def _is(asked: OrganisationNamed | uuid.UUID, own: Organisation) -> bool:
    """Whether an organisation is this one: by its numbers where there are any, else by its name."""
    if isinstance(asked, uuid.UUID):
        return asked == own.public_id
    numbers = ((asked.ror, own.ror), (asked.corporate_number, own.corporate_number))
    told = [said == known for said, known in numbers if said is not None]
    # Its name is written in many ways, where a number says who it is.
    return all(told) if told else organisations.name_key(asked.name or "") in (own.name_key, own.name_en_key)
