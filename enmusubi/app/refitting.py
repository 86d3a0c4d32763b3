"""Fit the calibration and the policy to this installation's reviews, and take them into use where they prove better."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from enmusubi.app import fittings, reviewed
from enmusubi.app.recording import Operator, record
from enmusubi.app.reviewed import Decisions, JudgedLists, Model
from enmusubi.app.vocabulary import Action, FittingKind, RecordedKind
from enmusubi.matching.calibration import LEAST_LISTS, Calibration, HeldOut, cross_validate, fit, shipped
from enmusubi.matching.learning import Learned
from enmusubi.matching.learning import learn as learn_from
from enmusubi.matching.policy import DEFAULT

LEAST_OF_EACH: Final = 10
"""So many entries that were worth a look, and so many that were not, are needed: one kind alone says nothing."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of the reviews: the calibration fitted, if there were enough, and whether it is used, and why."""

    policy: str
    judged: JudgedLists
    adopted: bool
    reason: str
    fitted: Calibration | None = None
    held_out: HeldOut | None = None


@dataclass(frozen=True, slots=True)
class LearnedHere:
    """What came of the reviews, and what they were."""

    read: Decisions
    learned: Learned


def calibrate(session: Session, model: Model, *, dry_run: bool = False) -> Calibrated:
    """Fit the calibration to the reviews of the policy in use, shrunk to the shipped one.

    It is switched on where it does as well as the shipped one or better by the mean log loss of reviewed entries, in
    five parts of the needs each held out in turn; otherwise the shipped one is. Nothing is written on a dry run.
    """
    if not dry_run:
        fittings.take_turns(session)
    policy = fittings.ranking_policy(session, model).name
    judged = reviewed.judged_lists(session, model, policy)
    outcome = _calibrated(judged, policy)
    if not dry_run:
        if outcome.fitted is None:
            fittings.switch_off(session, FittingKind.CALIBRATION)
        else:
            fittings.keep(session, FittingKind.CALIBRATION, outcome.fitted, model, use=outcome.adopted)
        fitted = outcome.fitted.name if outcome.fitted else None
        _record(session, FittingKind.CALIBRATION, fitted, adopted=outcome.adopted)
    return outcome


def learn(session: Session, model: Model, *, dry_run: bool = False) -> LearnedHere:
    """Learn a policy from the reviews, shrunk to the default; it ranks from then on only where it proves better.

    Learned is from all reviews anew each time: where they do not show it to be better, the default ranks again.
    Nothing is written on a dry run.
    """
    if not dry_run:
        fittings.take_turns(session)
    read = reviewed.decisions(session, model)
    learned = learn_from(read.decisions, DEFAULT)
    if not dry_run:
        if learned.proposed is None:
            fittings.switch_off(session, FittingKind.POLICY)
        else:
            fittings.keep(session, FittingKind.POLICY, learned.proposed, model, use=learned.adopted)
        proposed = learned.proposed.name if learned.proposed else None
        _record(session, FittingKind.POLICY, proposed, adopted=learned.adopted)
    return LearnedHere(read, learned)


def _record(session: Session, kind: FittingKind, fitted: str | None, *, adopted: bool) -> None:
    said = {"fitting": str(kind), "fitted": fitted, "adopted": adopted}
    record(session, Operator(), Action.FITTED, RecordedKind.FITTING, None, **said)


def _calibrated(judged: JudgedLists, policy: str) -> Calibrated:
    before = shipped()
    worth, not_worth = judged.verdicts
    counts = f"{worth + not_worth} reviewed entries of {len(judged.lists)} needs, {worth} of them worth a look"
    if len(judged.lists) < LEAST_LISTS or min(worth, not_worth) < LEAST_OF_EACH:
        needed = f"at least {LEAST_LISTS} needs, {LEAST_OF_EACH} entries worth a look and {LEAST_OF_EACH} that are not"
        return Calibrated(
            policy, judged, False, f"{before.name} stays: too few reviews: {counts}; {needed}, are needed"
        )
    held_out = cross_validate(judged.lists, policy=policy, before=before)
    fitted = fit(judged.lists, name="reviews", policy=policy, shrink_to=before)
    fitted = replace(fitted, name=f"reviews-{fitted.digest[:8]}")
    figures = (
        f"{counts}; on needs held out, mean log loss {held_out.fitted:.4f} with it, {held_out.before:.4f} with "
        f"{before.name}"
    )
    if held_out.not_worse:
        reason = f"{fitted.name} replaces {before.name}: {figures}"
    else:
        reason = f"{before.name} stays: probabilities would be worse: {figures}"
    return Calibrated(policy, judged, held_out.not_worse, reason, fitted, held_out)
