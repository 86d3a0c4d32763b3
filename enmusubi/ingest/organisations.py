"""Organisations from a JSON Lines file into a cluster, added or brought up to date by number or name."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.orm import Session

from enmusubi.app.catalogue import organisations
from enmusubi.app.errors import EnmusubiError, InvalidInputError
from enmusubi.app.schemas import OrganisationDraft

_LONGEST_LINE = 1_000_000  # bytes; an organisation takes a few hundred


@dataclass(slots=True)
class OrganisationsLoaded:
    """How many rows were new, changed and unchanged."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    names: list[str] = field(default_factory=list)


def load_organisations(session: Session, cluster_id: int, path: Path) -> OrganisationsLoaded:
    """Load a file of organisations, all or none; InvalidInputError names the line of the first bad row."""
    loaded = OrganisationsLoaded()
    if not path.is_file():
        raise InvalidInputError(f"{path.name}: not a file; organisations come as JSON Lines")
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=1):
            if not line.strip():
                continue
            try:
                draft = OrganisationDraft.model_validate(json.loads(line))
                _load(session, cluster_id, draft, loaded)
            except ValidationError as error:
                fault = error.errors()[0]
                column = ".".join(str(step) for step in fault["loc"]) or "the row"
                raise InvalidInputError(f"{path.name}, line {number}, {column}: {fault['msg']}") from None
            except (ValueError, RecursionError):
                raise InvalidInputError(f"{path.name}, line {number}: not a JSON object in UTF-8") from None
            except EnmusubiError as error:
                raise InvalidInputError(f"{path.name}, line {number}: {error.detail}") from None
    return loaded


def _load(session: Session, cluster_id: int, draft: OrganisationDraft, loaded: OrganisationsLoaded) -> None:
    known = organisations.find_organisation(
        session, cluster_id, name=draft.name, ror=draft.ror, corporate_number=draft.corporate_number
    )
    loaded.names.append(draft.name)
    if known is None:
        organisations.create_organisation(session, cluster_id, draft)
        loaded.new += 1
    elif organisations.update_organisation(session, known, draft):
        loaded.changed += 1
    else:
        loaded.unchanged += 1
