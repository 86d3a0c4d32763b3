"""A learned policy where the reviews show that it serves better, the default everywhere else, and the reason why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from enmusubi.matching.learning.fitting import fit
from enmusubi.matching.learning.reviews import Comparisons, Decision, compare
from enmusubi.matching.learning.validating import Validation, cross_validate
from enmusubi.matching.policy import DEFAULT, PARTS, LearnedFrom, Policy, digest_of

MINIMUM_DECISIONS: Final = 100
MINIMUM_GROUPS: Final = 15
SIGNIFICANCE: Final = 0.025

_WORSE: Final = 0.1  # a fall of the order that chance would seldom bring outweighs a rise of the likelihood
_DECIMALS: Final = 3  # of a learned weight: the same on every machine, and readable


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of the reviews: the policy to use, and why it is that one.

    `policy` is the default unless `adopted`. `proposed` has the weights that were learned, adopted or not; it and
    `validation` are None where the reviews were too few to try. `decisions` counts reviewed candidates, `groups` the
    asking entries with both verdicts, `contradictions` the candidates left out because their reviews cancel out.
    """

    policy: Policy
    adopted: bool
    reason: str
    decisions: int
    groups: int
    contradictions: int
    proposed: Policy | None = None
    validation: Validation | None = None


def learn(
    decisions: Iterable[Decision],
    default: Policy = DEFAULT,
    *,
    minimum_decisions: int = MINIMUM_DECISIONS,
    minimum_groups: int = MINIMUM_GROUPS,
    significance: float = SIGNIFICANCE,
) -> Learned:
    """Learn weights from all reviews so far; adopt them only where cross-validation beats the default.

    `groups` are asking entries that have both an accepted and a dismissed candidate. The order of the decisions does
    not matter, and the same decisions give the same policy. ValueError for a default without similarity, which fixes
    the scale, a minimum too small to cross-validate, or a significance outside 0 to 0.05.
    """
    if default.weights["similarity"] <= 0:
        raise ValueError(f"policy {default.name}: similarity must weigh more than 0, it fixes the scale of the score")
    if minimum_groups < 5 or minimum_decisions < 0:
        raise ValueError(
            "learning cross-validates in five parts: minimum_groups is 5 or more, minimum_decisions 0 or more"
        )
    if not 0 < significance <= 0.05:
        raise ValueError(f"significance is {significance}; it must be above 0 and at most 0.05")
    comparisons = compare(decisions)
    counts = f"{comparisons.decisions} reviewed candidates and {comparisons.group_count} entries with both verdicts"
    if comparisons.decisions < minimum_decisions or comparisons.group_count < minimum_groups:
        needed = f"{minimum_decisions} and {minimum_groups}"
        return _stay(default, comparisons, f"too few reviews: {counts}; at least {needed} are needed")
    weights = np.array([default.weights[part] for part in PARTS])
    validation = cross_validate(comparisons, weights)
    proposed = _proposed(comparisons, default)
    figures = (
        f"{counts}; on entries held out, {validation.accuracy_learned:.1%} of their pairs are in the right order with "
        f"the learned weights, {validation.accuracy_default:.1%} with the default's; log-likelihood "
        f"{validation.gain:+.3f} an entry, p = {validation.p_value:.4f}, needed: at most {significance:g}"
    )
    if validation.gain <= 0 or validation.p_value > significance:
        reason = f"no significant gain: {figures}"
    elif validation.worse_p_value <= _WORSE:
        reason = f"more likely, but the order is worse: {figures}"
    elif digest_of(proposed.weights) == default.digest:
        reason = f"the learned weights are the default's: {figures}"
    else:
        return Learned(
            policy=proposed,
            adopted=True,
            reason=f"{proposed.name} replaces {default.name}: {figures}",
            decisions=comparisons.decisions,
            groups=comparisons.group_count,
            contradictions=comparisons.contradictions,
            proposed=proposed,
            validation=validation,
        )
    return _stay(default, comparisons, reason, proposed, validation)


def _proposed(comparisons: Comparisons, default: Policy) -> Policy:
    fitted = fit(comparisons, np.array([default.weights[part] for part in PARTS])).weights
    # Adding 0.0 turns the -0.0 of a hub weight at its bound into 0.0.
    weights = {part: round(float(weight), _DECIMALS) + 0.0 for part, weight in zip(PARTS, fitted, strict=True)}
    weights["similarity"] = default.weights["similarity"]
    learned_from = LearnedFrom(
        decisions=comparisons.decisions,
        groups=comparisons.group_count,
        pairs=len(comparisons.shares),
        default=default.name,
    )
    return Policy(f"learned-{digest_of(weights)[:8]}", weights, learned_from)


def _stay(
    default: Policy,
    comparisons: Comparisons,
    reason: str,
    proposed: Policy | None = None,
    validation: Validation | None = None,
) -> Learned:
    return Learned(
        policy=default,
        adopted=False,
        reason=f"{default.name} stays: {reason}",
        decisions=comparisons.decisions,
        groups=comparisons.group_count,
        contradictions=comparisons.contradictions,
        proposed=proposed,
        validation=validation,
    )
