"""Steps of an entry's life: submit, hold, resume, renew, archive; a second pair of eyes, and what waits for it."""

import datetime
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from enmusubi.app.catalogue import listing, steps
from enmusubi.app.credentials import allows
from enmusubi.app.dependencies import Asked, AskedNow, ExpectedVersion, MatchmakingNow, TodayNow, etag
from enmusubi.app.life_shown import LifeOut, WaitingOut, life_out, waiting_out
from enmusubi.app.models import Need, Seed
from enmusubi.app.representations import Page
from enmusubi.app.schemas import PublicationVerdictDraft
from enmusubi.app.vocabulary import EntryStep, Scope

router = APIRouter(tags=["lifecycle"])

Until = Annotated[
    datetime.date | None, Query(description="The new last day: 365 days from now if left out; two years at most")
]


class WaitingQuery(listing.PageQuery):
    """Which entries that wait."""

    kind: Literal["seeds", "needs"] = "seeds"


def _shown(asked: Asked, kind: steps.Kind, public_id: uuid.UUID, response: Response) -> LifeOut:
    life = life_out(steps.read_life(asked.session, asked.caller, kind, public_id))
    response.headers.update(etag(life.version))
    return life


@router.get("/waiting", openapi_extra=allows(Scope.READ))
def list_waiting(query: Annotated[WaitingQuery, Query()], asked: AskedNow) -> Page[WaitingOut]:
    """Entries of your cluster that wait for a second pair of eyes, newest first; for those who oversee it."""
    kind: steps.Kind = Seed if query.kind == "seeds" else Need
    listed = steps.list_waiting(asked.session, asked.caller, kind, query)
    return Page[WaitingOut](items=[waiting_out(entry) for entry in listed.rows], next=listed.next)


@router.get("/seeds/{seed_id}/lifecycle", openapi_extra=allows(Scope.READ))
def seed_lifecycle(seed_id: uuid.UUID, asked: AskedNow, response: Response) -> LifeOut:
    """Where a seed stands, which steps you can take, what reviewers said; for its own organisation and overseers."""
    return _shown(asked, Seed, seed_id, response)


@router.post("/seeds/{seed_id}/submit", openapi_extra=allows(Scope.WRITE))
def submit_seed(
    seed_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Publish a draft, or what was rejected; it goes under review first where the cluster wants that."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Seed, seed_id, version, EntryStep.SUBMIT, encoder, today)
    return _shown(asked, Seed, seed_id, response)


@router.post("/seeds/{seed_id}/hold", openapi_extra=allows(Scope.WRITE))
def hold_seed(
    seed_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Take it off the catalogue for a while."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Seed, seed_id, version, EntryStep.HOLD, encoder, today)
    return _shown(asked, Seed, seed_id, response)


@router.post("/seeds/{seed_id}/resume", openapi_extra=allows(Scope.WRITE))
def resume_seed(
    seed_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Put what is on hold or archived back into the catalogue."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Seed, seed_id, version, EntryStep.RESUME, encoder, today)
    return _shown(asked, Seed, seed_id, response)


@router.post("/seeds/{seed_id}/renew", openapi_extra=allows(Scope.WRITE))
def renew_seed(
    seed_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
    expires_on: Until = None,
) -> LifeOut:
    """Keep it for longer; what has expired is published again."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Seed, seed_id, version, EntryStep.RENEW, encoder, today, expires_on)
    return _shown(asked, Seed, seed_id, response)


@router.post("/seeds/{seed_id}/archive", openapi_extra=allows(Scope.WRITE))
def archive_seed(
    seed_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Put it aside for good: it is kept, and its words are not changed any more."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Seed, seed_id, version, EntryStep.ARCHIVE, encoder, today)
    return _shown(asked, Seed, seed_id, response)


@router.post("/seeds/{seed_id}/review", openapi_extra=allows(Scope.REVIEW))
def review_seed(
    seed_id: uuid.UUID,
    draft: PublicationVerdictDraft,
    asked: AskedNow,
    version: ExpectedVersion,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Approve or reject a seed that waits for it; not by whoever submitted it."""
    steps.review(asked.session, asked.caller, Seed, seed_id, version, draft.verdict, draft.reason, today)
    return _shown(asked, Seed, seed_id, response)


@router.get("/needs/{need_id}/lifecycle", openapi_extra=allows(Scope.READ))
def need_lifecycle(need_id: uuid.UUID, asked: AskedNow, response: Response) -> LifeOut:
    """Where a need stands, which steps you can take, what reviewers said; for its own organisation and overseers."""
    return _shown(asked, Need, need_id, response)


@router.post("/needs/{need_id}/submit", openapi_extra=allows(Scope.WRITE))
def submit_need(
    need_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Publish a draft, or what was rejected; it goes under review first where the cluster wants that."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Need, need_id, version, EntryStep.SUBMIT, encoder, today)
    return _shown(asked, Need, need_id, response)


@router.post("/needs/{need_id}/hold", openapi_extra=allows(Scope.WRITE))
def hold_need(
    need_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Take it off the catalogue for a while."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Need, need_id, version, EntryStep.HOLD, encoder, today)
    return _shown(asked, Need, need_id, response)


@router.post("/needs/{need_id}/resume", openapi_extra=allows(Scope.WRITE))
def resume_need(
    need_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Put what is on hold or archived back into the catalogue."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Need, need_id, version, EntryStep.RESUME, encoder, today)
    return _shown(asked, Need, need_id, response)


@router.post("/needs/{need_id}/renew", openapi_extra=allows(Scope.WRITE))
def renew_need(
    need_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
    expires_on: Until = None,
) -> LifeOut:
    """Keep it for longer; what has expired is published again."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Need, need_id, version, EntryStep.RENEW, encoder, today, expires_on)
    return _shown(asked, Need, need_id, response)


@router.post("/needs/{need_id}/archive", openapi_extra=allows(Scope.WRITE))
def archive_need(
    need_id: uuid.UUID,
    asked: AskedNow,
    version: ExpectedVersion,
    matchmaking: MatchmakingNow,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Put it aside for good: it is kept, and its words are not changed any more."""
    encoder = matchmaking.encoder
    steps.take(asked.session, asked.caller, Need, need_id, version, EntryStep.ARCHIVE, encoder, today)
    return _shown(asked, Need, need_id, response)


@router.post("/needs/{need_id}/review", openapi_extra=allows(Scope.REVIEW))
def review_need(
    need_id: uuid.UUID,
    draft: PublicationVerdictDraft,
    asked: AskedNow,
    version: ExpectedVersion,
    today: TodayNow,
    response: Response,
) -> LifeOut:
    """Approve or reject a need that waits for it; not by whoever submitted it."""
    steps.review(asked.session, asked.caller, Need, need_id, version, draft.verdict, draft.reason, today)
    return _shown(asked, Need, need_id, response)
