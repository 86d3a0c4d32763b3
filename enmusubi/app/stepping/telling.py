"""Whom a step is told to: notices for audiences, with codes and days and nothing of who is on the other side."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from enmusubi.app.models import Match, MatchStep, Wait
from enmusubi.app.notifying import notify
from enmusubi.app.vocabulary import Audience, Awaited, NoticeKind, Side, Step

_AUDIENCES: Final[Mapping[Side, Audience]] = {
    Side.NEED: Audience.NEED_SIDE,
    Side.SEED: Audience.SEED_SIDE,
    Side.CLUSTER: Audience.COORDINATORS,
}
_CLOSES: Final = (Step.DECLINE, Step.CLOSE, Step.LAPSE)
_OVERDUE: Final[Mapping[Step, Audience | None]] = {
    Step.REMIND: None,  # whoever is awaited
    Step.ESCALATE: Audience.COORDINATORS,
    Step.RAISE: Audience.ADMINISTRATORS,
}


def tell(session: Session, match: Match, taken: MatchStep, begun: Iterable[Wait]) -> None:
    """Write down the notices of a step; `begun` is what is waited for since then."""
    step, by = Step(taken.step), Side(taken.side)
    if step in _OVERDUE:
        to = _OVERDUE[step] or _AUDIENCES[Side(taken.facts["side"])]
        _notify(session, match, NoticeKind.STEP_OVERDUE, to, taken.facts)
    elif step in _CLOSES:
        for side in Side:
            # The clock's and a coordinator's are told to both sides, a side's to the other and the coordinators.
            if side is not by or step is Step.LAPSE:
                _notify(session, match, NoticeKind.INTRODUCTION_CLOSED, _AUDIENCES[side], {"reason": taken.reason})
    elif step is Step.DISCLOSE:
        for side in (Side.NEED, Side.SEED):
            _notify(session, match, NoticeKind.DISCLOSED, _AUDIENCES[side], {})
    elif step in (Step.EXPRESS_INTEREST, Step.ACCEPT):
        _notify(session, match, NoticeKind.INTEREST_ANSWERED, Audience.COORDINATORS, {"side": by, "step": step})
    for wait in begun:
        if wait.awaited == Awaited.ANSWER:
            due = {"due_on": wait.due_on.isoformat()}
            _notify(session, match, NoticeKind.INTEREST_ASKED, _AUDIENCES[Side(wait.acts)], due)


def tell_due(session: Session, match: Match, wait: Wait) -> None:
    """Tell whoever is waited for that the last day is near."""
    _notify(session, match, NoticeKind.STEP_DUE, _AUDIENCES[Side(wait.acts)], wait_facts(wait))


def wait_facts(wait: Wait) -> dict[str, str]:
    """What everybody may know of a wait."""
    return {"awaited": wait.awaited, "side": wait.acts, "due_on": wait.due_on.isoformat()}


def tell_nobody(session: Session, match: Match | int, cluster_id: int, side: Side) -> None:
    """Tell the coordinators, and them alone, that a side is waited for which has nobody to answer."""
    notify(
        session, cluster_id=cluster_id, kind=NoticeKind.NOBODY_ANSWERS, audience=Audience.COORDINATORS, match=match,
        facts={"side": str(side)},
    )  # fmt: skip


def _notify(session: Session, match: Match, kind: NoticeKind, audience: Audience, facts: Mapping[str, Any]) -> None:
    notify(session, cluster_id=match.cluster_id, kind=kind, audience=audience, match=match, facts=facts)
