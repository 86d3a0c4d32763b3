"""Learning re-weights the parts where reviews show that it serves better, and leaves the default alone elsewhere."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from enmusubi.matching.learning import Decision, learn
from enmusubi.matching.learning.fitting import fit
from enmusubi.matching.learning.reviews import compare
from enmusubi.matching.learning.validating import sign_flip_test
from enmusubi.matching.policy import DEFAULT, PARTS, Policy

PLANTED = Policy("planted", {"similarity": 1.0, "terms": 2.0, "hub_across": -0.5, "hub_alike": -0.2})
"""What coordinators really go by in these tests: the words matter far more to them than the default thinks."""

ZEROS = dict.fromkeys(PARTS, 0.0)


def reviews_by(truth: Policy, entries: int, *, wrong: float = 0.0, seed: int = 1) -> list[Decision]:
    """Ten reviewed candidates of each asking entry, the two best by `truth` accepted, some verdicts flipped."""
    random = Random(seed)
    decisions = []
    for entry in range(entries):
        candidates = [
            {
                "similarity": random.gauss(0.4, 0.1),
                "terms": random.gauss(0.3, 0.1),
                "hub_across": random.gauss(0.2, 0.05),
                "hub_alike": random.gauss(0.2, 0.05),
            }
            for _ in range(10)
        ]
        accepted = sorted(range(10), key=lambda number: -truth.score(candidates[number]))[:2]
        decisions += [
            Decision(f"need-{entry}", f"seed-{number}", parts, (number in accepted) != (random.random() < wrong))
            for number, parts in enumerate(candidates)
        ]
    return decisions


def a_decision(candidate: str, *, accepted: bool, asking: str = "need", **parts: float) -> Decision:
    return Decision(asking, candidate, ZEROS | parts, accepted)


def test_a_planted_weighting_is_found() -> None:
    """With enough reviews by somebody who weighs words more, words come to weigh more, and the policy says so."""
    learned = learn(reviews_by(PLANTED, 60))

    assert learned.adopted
    assert learned.policy is learned.proposed
    assert 1.3 < learned.policy.weights["terms"] < 2.7
    assert learned.policy.name == f"learned-{learned.policy.digest[:8]}"
    assert learned.validation is not None
    assert learned.validation.accuracy_learned > learned.validation.accuracy_default
    assert learned.reason.startswith(f"{learned.policy.name} replaces evidence-1: 600 reviewed candidates")
    assert learned.policy.learned_from is not None
    assert (learned.policy.learned_from.decisions, learned.policy.learned_from.groups) == (600, 60)


def test_a_planted_weighting_is_found_among_wrong_reviews() -> None:
    """One wrong verdict in ten does not hide it."""
    learned = learn(reviews_by(PLANTED, 80, wrong=0.1))

    assert learned.adopted
    assert learned.policy.weights["terms"] > 1.0


def test_a_learned_policy_survives_json() -> None:
    """A learned policy is stored with what it was learned from, and read back equal."""
    policy = learn(reviews_by(PLANTED, 60)).policy

    assert Policy.from_json(policy.as_json()) == policy


def test_the_scale_is_kept() -> None:
    """Similarity weighs what it did, so that a floor and a calibration keep their meaning."""
    default = Policy("own", {**DEFAULT.weights, "similarity": 0.8})

    learned = learn(reviews_by(PLANTED, 60), default)

    assert learned.adopted
    assert learned.policy.weights["similarity"] == 0.8


@pytest.mark.parametrize("entries", [0, 1, 9])
def test_few_reviews_leave_the_default(entries: int) -> None:
    """Below the minimum nothing is tried, and the reason gives the figures."""
    learned = learn(reviews_by(PLANTED, entries))

    assert learned.policy is DEFAULT
    assert not learned.adopted
    assert learned.proposed is None
    assert learned.reason == (
        f"evidence-1 stays: too few reviews: {10 * entries} reviewed candidates and {entries} entries with both "
        "verdicts; at least 100 and 15 are needed"
    )


def test_entries_without_both_verdicts_do_not_count() -> None:
    """Entries whose candidates were all accepted, or all dismissed, compare nothing."""
    one_sided = [replace(decision, accepted=True) for decision in reviews_by(PLANTED, 60)]

    learned = learn(one_sided)

    assert not learned.adopted
    assert (learned.decisions, learned.groups) == (600, 0)


def test_random_reviews_leave_the_default() -> None:
    """Verdicts by the throw of a coin never, over a dozen seeds, put the default away."""
    results = [learn(reviews_by(PLANTED, 20, wrong=0.5, seed=seed)) for seed in range(12)]

    assert [learned.policy for learned in results] == [DEFAULT] * 12
    assert all("evidence-1 stays: no significant gain: 200 reviewed" in learned.reason for learned in results)


def test_reviews_that_agree_with_the_default_leave_it() -> None:
    """Where coordinators go by the default's own weights, there is nothing to learn."""
    assert learn(reviews_by(DEFAULT, 40, wrong=0.1)).policy is DEFAULT


@pytest.mark.parametrize(
    "perverse",
    [
        {"similarity": 1.0, "terms": -2.0, "hub_across": 3.0, "hub_alike": 3.0},
        {"similarity": -1.0, "terms": -2.0, "hub_across": 0.0, "hub_alike": 0.0},
    ],
)
def test_signs_are_kept(perverse: Mapping[str, float]) -> None:
    """However perverse the reviews, evidence never counts against a match and being a hub never for it."""
    decisions = reviews_by(DEFAULT, 60)
    ordered = [
        replace(decision, accepted=sum(perverse[part] * decision.parts[part] for part in PARTS) > 0.9)
        for decision in decisions
    ]

    weights = fit(compare(ordered), np.array(list(DEFAULT.weights.values()))).weights

    assert weights[0] == 1.0
    assert weights[1] >= 0.0
    assert weights[2] <= 0.0
    assert weights[3] <= 0.0


def test_one_review_moves_little() -> None:
    """The default is a prior: a single comparison, however extreme, hardly moves it."""
    comparisons = compare([a_decision("a", accepted=True, terms=1.0), a_decision("b", accepted=False, similarity=1.0)])
    default = np.array(list(DEFAULT.weights.values()))

    weights = fit(comparisons, default).weights

    assert default[1] < weights[1] < default[1] + 0.75
    assert weights[2:] == pytest.approx(default[2:])


def test_nothing_reviewed_is_the_default_itself() -> None:
    """Without a comparison the most probable weights are the prior's."""
    default = np.array(list(DEFAULT.weights.values()))

    assert fit(compare([]), default).weights == pytest.approx(default)


def test_the_order_of_the_reviews_does_not_matter() -> None:
    """The same reviews in another order give the same result, to the last digit."""
    decisions = reviews_by(PLANTED, 30, wrong=0.1)
    shuffled = Random(5).sample(decisions, len(decisions))

    assert learn(shuffled) == learn(decisions)


def test_a_review_given_twice_counts_once() -> None:
    """Repeating reviews adds no certainty: the same policy comes out, with the same figures."""
    decisions = reviews_by(PLANTED, 30)

    once, thrice = learn(decisions), learn(decisions * 3)

    assert once.adopted
    assert thrice.policy == once.policy
    assert thrice.reason == once.reason


def test_contradicting_reviews_cancel_out_or_the_majority_decides() -> None:
    """A candidate with as many yes as no is left out and counted; otherwise the majority of its reviews holds."""
    comparisons = compare(
        [
            a_decision("torn", accepted=True, terms=0.9),
            a_decision("torn", accepted=False, terms=0.9),
            a_decision("good", accepted=True, terms=0.6),
            a_decision("good", accepted=False, terms=0.6),
            a_decision("good", accepted=True, terms=0.9),
            a_decision("bad", accepted=False, terms=0.2),
        ]
    )

    assert (comparisons.decisions, comparisons.contradictions) == (2, 1)
    assert comparisons.differences == pytest.approx(np.array([[0.0, 0.5, 0.0, 0.0]]))


def test_pairs_are_of_one_asking_entry_and_share_its_worth() -> None:
    """Candidates are compared only with those of the same entry, which counts as its rarer verdict occurs."""
    comparisons = compare(
        [
            a_decision("a", accepted=True),
            *(a_decision(f"b{number}", accepted=False) for number in range(9)),
            a_decision("a", asking="other", accepted=True),
        ]
    )

    assert comparisons.group_count == 1
    assert len(comparisons.shares) == 9
    assert comparisons.shares.sum() == pytest.approx(1.0)


def test_parts_that_never_differ_are_no_trouble() -> None:
    """Candidates with equal parts teach nothing, and nothing breaks."""
    decisions = [
        a_decision(f"seed-{number}", asking=f"need-{entry}", accepted=number == 0)
        for entry in range(20)
        for number in range(6)
    ]

    learned = learn(decisions)

    assert not learned.adopted
    assert learned.validation is not None
    assert learned.validation.accuracy_default == 0.5


def test_extreme_values_give_finite_weights() -> None:
    """Values far outside the usual range neither overflow nor turn a weight into no number."""
    decisions = [
        a_decision(f"seed-{number}", asking=f"need-{entry}", accepted=number % 2 == 0, terms=1e6 * (number - 2.5))
        for entry in range(20)
        for number in range(6)
    ]

    learned = learn(decisions)

    assert learned.proposed is not None
    assert np.isfinite(list(learned.proposed.weights.values())).all()


def test_the_test_of_significance_knows_luck_from_gain() -> None:
    """Equal gains in every entry are significant, balanced ones and none at all are not."""
    assert sign_flip_test(np.full(20, 0.1)) < 0.001
    assert sign_flip_test(np.tile([0.1, -0.1], 10)) > 0.4
    assert sign_flip_test(np.zeros(20)) == 1.0


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"similarity": 0.5},
            "decision on candidate 'seed' of 'need': its parts must be similarity, terms, hub_across",
        ),
        (ZEROS | {"luck": 1.0}, "its parts must be .* not hub_across, hub_alike, luck"),
        (ZEROS | {"terms": float("nan")}, "candidate 'seed' of 'need': terms is nan, not a finite number"),
        (ZEROS | {"terms": "high"}, "terms is 'high', not a finite number"),
    ],
)
def test_bad_parts_are_named(parts: dict[str, float], message: str) -> None:
    """A decision with a part missing, unknown or no number is refused, naming decision and part."""
    with pytest.raises(ValueError, match=message):
        Decision("need", "seed", parts, True)


def test_a_decision_needs_ids_and_a_verdict() -> None:
    """Ids that are empty and a verdict that is neither yes nor no are refused."""
    with pytest.raises(ValueError, match="must not be empty"):
        Decision("", "seed", ZEROS, True)
    with pytest.raises(ValueError, match="accepted is None, neither true nor false"):
        Decision("need", "seed", ZEROS, None)  # type: ignore[arg-type]


def test_settings_that_make_no_sense_are_refused() -> None:
    """Learning says which setting cannot be used."""
    with pytest.raises(ValueError, match="minimum_groups is 5 or more"):
        learn([], minimum_groups=4)
    with pytest.raises(ValueError, match=r"significance is 0\.2; it must be above 0 and at most 0\.05"):
        learn([], significance=0.2)
    with pytest.raises(ValueError, match="policy words: similarity must weigh more than 0"):
        learn([], Policy("words", {**DEFAULT.weights, "similarity": 0.0}))
