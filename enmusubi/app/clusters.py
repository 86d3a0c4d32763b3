"""Clusters: one's own, as what its indicators and its chain hang on."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enmusubi.app.caller import Caller
from enmusubi.app.errors import NotFoundError
from enmusubi.app.models import Cluster
from enmusubi.app.permissions import Relation, Right, require


def read_cluster(session: Session, caller: Caller, public_id: uuid.UUID, right: Right) -> Cluster:
    """A cluster of which the caller may do this; NotFoundError for another one as for none, or what the policy says."""
    cluster = session.scalar(select(Cluster).where(Cluster.public_id == public_id))
    if cluster is None:
        raise NotFoundError("no such thing, or it is not open to you")
    require(caller, right, Relation.HERE if cluster.id == caller.cluster_id else Relation.ELSEWHERE)
    return cluster


def own_cluster(session: Session, caller: Caller) -> Cluster:
    """The cluster of the account that asks."""
    return session.get_one(Cluster, caller.cluster_id)
