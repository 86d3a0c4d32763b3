"""What a cluster decides for itself: terms of introductions, and what is looked at before it is published."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from enmusubi.app.catalogue import cluster_settings
from enmusubi.app.clusters import own_cluster
from enmusubi.app.life_shown import ClusterSettingsOut
from enmusubi.app.permissions import Relation, Right, may
from enmusubi.app.schemas import ClusterSettingsRevision
from enmusubi.app.web.accounts import office
from enmusubi.app.web.accounts.fields import version_of
from enmusubi.app.web.asking import Screen, ScreenNow, text_of
from enmusubi.app.web.forms import Filled, read
from enmusubi.app.web.languages import N_

router = APIRouter(prefix="/settings")

TERMS: Final = {
    "answer_days": N_("For a side to answer whether it wants to be introduced"),
    "introduce_days": N_("For a coordinator to introduce what is shortlisted"),
    "disclose_days": N_("For a coordinator to disclose after two yeses"),
    "meeting_days": N_("For a coordinator to bring about a meeting"),
    "report_days": N_("For a coordinator to report what came of it"),
    "outcome_days": N_("For a coordinator to report the outcome of an agreement"),
}
LATE: Final = {
    "warn_days": N_("Before the last day, when whoever is waited for is told"),
    "remind_days": N_("After the last day, until whoever is late is reminded"),
    "escalate_days": N_("After that, until the coordinator is told"),
    "raise_days": N_("After that, until the cluster administrators are told"),
    "lapse_days": N_("After that, until what nobody answered is declined"),
}


@router.get("")
def page_settings(screen: ScreenNow) -> Response:
    """The settings; a form for who may change them."""
    return _settings(screen)


@router.post("")
def do_revise_settings(screen: ScreenNow) -> Response:
    """Change them."""
    version = version_of(screen.form)
    draft, filled = read(ClusterSettingsRevision, screen.form, screen.speech)
    for name in ClusterSettingsRevision.model_fields:
        if not text_of(screen.form, name).strip():
            filled.add(name, screen.speech.say(N_("is needed")))
    filled.values = {**filled.values, "version": version}
    if draft is None or not filled.is_right:
        return _settings(screen, filled)
    own = own_cluster(screen.session, screen.caller).public_id
    cluster_settings.revise_settings(screen.session, screen.caller, own, version, draft)
    return screen.go("/settings", done="saved")


def _settings(screen: Screen, filled: Filled | None = None) -> Response:
    cluster = own_cluster(screen.session, screen.caller)
    settings = cluster_settings.read_settings(screen.session, screen.caller, cluster.public_id)
    now = {**ClusterSettingsOut.model_validate(settings).model_dump(), "version": settings.version}
    return screen.show(
        "accounts/settings.html", 422 if filled else 200, filled=filled or Filled(now), now=now, terms=TERMS, late=LATE,
        changes=may(screen.caller, Right.CHANGE_SETTINGS, Relation.HERE), office=office.links(screen),
    )  # fmt: skip
