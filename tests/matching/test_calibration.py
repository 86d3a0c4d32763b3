"""Probabilities are calibrated, come with an honest interval, and never break on odd lists."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enmusubi.matching.calibration import (
    DEPTH,
    Calibration,
    JudgedList,
    Probability,
    brier_skill_score,
    expected_calibration_error,
    fit,
    no_good_match,
    reliability_table,
    shipped,
)
from enmusubi.matching.calibration.features import crowding, features
from enmusubi.matching.calibration.fitting import REPLICATES
from enmusubi.matching.ranking import Part, Ranked

TRUTH = (3.0, -3.0, -2.0)


def a_list(scores: Sequence[float], hubs: Sequence[float] | None = None) -> list[Ranked]:
    """Ranked entries with these scores and, where given, hubs."""
    parts = [()] * len(scores) if hubs is None else [(Part("hub_alike", hub, -0.2),) for hub in hubs]
    return [Ranked(place, f"id-{place:03}", score, parts[place]) for place, score in enumerate(scores)]


def judged_lists(
    count: int, truth: tuple[float, float, float] = TRUTH, seed: int = 1, source: str = "reviews", size: int = DEPTH
) -> list[JudgedList]:
    """Lists whose entries are worth a look with the very probability that the model has for them."""
    random = np.random.default_rng(seed)
    lists = []
    for _ in range(count):
        scores = np.sort(random.gamma(1.5, 0.12, size))[::-1]
        ranked = a_list([float(one) for one in scores], [float(one) for one in random.uniform(0.2, 0.7, size)])
        chances = 1 / (1 + np.exp(-features(ranked) @ np.array(truth)))
        lists.append(JudgedList(ranked, [int(one) for one in random.random(size) < chances], source))
    return lists


def fitted(judged: Sequence[JudgedList], shrink_to: Calibration | None = None, **options: Any) -> Calibration:
    return fit(judged, name="test-1", policy="evidence-1", shrink_to=shrink_to, **options)


def stated(calibration: Calibration, judged: Sequence[JudgedList]) -> list[float]:
    return [one.value for judgement in judged for one in calibration.probabilities(judgement.ranked)]


def happened(judged: Sequence[JudgedList]) -> list[bool]:
    return [bool(grade) for judgement in judged for grade in judgement.grades]


@pytest.fixture(scope="module")
def well_fitted() -> Calibration:
    return fitted(judged_lists(1500))


# --- measures


def test_a_perfect_forecaster_has_almost_no_calibration_error() -> None:
    """What happens as often as stated leaves only the noise of chance."""
    random = np.random.default_rng(3)
    probabilities = random.random(20_000)
    outcomes = random.random(20_000) < probabilities

    assert expected_calibration_error(list(probabilities), list(outcomes)) < 0.015


def test_a_biased_forecaster_has_a_calibration_error_as_large_as_its_bias() -> None:
    """Stating 0.2 too much everywhere is an error of 0.2."""
    random = np.random.default_rng(3)
    truth = random.uniform(0, 0.7, 20_000)
    outcomes = random.random(20_000) < truth

    assert expected_calibration_error(list(truth + 0.2), list(outcomes)) == pytest.approx(0.2, abs=0.01)


def test_the_calibration_error_of_two_bins_by_hand() -> None:
    """Two bins of two pairs: off by 0.1 and by 0.3, so 0.2 on average."""
    assert expected_calibration_error([0.1, 0.1, 0.7, 0.9], [0, 0, 0, 1], bins=2) == pytest.approx(0.2)


def test_one_probability_for_all_is_off_by_its_distance_from_the_base_rate_in_any_order() -> None:
    """Pairs with equal probabilities share their outcomes, whichever bin they fall into."""
    outcomes = [1] * 30 + [0] * 70

    assert expected_calibration_error([0.5] * 100, outcomes) == pytest.approx(0.2)
    assert expected_calibration_error([0.5] * 100, outcomes[::-1]) == pytest.approx(0.2)


def test_bins_hold_equally_many_pairs() -> None:
    """Sizes differ by one at most, add up, and the points rise in probability."""
    points = reliability_table([number / 100 for number in range(100)], [0, 1] * 50, bins=15)

    assert sum(point.count for point in points) == 100
    assert {point.count for point in points} == {6, 7}
    assert [point.probability for point in points] == sorted(point.probability for point in points)
    assert all(point.low <= point.observed <= point.high for point in points)


def test_fewer_pairs_than_bins_make_fewer_bins() -> None:
    """A bin is never empty."""
    assert [point.count for point in reliability_table([0.2, 0.4], [0, 1])] == [1, 1]


def test_the_interval_of_a_bin_is_wilsons() -> None:
    """None of ten leaves up to z² / (n + z²)."""
    (point,) = reliability_table([0.1] * 10, [0] * 10, bins=1)

    z = 1.6448536
    assert point.low == pytest.approx(0)
    assert point.high == pytest.approx(z**2 / (10 + z**2))


def test_skill_is_one_for_certainty_none_for_the_base_rate_and_negative_for_worse() -> None:
    """The Brier skill score compares with always stating the share that happened."""
    assert brier_skill_score([0, 1, 1, 0], [0, 1, 1, 0]) == 1
    assert brier_skill_score([0.5] * 4, [0, 1, 1, 0]) == 0
    assert brier_skill_score([1, 0, 0, 1], [0, 1, 1, 0]) == -3


@pytest.mark.parametrize(
    ("probabilities", "outcomes", "message"),
    [
        ([], [], "no probabilities"),
        ([0.5], [0, 1], "one length"),
        ([1.5], [1], "from 0 to 1"),
        ([math.nan], [1], "from 0 to 1"),
        ([0.5], [2], "neither 0 nor 1"),
        ([0.5], [math.nan], "neither 0 nor 1"),
    ],
)
def test_what_is_no_forecast_is_not_measured(probabilities: list[float], outcomes: list[float], message: str) -> None:
    """Every measure says what is wrong with its input."""
    for measure in (expected_calibration_error, brier_skill_score, reliability_table):
        with pytest.raises(ValueError, match=message):
            measure(probabilities, outcomes)


def test_skill_without_two_outcomes_is_refused() -> None:
    """Where everything or nothing is worth a look there is no base rate to beat."""
    with pytest.raises(ValueError, match="all outcomes are the same"):
        brier_skill_score([0.5, 0.6], [1, 1])


def test_no_bins_are_refused() -> None:
    """A table has at least one bin."""
    with pytest.raises(ValueError, match="at least 1"):
        reliability_table([0.5], [1], bins=0)


# --- features


def test_an_entry_alone_competes_with_the_background() -> None:
    """Twelve competitors that score 0 count half each where the entry scores 0, and nothing where it scores high."""
    assert crowding(np.array([0.0]))[0] == pytest.approx(math.log(7))
    assert crowding(np.array([5.0]))[0] == pytest.approx(0)


def test_equal_scores_are_equally_crowded() -> None:
    """The order within a tie says nothing, also where the tie crosses the depth."""
    assert np.ptp(crowding(np.full(15, 0.3))) == pytest.approx(0)
    assert np.ptp(crowding(np.array([0.9, *[0.3] * 13]))[1:]) == pytest.approx(0)


def test_how_many_were_asked_for_makes_no_difference() -> None:
    """Entries below the tenth change nothing for those above."""
    scores = np.linspace(0.8, 0.1, 30)

    assert crowding(scores)[:DEPTH] == pytest.approx(crowding(scores[:DEPTH]))


def test_a_list_out_of_order_is_refused() -> None:
    """Crowding is read off a ranking, so a list that is none is an error."""
    with pytest.raises(ValueError, match="descending"):
        features(a_list([0.1, 0.2]))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(number: float) -> None:
    """A score or a hub that is no number is named instead of becoming a probability."""
    with pytest.raises(ValueError, match="score"):
        features(a_list([number]))
    with pytest.raises(ValueError, match="hub_alike of id-000"):
        features(a_list([0.5], [number]))


# --- probabilities


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=25),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_every_list_gives_probabilities_with_intervals_around_them(scores: list[float], hub: float) -> None:
    """Whatever the scores and hubs: finite, in order, 0..1, and never rising down the list."""
    ranked = a_list(sorted(scores, reverse=True), [hub] * len(scores))

    probabilities = shipped().probabilities(ranked)

    assert len(probabilities) == len(scores)
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in probabilities)
    values = [one.value for one in probabilities]
    assert all(above >= below - 1e-12 for above, below in pairwise(values))


def test_a_clear_best_is_probable_and_one_of_many_alike_is_not() -> None:
    """The same score means more where nothing else comes near it."""
    alone = shipped().probabilities(a_list([0.5, *[0.1] * 9]))[0]
    crowded = shipped().probabilities(a_list([0.5] * 10))[0]

    assert alone.value > 0.7
    assert crowded.value < 0.1


def test_a_rising_score_never_lowers_the_probability() -> None:
    """With the others as they are, more evidence is never less sure."""
    others = [0.3, 0.2, 0.1]
    values = []
    for score in np.linspace(-0.5, 1, 31):
        ranked = sorted(
            [*a_list(others), replace(a_list([float(score)])[0], public_id="x")], key=lambda one: -one.score
        )
        probabilities = shipped().probabilities(ranked)
        values.append(next(p.value for one, p in zip(ranked, probabilities, strict=True) if one.public_id == "x"))

    assert values == sorted(values)


def test_an_empty_list_has_no_probabilities() -> None:
    """Nothing ranked, nothing stated."""
    assert shipped().probabilities([]) == ()


def test_one_candidate_is_judged_against_the_background() -> None:
    """The only seed of a catalogue is probable where it scores high, and improbable where it scores like any other."""
    (good,) = shipped().probabilities(a_list([0.5]))
    (poor,) = shipped().probabilities(a_list([0.0]))

    assert good.value > 0.7
    assert poor.value < 0.1


def test_a_missing_hub_counts_as_a_typical_one() -> None:
    """Missing evidence is neither for nor against a match."""
    calibration = shipped()

    assert calibration.probabilities(a_list([0.4, 0.2])) == calibration.probabilities(
        a_list([0.4, 0.2], [calibration.hubs.typical] * 2)
    )


def test_a_list_of_background_is_no_good_match() -> None:
    """Where nothing stands out the answer is "no good match yet", and so it is for an empty list."""
    assert no_good_match(shipped().probabilities(a_list([0.02, 0.01, 0.01, 0.0, 0.0])))
    assert no_good_match(())
    assert not no_good_match(shipped().probabilities(a_list([0.6, 0.01])))


def test_the_floor_itself_is_good_enough() -> None:
    """A match exactly as probable as the floor is shown, and a floor that is no probability is refused."""
    assert not no_good_match([Probability(0.1, 0.05, 0.2)], floor=0.1)
    with pytest.raises(ValueError, match="floor"):
        no_good_match([], floor=1.5)


# --- fitting


def test_a_true_model_is_recovered(well_fitted: Calibration) -> None:
    """From many judgements the coefficients come out as they were, with the truth among the replicates."""
    assert well_fitted.coefficients == pytest.approx(TRUTH, abs=0.4)
    low, high = np.quantile(np.array(well_fitted.replicates), (0.02, 0.98), axis=0)
    assert (low <= np.array(TRUTH)).all()
    assert (np.array(TRUTH) <= high).all()
    assert (well_fitted.lists, well_fitted.pairs, well_fitted.sources) == (1500, 15_000, ("reviews",))


def test_probabilities_of_new_lists_are_calibrated_and_skilful(well_fitted: Calibration) -> None:
    """On lists of the same kind that were not fitted."""
    judged = judged_lists(800, seed=2)

    assert expected_calibration_error(stated(well_fitted, judged), happened(judged)) < 0.02
    assert brier_skill_score(stated(well_fitted, judged), happened(judged)) > 0.1


def test_intervals_hold_the_true_probability(well_fitted: Calibration) -> None:
    """About nine in ten of them do, here with room for one draw of judgements."""
    judged = judged_lists(50, seed=4)
    held = [
        one.low - 1e-3 <= true <= one.high + 1e-3
        for judgement in judged
        for one, true in zip(
            well_fitted.probabilities(judgement.ranked),
            1 / (1 + np.exp(-features(judgement.ranked) @ np.array(TRUTH))),
            strict=True,
        )
    ]

    assert np.mean(held) > 0.75


def test_a_fit_is_the_same_every_time() -> None:
    """The bootstrap is seeded; another seed changes the interval and nothing else."""
    judged = judged_lists(30)

    assert fitted(judged) == fitted(judged)
    assert fitted(judged).digest == fitted(judged).digest
    assert fitted(judged, seed=1).replicates != fitted(judged).replicates
    assert fitted(judged, seed=1).coefficients == fitted(judged).coefficients


def test_a_few_judgements_hardly_move_the_default(well_fitted: Calibration) -> None:
    """Two lists that contradict it count as two against thirty; five hundred prevail."""
    contrary = (-2.0, -1.0, 0.0)
    few = fitted(judged_lists(2, contrary), well_fitted)
    many = fitted(judged_lists(500, contrary), well_fitted)
    ranked = a_list([0.5, 0.1, 0.1], [0.4] * 3)
    before, little, much = (one.probabilities(ranked)[0].value for one in (well_fitted, few, many))

    assert abs(little - before) < 0.15
    assert much < 0.3 < before


def test_with_few_judgements_the_interval_is_that_of_the_default(well_fitted: Calibration) -> None:
    """It is not narrower for want of data: each replicate is shrunk to another replicate of the default."""
    ranked = a_list([0.5, 0.3, 0.1], [0.4] * 3)
    own = fitted(judged_lists(1), well_fitted, prior_lists=1000).probabilities(ranked)

    for one, other in zip(own, well_fitted.probabilities(ranked), strict=True):
        assert one.high - one.low == pytest.approx(other.high - other.low, rel=0.1)


def test_more_prior_lists_shrink_more(well_fitted: Calibration) -> None:
    """The weight of the default is a number of lists."""
    judged = judged_lists(20, (-2.0, -1.0, 0.0))

    def distance(prior_lists: float) -> float:
        found = fitted(judged, well_fitted, prior_lists=prior_lists)
        return math.dist(found.coefficients, well_fitted.coefficients)

    assert distance(10_000) < distance(100) < distance(1)


def test_one_outcome_only_is_enough_with_a_default_and_not_without(well_fitted: Calibration) -> None:
    """Reviews that dismissed everything lower the probabilities; alone they say nothing of what would be good."""
    dismissed = [replace(one, grades=[0] * DEPTH) for one in judged_lists(20)]
    ranked = a_list([0.5, 0.1])

    lowered = fitted(dismissed, well_fitted).probabilities(ranked)[0].value

    assert lowered < well_fitted.probabilities(ranked)[0].value
    with pytest.raises(ValueError, match="same outcome"):
        fitted(dismissed)


def test_sense_is_kept_where_judgements_are_perverse() -> None:
    """If the worst are always chosen, crowding counts for nothing rather than in favour."""
    judged = [replace(one, grades=[int(grade) for grade in np.arange(DEPTH) >= 8]) for one in judged_lists(100)]

    calibration = fitted(judged)

    assert calibration.coefficients[1] == 0
    assert all(one[1] == 0 for one in calibration.replicates)


def test_entries_that_nobody_judged_compete_but_are_no_outcomes() -> None:
    """A grade of None leaves a pair out, not the entry out of the list."""
    judged = judged_lists(40)
    partly = [replace(one, grades=[*one.grades[:3], *[None] * 7]) for one in judged]
    cut = [JudgedList(one.ranked[:3], one.grades[:3]) for one in judged]

    assert fitted(partly).pairs == 120
    assert fitted(partly).coefficients != fitted(cut).coefficients


def test_lists_without_a_judgement_are_not_counted() -> None:
    """Not even where a grade stands below the depth."""
    unjudged = JudgedList(a_list([0.1] * 11), [None] * 10 + [1])

    assert fitted([*judged_lists(10), unjudged]).lists == 10


def test_sources_count_equally_however_large_they_are() -> None:
    """Ten times as many lists of one source, copies of those it has, leave the fit where it was."""
    one, other = judged_lists(40, source="a"), judged_lists(40, (1.0, -2.0, 0.0), seed=2, source="b")

    # The weak prior weighs less beside more lists, which is all that may differ.
    assert fitted([*one * 10, *other]).coefficients == pytest.approx(fitted([*one, *other]).coefficients, abs=0.05)


def test_extreme_scores_and_hubs_can_be_fitted() -> None:
    """Numbers at the edge of what a float holds neither overflow nor give NaN."""
    odd = [
        JudgedList(a_list([1e308, 0.0, -1e308], [1e308, 0.0, -1e308]), [1, 0, 0]),
        JudgedList(a_list([0.0] * 10, [0.0] * 10), [1] + [0] * 9),
    ]

    calibration = fitted([*judged_lists(20), *odd], shipped())

    assert all(math.isfinite(number) for number in calibration.coefficients)


def test_separable_judgements_settle() -> None:
    """The prior keeps coefficients finite where the first is always right."""
    judged = [JudgedList(a_list([0.9, 0.1, 0.0], [0.3, 0.4, 0.5]), [1, 0, 0])] * 50

    assert fitted(judged).probabilities(judged[0].ranked)[0].value > 0.9


@pytest.mark.parametrize(
    ("ranked", "grades", "source", "message"),
    [
        (a_list([0.5]), [], "a", "0 grades"),
        (a_list([0.5]), [-1], "a", "grade of id-000"),
        (a_list([0.5]), [0.5], "a", "grade of id-000"),
        (a_list([0.5]), [True], "a", "grade of id-000"),
        (a_list([0.5]), [1], " ", "source"),
    ],
)
def test_a_judged_list_says_what_is_wrong_with_it(
    ranked: list[Ranked], grades: list[Any], source: str, message: str
) -> None:
    """Grades are whole numbers, one for each entry."""
    with pytest.raises(ValueError, match=message):
        JudgedList(ranked, grades, source)


def test_what_cannot_be_fitted_is_refused() -> None:
    """Nothing judged, no hubs to be had anywhere, lists out of order, and a prior without weight."""
    with pytest.raises(ValueError, match="nothing to fit"):
        fitted([])
    with pytest.raises(ValueError, match="nothing to fit"):
        fitted([JudgedList(a_list([0.5]), [None])])
    with pytest.raises(ValueError, match="hub_alike"):
        fitted([JudgedList(a_list([0.5, 0.4]), [1, 0])])
    with pytest.raises(ValueError, match="descending"):
        fitted([JudgedList(a_list([0.4, 0.5]), [1, 0])])
    for prior_lists in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="prior_lists"):
            fitted(judged_lists(3), shipped(), prior_lists=prior_lists)


# --- as a value


def test_a_calibration_survives_json(well_fitted: Calibration) -> None:
    """What is read back is equal and has the same digest."""
    read = Calibration.from_json(well_fitted.as_json())

    assert read == well_fitted
    assert read.digest == well_fitted.digest


def test_the_digest_is_of_what_probabilities_come_from(well_fitted: Calibration) -> None:
    """Another name or count leaves it, another number does not."""
    assert replace(well_fitted, name="other", lists=1).digest == well_fitted.digest
    assert replace(well_fitted, coefficients=(3.0, -3.0, -2.0)).digest != well_fitted.digest


def test_altered_json_is_refused(well_fitted: Calibration) -> None:
    """A number changed by hand is found by the digest."""
    read = json.loads(well_fitted.as_json())
    read["coefficients"][0] += 0.1

    with pytest.raises(ValueError, match="digest"):
        Calibration.from_json(json.dumps(read))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '{"name": "x"}'])
def test_other_json_is_refused(text: str) -> None:
    """With a sentence that says what was expected."""
    with pytest.raises(ValueError, match="a calibration is"):
        Calibration.from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", 3),
        ("policy", " "),
        ("sources", [3]),
        ("sources", "reviews"),
        ("coefficients", [10**400, -1.0, -1.0]),
        ("lists", -1),
        ("pairs", 1.5),
        ("coefficients", [1.0, -1.0]),
        ("coefficients", [1.0, -1.0, "x"]),
        ("coefficients", [1.0, -1.0, True]),
        ("coefficients", [1.0, 0.5, -1.0]),
        ("coefficients", 3),
        ("replicates", []),
        ("replicates", [[1.0, -1.0, 1.0]]),
        ("replicates", [3]),
        ("information", [[1.0, 0.0, 0.0]] * 2),
        ("information", [[1.0, 5.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ("information", [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ("hubs", {"low": 0.1}),
        ("hubs", {"low": 0.9, "typical": 0.5, "high": 0.1}),
        ("hubs", {"low": "0", "typical": 0.5, "high": 0.9}),
        ("hubs", None),
        ("digest", "0"),
    ],
)
def test_a_calibration_without_sense_is_refused(field: str, value: object) -> None:
    """Each field is checked when it is read."""
    read = json.loads(shipped().as_json())
    read[field] = value

    with pytest.raises(ValueError, match="calibration"):
        Calibration.from_json(json.dumps(read))


def test_numbers_that_are_not_finite_are_no_calibration(well_fitted: Calibration) -> None:
    """Neither as a coefficient nor as a hub."""
    with pytest.raises(ValueError, match="not finite"):
        replace(well_fitted, coefficients=(math.nan, -1.0, -1.0))
    with pytest.raises(ValueError, match="not finite"):
        replace(well_fitted, hubs=replace(well_fitted.hubs, high=math.inf))


def test_the_shipped_calibration_says_what_it_came_from() -> None:
    """It belongs to the default policy, counts its judgements, and has enough replicates for an interval."""
    calibration = shipped()

    assert calibration.policy == "evidence-1"
    assert calibration.lists > 0
    assert calibration.pairs > calibration.lists
    assert len(calibration.replicates) == REPLICATES
    assert calibration.coefficients[1] < 0
