"""`enmusubi audit`: how far the record goes, whether it holds, copies of it, and what is removed in time."""

import datetime
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from sqlalchemy import BigInteger, func, select

from enmusubi.app import chain_file, record_reading, recording
from enmusubi.app.chain import Fault, Head, Link, Verifier
from enmusubi.app.cli import showing
from enmusubi.app.cli.opening import opened, read_settings
from enmusubi.app.errors import InvalidInputError
from enmusubi.app.vocabulary import Action, RecordedKind

_TOLD_EVERY: Final = 500  # events


def head() -> None:
    """Print how far the record goes; kept elsewhere, it shows later whether anything before it was changed."""
    with opened(read_settings()) as database:
        recording.chain(database)
        with database.session() as session:
            now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            print(f"{recording.head(session)} {now}")  # noqa: T201 alone on its line, so that it can be kept


def verify(head: str | None, file: Path | None) -> bool:
    """Follow the whole chain and print the first fault; whether there is none."""
    heads = chain_file.read_heads(head) if head is not None else {}
    if file is not None:
        return _verify_file(file, heads)
    with opened(read_settings()) as database, database.session() as session:
        verifier = Verifier(heads, record_reading.removed_before(session))
        with _told("verifying", recording.head(session).sequence) as advance:
            for link in record_reading.links(session):
                if not verifier.follow(link):
                    break
                advance()
        fault = verifier.end()
        waiting = record_reading.waiting(session)
        others = (
            []
            if fault
            else _faults_of_actors(record_reading.unexplained_actors(session), record_reading.false_actors(session))
        )
    _show(verifier, fault)
    if waiting:
        Console().print(f"{waiting:,} events are not linked yet", highlight=False)
    for problem in others:
        Console().print(f"[red]broken:[/] {problem}", highlight=False, soft_wrap=True)
    return fault is None and not others


def export(path: Path) -> None:
    """Write the whole chain to a file that `verify --file` reads anywhere."""
    with opened(read_settings()) as database:
        recording.chain(database)
        with database.session() as session:
            total = recording.head(session).sequence
            last = Head()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as out, _told("exporting", total) as advance:
                for link in record_reading.links(session):
                    out.write(chain_file.as_line(link))
                    last = Head(link.sequence, link.hash)
                    advance()
                out.write(chain_file.head_line(last))
            recording.record(
                session,
                recording.Operator(),
                Action.EXPORTED,
                RecordedKind.RECORD,
                None,
                after=0,
                through=last.sequence,
            )
            session.commit()
    Console().print(f"{last.sequence:,} events; the head is {last}", highlight=False, soft_wrap=True)


def retain(before: datetime.datetime | None) -> None:
    """Empty the events before a day: their hashes stay, so that the chain still holds."""
    settings = read_settings()
    now = datetime.datetime.now(datetime.UTC)
    if before is None:
        if settings.record_days is None:
            raise InvalidInputError("say --before YYYY-MM-DD, or set ENMUSUBI_RECORD_DAYS")
        limit = now - datetime.timedelta(days=settings.record_days)
    else:
        limit = before.replace(tzinfo=datetime.UTC)
        if limit > now:
            raise InvalidInputError("--before: that day is still to come")
    with opened(settings) as database:
        recording.chain(database)
        with database.session() as session:
            removed = session.scalar(select(func.record_retain(limit, type_=BigInteger)))
            session.commit()
    Console().print(f"{removed:,} events before {limit:%Y-%m-%d %H:%M} UTC emptied", highlight=False)


def _verify_file(path: Path, heads: dict[int, bytes]) -> bool:
    if not path.is_file():
        raise InvalidInputError(f"{path.name}: not a file; `enmusubi audit export` writes one")
    total, removed_before = 0, ""
    for each in chain_file.read(path):
        total += 1
        if isinstance(each, Link):
            removed_before = max(removed_before, each.removes_before())
    verifier = Verifier(heads, removed_before, start=None)
    ended = False
    with _told("verifying", total) as advance:
        for each in chain_file.read(path):
            ended = isinstance(each, Head)
            if isinstance(each, Head):
                verifier.note(each)
            elif not verifier.follow(each):
                break
            advance()
    fault = verifier.end()
    if fault is None and not ended:
        fault = Fault(verifier.last.sequence + 1, "truncated", "the file does not end with a head: its end is missing")
    _show(verifier, fault)
    return fault is None


def _faults_of_actors(unexplained: int, false: int) -> list[str]:
    faults = []
    if unexplained:
        faults.append(
            f"{unexplained:,} pseudonyms of events belong to no account, and no event says that they were erased"
        )
    if false:
        faults.append(f"{false:,} accounts have a pseudonym that is not theirs")
    return faults


def _show(verifier: Verifier, fault: Fault | None) -> None:
    console = Console()
    if fault is not None:
        held = f"; the {verifier.events:,} before it hold" if verifier.events else ""
        text = f"[red]broken at event {fault.sequence}:[/] {fault.kind}: {escape(fault.problem)}{held}"
        console.print(text, highlight=False, soft_wrap=True)
        return
    parts = [f"{verifier.events:,} events hold"]
    if (verifier.began_at or 1) > 1:
        parts.append(f"from event {verifier.began_at} on")
    if verifier.removed:
        parts.append(f"{verifier.removed:,} of them emptied in time")
    if verifier.withheld:
        parts.append(f"{verifier.withheld:,} of them withheld or emptied")
    console.print(f"[green]{', '.join(parts)}[/]; the head is {verifier.last}", highlight=False, soft_wrap=True)


@contextmanager
def _told(label: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar for long chains; yields what is called at each event."""
    with ExitStack() as stack:
        shown = total >= _TOLD_EVERY and sys.stderr.isatty()
        advance = stack.enter_context(showing.progress(label, total)) if shown else None
        passed = 0

        def one() -> None:
            nonlocal passed
            passed += 1
            if advance is not None and passed % _TOLD_EVERY == 0:
                advance(_TOLD_EVERY)

        yield one
