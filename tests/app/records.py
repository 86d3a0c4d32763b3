"""The record as tests read it, and chains made apart from the database."""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enmusubi.app import record_reading
from enmusubi.app.chain import FIRST_PREVIOUS, Event, Fault, Head, Link, Verifier, content_text, link_hash
from enmusubi.app.models import RecordEvent


def link_all(session: Session) -> int:
    """Chain what waits, in the test's own transaction."""
    return session.scalar(text("select record_chain(100000)")) or 0


def found_fault(session: Session, *heads: Head) -> Fault | None:
    """The first fault of the chain in the database."""
    noted = {head.sequence: head.hash for head in heads}
    return fault_of(record_reading.links(session), Verifier(noted, record_reading.removed_before(session)))


def fault_of(links: Iterable[Link], verifier: Verifier | None = None) -> Fault | None:
    """The first fault of a chain."""
    verifier = verifier or Verifier()
    for link in links:
        if not verifier.follow(link):
            break
    return verifier.end()


def said(session: Session, **filters: Any) -> list[tuple[str | None, str | None, dict[str, Any]]]:
    """Action, kind and content of the events with these values, in their order."""
    query = select(RecordEvent).filter_by(**filters).order_by(RecordEvent.id)
    events = session.scalars(query.execution_options(populate_existing=True))
    return [(event.action, event.kind, json.loads(event.content or "{}")) for event in events]


def an_event(number: int = 1, **parts: Any) -> Event:
    """An event with some made-up content."""
    made = Event(
        salt=f"{number:064x}",
        recorded="2026-11-24T01:02:03.000004Z",
        cluster=str(uuid.UUID(int=1)),
        role="coordinator",
        actor=str(uuid.UUID(int=2)),
        organisation=None,
        action="viewed",
        kind="need",
        object=str(uuid.UUID(int=number)),
        content=content_text({"version": number}),
    )
    return replace(made, **parts)


def a_chain(events: Sequence[Event], chained: Sequence[str] | None = None) -> list[Link]:
    """Events linked one after the other."""
    links: list[Link] = []
    previous = FIRST_PREVIOUS
    for number, event in enumerate(events, start=1):
        moment = chained[number - 1] if chained else f"2026-11-24T01:02:03.{number:06d}Z"
        made = link_hash(previous, number, moment, event.digest())
        links.append(Link(number, moment, previous, event.digest(), made, event))
        previous = made
    return links


def relinked(links: Sequence[Link], start: int) -> list[Link]:
    """The chain with all hashes computed anew from the place `start` on, as who rewrites it would do."""
    changed = list(links[:start])
    previous = links[start - 1].hash if start else FIRST_PREVIOUS
    for link in links[start:]:
        digest = link.event.digest() if link.event else link.digest
        made = link_hash(previous, link.sequence, link.chained, digest)
        changed.append(replace(link, previous=previous, digest=digest, hash=made))
        previous = made
    return changed
