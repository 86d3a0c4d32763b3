"""One's cluster: its settings, its indicators by fiscal year, and its chain of innovation."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Response

from enmusubi.app import indicators, indicators_table, lineage
from enmusubi.app.catalogue import cluster_settings
from enmusubi.app.clusters import own_cluster
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import AskedNow, ExpectedVersion, RuntimeNow, etag
from enmusubi.app.indicators_shown import IndicatorsOut, indicators_out
from enmusubi.app.life_shown import ClusterSettingsOut
from enmusubi.app.lineage_shown import ChainOut, chain_out
from enmusubi.app.representations import ClusterOut, Page
from enmusubi.app.schemas import ClusterSettingsRevision
from enmusubi.app.vocabulary import Scope

router = APIRouter(prefix="/clusters", tags=["clusters"])

CSV = "text/csv; charset=utf-8; header=present"


@router.get("", openapi_extra=allows(Scope.READ))
def list_clusters(asked: AskedNow) -> Page[ClusterOut]:
    """Your cluster."""
    return Page[ClusterOut](items=[ClusterOut.model_validate(own_cluster(asked.session, asked.caller))], next=None)


@router.get("/{cluster_id}/indicators", openapi_extra=allows(Scope.READ))
def read_indicators(
    cluster_id: uuid.UUID,
    query: Annotated[indicators.IndicatorsQuery, Query()],
    asked: AskedNow,
    runtime: RuntimeNow,
) -> IndicatorsOut:
    """Counts, amounts and times of a fiscal year, by organisation, field or coordinator; for overseers."""
    oldest = runtime.settings.indicators_seconds
    return indicators_out(indicators.read(asked.session, asked.caller, cluster_id, query, oldest, "read"))


@router.get(
    "/{cluster_id}/indicators.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}},
    openapi_extra=allows(Scope.READ),
)
def export_indicators(
    cluster_id: uuid.UUID,
    query: Annotated[indicators.IndicatorsTableQuery, Query()],
    asked: AskedNow,
    runtime: RuntimeNow,
) -> Response:
    """The same as a table for spreadsheets, with headings in Japanese or English."""
    oldest = runtime.settings.indicators_seconds
    found = indicators.read(asked.session, asked.caller, cluster_id, query, oldest, "table")
    headers = {"Content-Disposition": f'attachment; filename="indicators-{found.year}.csv"'}
    return Response(indicators_table.as_csv(found, query.language), media_type=CSV, headers=headers)


@router.get("/{cluster_id}/chain", openapi_extra=allows(Scope.READ))
def read_chain(cluster_id: uuid.UUID, query: Annotated[lineage.ChainQuery, Query()], asked: AskedNow) -> ChainOut:
    """The chain of innovation: what grew from what, in generations, as far as you may see it."""
    return chain_out(lineage.read(asked.session, asked.caller, cluster_id, query))


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
