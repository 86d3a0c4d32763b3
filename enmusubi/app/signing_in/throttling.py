"""How often something may be tried: counted in PostgreSQL, so that several servers agree, by its clock alone."""

import datetime
import hashlib
import ipaddress
import math
from dataclasses import dataclass
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from enmusubi.app.errors import TooManyAttemptsError

_TAKE = text("select throttle_take(:bucket, :burst, :every)")
# The second only where the first was refused, whose failure writes nothing: one statement, one row's lock.
_LEASE = text(
    "with lease as materialized (select throttle_take(:bucket, :leases, :leased) as wait) select wait <= '0' as whole, "
    "case when wait > '0' then throttle_take(:bucket, :burst, :every) else wait end as wait from lease"
)
_ATTEMPT = text("select lockout_attempt(:bucket, :free, :shortest, :longest)")
_FORGET = text("select lockout_forget(:bucket)")

FREE_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Lock:
    """So many attempts are free; each further one locks for twice as long, within these bounds."""

    free: int
    shortest: datetime.timedelta
    longest: datetime.timedelta


# From one place, somebody who guesses is soon locked out, and nobody else with them.
HERE: Final = Lock(FREE_ATTEMPTS, datetime.timedelta(minutes=1), datetime.timedelta(hours=1))
# From everywhere together: far more than one stranger can try, and never for long.
EVERYWHERE: Final = Lock(100, datetime.timedelta(minutes=1), datetime.timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and one more after each interval."""

    name: str
    burst: int
    every: datetime.timedelta


def _seconds(number: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=number)


# An office behind one address signs in together in the morning; somebody who tries passwords is slowed down.
SIGN_INS: Final = Rate("sign-in", 60, _seconds(2))
LINKS: Final = Rate("link", 20, _seconds(10))
RESETS: Final = Rate("reset", 10, _seconds(60))
RESETS_OF_ONE: Final = Rate("reset of one", 3, _seconds(1200))  # from one network
RESETS_TO_ONE: Final = Rate("reset to one", 20, _seconds(180))  # from everywhere together
LETTERS: Final = Rate("letter", 50, _seconds(30))
WRONG_TOKENS: Final = Rate("wrong token", 120, _seconds(1))


def take(session: Session, rate: Rate, of: str) -> None:
    """Count one more, and commit that; TooManyAttemptsError where it is too many."""
    _run(session, _TAKE, bucket=_bucket(rate.name, of), burst=rate.burst, every=rate.every)


@dataclass(frozen=True, slots=True)
class Lease:
    """So many may be made now without being counted again; where none may, how long until one may."""

    number: int
    wait: datetime.timedelta = datetime.timedelta()


def lease(session: Session, rate: Rate, of: str, number: int) -> Lease:
    """Count so many more at once, and commit that; one where there are fewer left, none where it is too many.

    What is counted like this may not be given back: a caller that does not use it all has less.
    """
    values = {"leases": rate.burst // number, "leased": rate.every * number, "burst": rate.burst, "every": rate.every}
    row = session.execute(_LEASE, {"bucket": _bucket(rate.name, of), **values}).one()
    session.commit()
    if row.wait > datetime.timedelta():
        return Lease(0, row.wait)
    return Lease(number if row.whole else 1)


def attempt(session: Session, of: str, where: str) -> None:
    """Count an attempt at somebody's password before it is checked, and commit that; TooManyAttemptsError while locked.

    Counted where it is made (in a network, or by somebody signed in), and, with a far higher limit, everywhere. After
    the free ones each locks for twice as long, whether or not there is such an account.
    """
    for lock, bucket in ((HERE, _here(of, where)), (EVERYWHERE, _everywhere(of))):
        _run(session, _ATTEMPT, bucket=bucket, free=lock.free, shortest=lock.shortest, longest=lock.longest)


def forget(session: Session, of: str, where: str) -> None:
    """The password was right: earlier attempts there no longer count."""
    for bucket in (_here(of, where), _everywhere(of)):
        session.execute(_FORGET, {"bucket": bucket})


def network(address: str) -> str:
    """What is counted together: an IPv4 address, or the network that one subscriber of IPv6 has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _bucket(name: str, of: str) -> bytes:
    return hashlib.sha256(f"{name}\0{of}".encode("utf-8", "surrogatepass")).digest()


def _here(of: str, where: str) -> bytes:
    return _bucket("password", f"{where}\0{of}")


def _everywhere(of: str) -> bytes:
    return _bucket("password everywhere", of)


def _run(session: Session, statement: TextClause, **values: object) -> None:
    left: datetime.timedelta = session.execute(statement, values).scalar_one()
    # Before what is counted is tried: that may fail and be rolled back. And with the request's own connection: one
    # that held it and waited for a second would wait for others that do the same.
    session.commit()
    if left > datetime.timedelta():
        raise too_many("tried too often", left.total_seconds())


def too_many(what: str, wait: float) -> TooManyAttemptsError:
    """The error that says what was too much, and when to try again: after whole seconds."""
    seconds = max(1, math.ceil(wait))
    return TooManyAttemptsError(f"{what}; try again in {seconds:,} seconds", seconds)
