"""Ranking is a total order that keeps its reasons."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from enmusubi.matching.ranking import Candidate, Part, Ranked, rank


def a_candidate(key: int, similarity: float, public_id: str | None = None) -> Candidate:
    return Candidate(key, public_id or f"id-{key:03}", (Part("similarity", similarity),))


# Few distinct values, so that ties are common; two of them are equal only once they are rounded.
candidates = st.lists(st.sampled_from([0.1, 0.5, 0.5000001, 0.9]), max_size=12).map(
    lambda values: [a_candidate(key, value) for key, value in enumerate(values)]
)


def test_the_best_come_first_with_their_reasons() -> None:
    """Candidates are ordered by score, and each keeps the parts its score came from."""
    ranked = rank([a_candidate(1, 0.25), a_candidate(2, 0.75)], n=2)

    assert ranked == [
        Ranked(2, "id-002", 0.75, (Part("similarity", 0.75),)),
        Ranked(1, "id-001", 0.25, (Part("similarity", 0.25),)),
    ]


def test_a_score_is_the_weighted_sum_of_its_parts() -> None:
    """Each part adds its value times its weight, for or against, and all of them are kept, missing ones not made up."""
    parts = (Part("similarity", 0.5), Part("terms", 0.5, 0.5, estimated=True), Part("hub_across", 0.25, -0.5))

    assert [part.contribution for part in parts] == [0.5, 0.25, -0.125]
    assert rank([Candidate(1, "a", parts)], n=1) == [Ranked(1, "a", 0.625, parts)]


def test_scores_are_rounded_to_six_decimals() -> None:
    """What lies below the sixth decimal, the noise of adding, is not in a score, but is in its parts."""
    (ranked,) = rank([a_candidate(1, 0.12345678)], n=1)

    assert ranked.score == 0.123457
    assert ranked.parts[0].value == 0.12345678


def test_equal_scores_are_ordered_by_public_id_not_by_key() -> None:
    """The integer key, which tells the order of insertion, has no say in a tie, nor has what is rounded away."""
    ranked = rank([a_candidate(1, 0.5000001, "b"), a_candidate(2, 0.5, "a")], n=2)

    assert [one.public_id for one in ranked] == ["a", "b"]


def test_candidates_below_the_floor_are_left_out() -> None:
    """A score equal to the floor stays, one below it goes, and nothing above it gives an empty list."""
    given_candidates = [a_candidate(1, 0.4999999), a_candidate(2, 0.25)]

    assert [one.key for one in rank(given_candidates, n=5, floor=0.5)] == [1]
    assert rank(given_candidates, n=5, floor=0.6) == []


@given(candidates, st.randoms(use_true_random=False), st.integers(-1, 14))
def test_the_order_given_never_changes_a_ranking(given_candidates: list[Candidate], random: Random, n: int) -> None:
    """However candidates arrive, the same n come out in the same order."""
    shuffled = list(given_candidates)
    random.shuffle(shuffled)

    ranked = rank(shuffled, n)

    assert ranked == rank(given_candidates, n)
    assert ranked == rank(given_candidates, len(given_candidates))[: max(n, 0)]
