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
_ATTEMPT = text("select lockout_attempt(:bucket, :free, :shortest, :longest)")
_FORGET = text("select lockout_forget(:bucket)")

FREE_ATTEMPTS: Final = 5
SHORTEST: Final = datetime.timedelta(minutes=1)
LONGEST: Final = datetime.timedelta(hours=1)


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
RESETS_OF_ONE: Final = Rate("reset of one", 3, _seconds(1200))
LETTERS: Final = Rate("letter", 50, _seconds(30))
WRONG_TOKENS: Final = Rate("wrong token", 120, _seconds(1))


def take(session: Session, rate: Rate, of: str) -> None:
    """Count one more, and commit that; TooManyAttemptsError where it is too many."""
    _run(session, _TAKE, bucket=_bucket(rate.name, of), burst=rate.burst, every=rate.every)


def attempt(session: Session, of: str) -> None:
    """Count an attempt at somebody's password before it is checked, and commit that; TooManyAttemptsError while locked.

    After five, each further attempt locks for twice as long, whether or not there is such an account.
    """
    _run(session, _ATTEMPT, bucket=_lock(of), free=FREE_ATTEMPTS, shortest=SHORTEST, longest=LONGEST)


def forget(session: Session, of: str) -> None:
    """The password was right: earlier attempts no longer count."""
    session.execute(_FORGET, {"bucket": _lock(of)})


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


def _lock(of: str) -> bytes:
    return _bucket("password", of)


def _run(session: Session, statement: TextClause, **values: object) -> None:
    left: datetime.timedelta = session.execute(statement, values).scalar_one()
    # Before what is counted is tried: that may fail and be rolled back. And with the request's own connection: one
    # that held it and waited for a second would wait for others that do the same.
    session.commit()
    if left > datetime.timedelta():
        seconds = math.ceil(left.total_seconds())
        raise TooManyAttemptsError(f"tried too often; try again in {seconds:,} seconds", seconds)
