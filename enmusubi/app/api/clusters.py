"""The settings of a cluster."""

import uuid

from fastapi import APIRouter, Response

from enmusubi.app.catalogue import cluster_settings
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, ExpectedVersion, etag
from enmusubi.app.life_shown import ClusterSettingsOut
from enmusubi.app.schemas import ClusterSettingsRevision
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/clusters", tags=["clusters"])


@router.get("/{cluster_id}/settings", openapi_extra=allows(Scope.READ))
def read_cluster_settings(cluster_id: uuid.UUID, asked: AskedNow, response: Response) -> ClusterSettingsOut:
    """What your cluster decides for itself; for those who oversee it."""
    settings = cluster_settings.read_settings(asked.session, asked.caller, cluster_id)
    response.headers.update(etag(settings.version))
    return ClusterSettingsOut.model_validate(settings)


@router.patch("/{cluster_id}/settings", openapi_extra=allows(Scope.ADMINISTER))
def revise_cluster_settings(
    cluster_id: uuid.UUID,
    revision: ClusterSettingsRevision,
    asked: AskedNow,
    version: ExpectedVersion,
    response: Response,
) -> ClusterSettingsOut:
    """Change the settings given; for cluster administrators."""
    settings = cluster_settings.revise_settings(asked.session, asked.caller, cluster_id, version, revision)
    response.headers.update(etag(settings.version))
    return ClusterSettingsOut.model_validate(settings)
