"""A calibration fitted to judged lists is compared with the one before on lists that it has not seen."""

import numpy as np
import pytest

from enmusubi.matching.calibration import Calibration, HeldOut, JudgedList, cross_validate, shipped
from enmusubi.matching.ranking import Part, Ranked


def lists_judged_by(truth: tuple[float, float], count: int, seed: int = 1) -> list[JudgedList]:
    """Lists of ten with scores at random, worth a look with the first probability at the top, the second below."""
    random = np.random.default_rng(seed)
    judged = []
    for _ in range(count):
        scores = np.sort(random.normal(0.3, 0.15, 10))[::-1].round(6)
        ranked = [
            Ranked(place, f"id-{place}", float(score), (Part("hub_alike", 0.3, -0.2),))
            for place, score in enumerate(scores)
        ]
        grades = [int(random.random() < truth[place > 2]) for place in range(10)]
        judged.append(JudgedList(ranked, grades))
    return judged


def lists_judged_as_stated(count: int, seed: int) -> list[JudgedList]:
    """The same lists, worth a look with the probabilities that the shipped calibration states."""
    random = np.random.default_rng(seed)
    return [
        JudgedList(one.ranked, [int(random.random() < stated.value) for stated in shipped().probabilities(one.ranked)])
        for one in lists_judged_by((0.5, 0.5), count, seed)
    ]


def held_out(judged: list[JudgedList], before: Calibration | None = None) -> HeldOut:
    return cross_validate(judged, policy="evidence-1", before=before or shipped())


def test_another_habit_of_judging_is_worth_fitting() -> None:
    """Where far more is worth a look than the one before states, the fitted one has the lower loss."""
    found = held_out(lists_judged_by((0.9, 0.6), 40))
    assert found.fitted < found.before - 0.1
    assert found.not_worse


def test_a_fit_that_is_worse_is_told() -> None:
    """Where reviews come out just as the one before states, a fit follows their chance, and often does it worse."""
    assert not HeldOut(before=0.3, fitted=0.3001).not_worse
    assert HeldOut(before=0.3, fitted=0.3).not_worse
    found = [held_out(lists_judged_as_stated(20, seed)) for seed in range(8)]
    assert not all(one.not_worse for one in found)
    assert all(one.fitted < one.before + 0.01 for one in found)


def test_the_same_lists_give_the_same_figures() -> None:
    """Lists are divided by a seed of their number alone."""
    judged = lists_judged_by((0.5, 0.1), 12)
    assert held_out(judged) == held_out(judged)


def test_entries_that_nobody_judged_have_no_loss() -> None:
    """Only what was judged is compared."""
    judged = lists_judged_by((0.9, 0.6), 20)
    partly = [JudgedList(one.ranked, [*one.grades[:3], *[None] * 7]) for one in judged]
    assert held_out(partly) != held_out(judged)
    assert held_out(partly).before > 0


def test_too_few_lists_are_refused() -> None:
    """Nine lists cannot be divided so that it says anything."""
    with pytest.raises(ValueError, match="9 judged lists are too few"):
        held_out(lists_judged_by((0.5, 0.1), 9))
