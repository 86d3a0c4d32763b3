"""How often one account may call: counted in PostgreSQL some calls at a time, in memory until these are used up."""

import datetime
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from sqlalchemy.orm import Session

from enmusubi.app.auth import Identified
from enmusubi.app.signing_in import throttling
from enmusubi.app.signing_in.throttling import Rate, too_many

logger = logging.getLogger(__name__)

_MINUTE: Final = datetime.timedelta(minutes=1)
# A tenth, so that what one server keeps is little of what all may give; more would save hardly anything.
_SHARE: Final = 10
_MOST_LEASED: Final = 20
KEPT_SECONDS: Final = 600.0
MOST_KEPT: Final = 10_000  # some megabytes; of accounts beyond it the one that called longest ago leases anew
_TOLD_SECONDS: Final = 60.0


@dataclass(slots=True)
class _Kept:
    """What is left of an account's lease, by the seconds that this process counts."""

    lock: Lock = field(default_factory=Lock)
    left: int = 0
    until: float = 0.0
    shut_until: float = 0.0
    """Before that the database would refuse too: nothing of what was counted is ever given back."""
    told_until: float = 0.0


class Calls:
    """Counts calls of accounts, those by tokens and those by sessions apart; threads may share it.

    Apart, so that who finds a token of theirs running away, or stolen, can sign in and revoke it.
    """

    def __init__(
        self,
        most: int,
        elapsed: Callable[[], float] = time.monotonic,
        within: datetime.timedelta = _MINUTE,
        most_kept: int = MOST_KEPT,
    ) -> None:
        """So many at once, and as many again spread over each such time; 0 for no limit."""
        self._most = most
        self._elapsed = elapsed
        self._most_kept = most_kept
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()
        every = within / max(most, 1)
        self._by_token = Rate("call by token", most, every)
        self._by_session = Rate("call by session", most, every)
        self._leased = max(1, min(most // _SHARE, _MOST_LEASED))

    def __len__(self) -> int:
        """Of how many accounts something is kept."""
        return len(self._kept)

    def count(self, identified: Identified, aside: Callable[[], AbstractContextManager[Session]]) -> None:
        """Count a call, whatever becomes of it; TooManyAttemptsError where it is one too many.

        `aside` opens a session that shares nothing with the request's transaction: what is counted stays counted when
        the request fails, and other requests of the account do not wait for this one to end.
        """
        if not self._most:
            return
        rate = self._by_session if identified.by_session else self._by_token
        kept = self._kept_of((rate.name, identified.caller.id))
        # Whoever comes while a lease is taken waits for it, and shares it.
        with kept.lock:
            now = self._elapsed()
            if kept.left and now < kept.until:
                kept.left -= 1
                return
            if now >= kept.shut_until:
                with aside() as session:
                    leased = throttling.lease(session, rate, str(identified.caller.id), self._leased)
                now = self._elapsed()
                if leased.number:
                    kept.left, kept.until = leased.number - 1, now + KEPT_SECONDS
                    return
                kept.shut_until = now + leased.wait.total_seconds()
            self._tell(kept, rate, identified, now)
            raise too_many("this account calls too often", kept.shut_until - now)

    def _kept_of(self, key: tuple[str, int]) -> _Kept:
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
            kept = self._kept[key] = _Kept()
            if len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
            return kept

    def _tell(self, kept: _Kept, rate: Rate, identified: Identified, now: float) -> None:
        # Once in a while: whoever runs the server may know which program it is.
        if now >= kept.told_until:
            kept.told_until = now + _TOLD_SECONDS
            logger.warning("%s: account %s has used up its calls", rate.name, identified.caller.public_id)
