"""A person's own alerts."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from enmusubi.app import visibility
from enmusubi.app.caller import Caller
from enmusubi.app.catalogue.listing import Listed, PageQuery, page
from enmusubi.app.models import Alert, Match, Need, Seed


def list_alerts(session: Session, caller: Caller, query: PageQuery) -> Listed:
    """A page of the alerts that the caller has been told of, newest first: those of what it may still see.

    Not those that wait: one that went away before its turn would tell of a verdict.
    """
    pairs = (
        select(Match.id)
        .join(Need, Match.need_id == Need.id)
        .join(Seed, Match.seed_id == Seed.id)
        .where(Match.id == Alert.match_id, visibility.pairs_visible_to(caller))
        .correlate(Alert)
    )
    seeds = select(Seed.id).where(Seed.id == Alert.seed_id, visibility.seeds_visible_to(caller)).correlate(Alert)
    needs = select(Need.id).where(Need.id == Alert.need_id, visibility.needs_visible_to(caller)).correlate(Alert)
    chosen = (
        select(Alert)
        .where(Alert.account_id == caller.id, Alert.sent.is_not(None))
        .where(pairs.exists() | seeds.exists() | needs.exists())
        .options(
            joinedload(Alert.match).joinedload(Match.need).joinedload(Need.organisation),
            joinedload(Alert.match).joinedload(Match.seed).joinedload(Seed.organisation),
            joinedload(Alert.seed).joinedload(Seed.organisation),
            joinedload(Alert.need).joinedload(Need.organisation),
            joinedload(Alert.saved_search),
        )
    )
    return page(session, chosen, Alert, query)
