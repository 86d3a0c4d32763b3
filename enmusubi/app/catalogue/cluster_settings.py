"""What a cluster decides for itself: read by who oversees it, changed by its administrators."""

import uuid

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.errors import NotFoundError, PreconditionFailedError
from enmusubi.app.models import Cluster, ClusterSettings
from enmusubi.app.permissions import Relation, Right, require
from enmusubi.app.recording import record
from enmusubi.app.vocabulary import Action, RecordedKind


def read_settings(session: Session, caller: Caller, cluster: uuid.UUID) -> ClusterSettings:
    """The settings of the caller's cluster; NotFoundError for another one."""
    return _of(session, caller, cluster, Right.READ_SETTINGS)


def revise_settings(
    session: Session, caller: Caller, cluster: uuid.UUID, version: int | None, changes: BaseModel
) -> ClusterSettings:
    """Change the settings that are given; PreconditionFailedError where `version` is not the present one."""
    settings = _of(session, caller, cluster, Right.CHANGE_SETTINGS, lock=True)
    if version is not None and settings.version != version:
        raise PreconditionFailedError(
            "somebody changed them after you read them; read them again and repeat your change",
            present=f'"{settings.version}"',
        )
    given = changes.model_dump(exclude_unset=True, mode="json")
    changed = {name: value for name, value in given.items() if getattr(settings, name) != value}
    for name, value in changed.items():
        setattr(settings, name, value)
    if changed:
        session.flush()
        record(session, caller, Action.REVISED, RecordedKind.CLUSTER, cluster, version=settings.version, **changed)
    return settings


def _of(session: Session, caller: Caller, cluster: uuid.UUID, right: Right, *, lock: bool = False) -> ClusterSettings:
    query = (
        select(ClusterSettings)
        .join(Cluster, Cluster.id == ClusterSettings.cluster_id)
        .where(Cluster.public_id == cluster, Cluster.id == caller.cluster_id)
    )
    settings = session.scalar(query)
    if settings is None:
        raise NotFoundError("no such cluster, or it is not yours")
    require(caller, right, Relation.HERE)
    if lock:
        session.refresh(settings, with_for_update={"of": ClusterSettings})
    return settings
