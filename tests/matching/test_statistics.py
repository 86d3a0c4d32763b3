"""Statistics take away what vectors share, find hubs, and change nothing where nothing is known."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from enmusubi.matching.encoder import Role
from enmusubi.matching.lexical.index import LexicalIndex
from enmusubi.matching.similarity import Keys, Matrix, Scores
from enmusubi.matching.statistics import GRID, PRIOR_ROWS, ROLES, SAMPLE, Hubs, Statistics, estimate, sample
from tests.matching.entries import unit_rows

DIMENSION = 16


def numbers_of(sides: Mapping[Role, Matrix]) -> dict[Role, Keys]:
    return {role: np.arange(len(rows)) for role, rows in sides.items()}


def hubs(found: Statistics, rows: Matrix, role: Role, *, own: bool = False) -> Hubs:
    """The hubs of rows that are the catalogue's own, by the numbers of the rows, or of others."""
    return found.hubs(rows, role, np.arange(len(rows)) if own else np.full(len(rows), -1))


def unit(rows: NDArray[np.floating]) -> Matrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def estimated(seeds: Matrix, needs: Matrix, languages: str | Mapping[Role, Sequence[str]] = "en") -> Statistics:
    matrices: dict[Role, Matrix] = {"seed": seeds, "need": needs}
    if isinstance(languages, str):
        languages = {role: [languages] * len(matrices[role]) for role in ROLES}
    return estimate(matrices, languages)[0]


def none() -> Matrix:
    return np.empty((0, DIMENSION), dtype=np.float32)


def test_a_common_direction_of_side_and_language_is_taken_away() -> None:
    """What all texts of one side and language share is gone after centring; what tells them apart is left."""
    common = dict(zip(product(ROLES, ("en", "ja")), np.eye(4, DIMENSION) * 3, strict=True))
    own = {place: unit_rows(200, DIMENSION, seed) for seed, place in enumerate(common)}
    matrices: dict[Role, Matrix] = {
        role: np.concatenate([unit(own[role, name] + common[role, name]) for name in ("en", "ja")]) for role in ROLES
    }
    languages: dict[Role, list[str]] = {role: ["en"] * 200 + ["ja"] * 200 for role in ROLES}

    found, centred = estimate(matrices, languages)

    for role in ROLES:
        assert np.array_equal(centred[role], found.centred(matrices[role], role, languages[role]))
        for number, name in enumerate(("en", "ja")):
            rows = centred[role][200 * number : 200 * (number + 1)]
            assert np.abs(matrices[role][200 * number : 200 * (number + 1)].mean(axis=0)).max() > 0.9
            assert np.abs(rows.mean(axis=0)).max() < 0.1
            # The direction of the texts themselves, apart from the four that were planted.
            kept = (unit(own[role, name][:, 4:]) * unit(rows[:, 4:])).sum(axis=1)
            assert kept.min() > 0.9


@pytest.mark.parametrize("count", [0, 1, 10, 1000])
def test_a_mean_is_shrunk_where_few_are_known(count: int) -> None:
    """The mean of so many equal rows weighs n / (n + 10) over what is known more widely, here the rows too."""
    row = unit_rows(1, DIMENSION)
    known = count / (count + PRIOR_ROWS)

    found = estimated(np.repeat(row, count, axis=0), none())

    widely = 1 - (1 - known) ** 2  # the mean of the catalogue is shrunk itself
    assert found.elsewhere["need"] == pytest.approx(row[0] * known, abs=1e-6)
    assert found.elsewhere["seed"] == pytest.approx(row[0] * widely, abs=1e-6)
    if count:
        assert found.means["seed"][0] == pytest.approx(row[0] * (1 - (1 - known) ** 3), abs=1e-6)
        assert found.means["need"][0] == pytest.approx(row[0] * widely, abs=1e-6)


def test_nothing_known_changes_nothing() -> None:
    """Without any row vectors stay as they are, nothing is a hub, and the curve is the one to start with."""
    found = estimated(none(), none())
    rows = unit_rows(3, DIMENSION)

    assert np.allclose(found.centred(rows, "seed", ["en", "ja", "und"]), rows, atol=1e-7)
    assert hubs(found, rows, "seed") == hubs(found, rows, "need", own=True) == (None, None)
    assert (np.diff(found.expected["need"]) >= 0).all()


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([0, 1, 2, 6, 10, 40]),
    st.sampled_from([0, 1, 2, 6, 10]),
    st.sampled_from([["en"], ["ja"], ["en", "ja", "und"]]),
    st.booleans(),
    st.integers(0, 100),
)
def test_estimates_are_finite_however_little_is_known(
    seeds: int, needs: int, spoken: list[str], alike: bool, seed: int
) -> None:
    """Ten seeds, one, none, no needs, one language, all rows equal: centred vectors are unit ones, hubs numbers."""
    matrices: dict[Role, Matrix] = {
        "seed": unit_rows(seeds, DIMENSION, seed),
        "need": unit_rows(needs, DIMENSION, seed + 1),
    }
    if alike:
        matrices = {role: np.repeat(unit_rows(1, DIMENSION), len(rows), axis=0) for role, rows in matrices.items()}
    languages: dict[Role, list[str]] = {
        role: [spoken[row % len(spoken)] for row in range(len(matrices[role]))] for role in ROLES
    }
    texts: dict[Role, list[str]] = {
        role: ["frost panel" if row % 2 else "" for row in range(len(matrices[role]))] for role in ROLES
    }
    lexical = {role: LexicalIndex.build(texts[role]) for role in ROLES}

    found, centred = estimate(matrices, languages, lexical, texts)

    for role in ROLES:
        asked = found.centred(unit_rows(3, DIMENSION, seed + 2), role, ["en", "ja", "unheard of"])
        for rows in (centred[role], asked):
            assert np.linalg.norm(rows.astype(np.float64), axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-6)
        for values in (*hubs(found, centred[role], role, own=True), *hubs(found, asked, role)):
            assert values is None or (np.isfinite(values).all() and (np.abs(values) <= 1).all())
        assert np.isfinite(found.expected[role]).all()
        assert (np.diff(found.expected[role]) >= 0).all()


def test_a_vector_that_is_the_mean_itself_stays() -> None:
    """Where centring leaves no direction, the vector is kept instead of divided by nothing."""
    row = unit_rows(1, DIMENSION)
    found = Statistics(
        ["en"], dict.fromkeys(ROLES, row), dict.fromkeys(ROLES, row[0]), {}, {role: none() for role in ROLES}, {}
    )

    assert np.array_equal(found.centred(row, "seed", ["en"]), row)


def test_a_language_nobody_spoke_has_the_mean_of_its_side() -> None:
    """A text in a language that the catalogue does not hold is centred by its side's mean over all languages."""
    seeds = unit(unit_rows(100, DIMENSION) + np.eye(1, DIMENSION) * 3)
    found = estimated(seeds, none())

    centred = found.centred(seeds, "seed", ["fi"] * 100)

    assert np.abs(seeds.mean(axis=0)).max() > 0.9
    assert np.abs(centred.mean(axis=0)).max() < 0.1


def planted(count: int) -> tuple[Matrix, Matrix]:
    """Seeds of which every tenth is near to a tenth of the needs and seeds each, the rest near to nothing."""
    needs = unit_rows(count, DIMENSION, seed=1)
    seeds = unit_rows(count, DIMENSION, seed=2)
    common = unit_rows(1, DIMENSION, seed=3)[0]
    needs[::3] = unit(needs[::3] + 1.5 * common)
    seeds[1::3] = unit(seeds[1::3] + 1.5 * common)
    seeds[0] = common
    return seeds, needs


@pytest.mark.parametrize("count", [100, SAMPLE + 2000], ids=["all", "a sample"])
def test_a_hub_is_seen(count: int) -> None:
    """A seed in the middle of a crowd of needs and seeds has higher values than nearly all other seeds."""
    seeds, needs = planted(count)
    matrices: dict[Role, Matrix] = {"seed": seeds, "need": needs}

    found, centred = estimate(matrices, {role: ["en"] * count for role in ROLES})
    across, alike = hubs(found, centred["seed"], "seed", own=True)

    assert len(found.samples["seed"]) == min(count, SAMPLE)
    for values in (across, alike):
        assert values is not None
        assert values[0] > np.quantile(values, 0.9)
        assert np.isfinite(values).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 100))
def test_a_hub_is_the_shrunk_mean_of_its_nearest(seeds: int, needs: int, seed: int) -> None:
    """Both values are the mean similarity to the five nearest others, as by brute force, times m / (m + 5)."""
    matrices: dict[Role, Matrix] = {
        "seed": unit_rows(seeds, DIMENSION, seed),
        "need": unit_rows(needs, DIMENSION, seed + 1),
    }
    found, centred = estimate(matrices, {role: ["en"] * len(matrices[role]) for role in ROLES})

    across, alike = hubs(found, centred["seed"], "seed", own=True)

    assert across is not None
    assert (alike is None) == (seeds == 1)
    for row in range(seeds):
        others = np.delete(centred["seed"], row, axis=0)
        for values, among in ((across, centred["need"]), (alike, others)):
            if values is not None:
                nearest = np.sort(among.astype(np.float64) @ centred["seed"][row])[::-1][:5]
                expected = nearest.mean() * len(among) / (len(among) + 5)
                assert values[row] == pytest.approx(expected, abs=1.1e-5)


def test_a_row_in_the_sample_is_no_neighbour_of_itself() -> None:
    """A known row is left out by its key; one that is not in the catalogue has all of it as neighbours."""
    rows = unit_rows(3, DIMENSION)
    found, centred = estimate({"seed": rows, "need": none()}, {"seed": ["en"] * 3, "need": []})

    _, own = hubs(found, centred["seed"], "seed", own=True)
    _, foreign = hubs(found, centred["seed"], "seed")

    assert own is not None
    assert foreign is not None
    assert (foreign > own).all()


def test_a_sample_is_bounded_and_goes_by_content() -> None:
    """The same rows are chosen in any order of rows, places ascend, and fewer rows are taken whole."""
    rows = unit_rows(3_000, DIMENSION)
    assert sample(rows[:50], 50).tolist() == list(range(50))
    places = sample(rows, 500)
    assert len(places) == 500
    assert (np.diff(places) > 0).all()
    order = np.random.default_rng(5).permutation(len(rows))
    shuffled = rows[order]
    assert {row.tobytes() for row in shuffled[sample(shuffled, 500)]} == {row.tobytes() for row in rows[places]}


def curve(
    seeds: Matrix, needs: Matrix, texts: Mapping[Role, Sequence[str]], languages: Mapping[Role, str]
) -> Statistics:
    matrices: dict[Role, Matrix] = {"seed": seeds, "need": needs}
    lexical = {role: LexicalIndex.build(texts[role]) for role in ROLES}
    spoken = {role: [languages[role]] * len(matrices[role]) for role in ROLES}
    return estimate(matrices, spoken, lexical, texts)[0]


def test_without_pairs_in_one_language_the_curve_is_the_one_to_start_with() -> None:
    """Needs in one language and seeds in another tell nothing of the terms to expect."""
    rows = unit_rows(30, DIMENSION)
    texts: dict[Role, list[str]] = {role: ["frost panel"] * 30 for role in ROLES}
    start = estimated(none(), none()).expected

    found = curve(rows, rows, texts, {"seed": "ja", "need": "en"}).expected

    for role in ROLES:
        assert found[role] == pytest.approx(start[role], abs=1e-12)


def test_the_curve_learns_what_a_similarity_promises() -> None:
    """Where near pairs share their words and far ones none, much is expected of the near ones and little of the far."""
    subjects = unit_rows(20, DIMENSION, seed=4)
    rows = {
        role: unit(np.repeat(subjects, 10, axis=0) + 0.15 * unit_rows(200, DIMENSION, n))
        for n, role in enumerate(ROLES)
    }
    texts: dict[Role, list[str]] = {
        role: [f"subject{row // 10} matter{row // 10}" for row in range(200)] for role in ROLES
    }

    found = curve(rows["seed"], rows["need"], texts, {"seed": "en", "need": "en"})

    for role in ROLES:
        near, far = found.expectation(np.array([0.85, 0.05]), role)
        assert near > 0.6
        assert far < 0.05
        assert (np.diff(found.expected[role]) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["frost", "frost panel", "whey", ""]), min_size=1, max_size=40), st.integers(0, 100))
def test_the_curve_never_falls(texts: list[str], seed: int) -> None:
    """However words and vectors disagree, a higher similarity never lets one expect less evidence."""
    found = curve(
        unit_rows(len(texts), DIMENSION, seed),
        unit_rows(len(texts), DIMENSION, seed + 1),
        {"seed": texts, "need": texts[::-1]},
        {"seed": "en", "need": "en"},
    )

    grid = np.linspace(-1.2, 1.2, 500)
    for role in ROLES:
        values = found.expectation(grid, role)
        assert (np.diff(values) >= -1e-12).all()
        assert (values >= 0).all()
        assert (values <= 2).all()
    assert len(GRID) == len(found.expected["seed"])


def test_statistics_survive_being_stored() -> None:
    """Statistics read from their arrays centre, measure and expect as those they were taken of."""
    seeds, needs = planted(60)
    found, centred = estimate({"seed": seeds, "need": needs}, {"seed": ["en"] * 60, "need": ["ja"] * 60})
    languages = ["en", "ja", "unheard of"] * 20

    again = Statistics.from_arrays(
        found.arrays(), {role: np.arange(len(rows)) for role, rows in centred.items()}, centred
    )

    assert list(again.languages) == ["en", "ja"]
    for role in ROLES:
        rows = found.centred(seeds, role, languages)
        assert np.array_equal(again.centred(seeds, role, languages), rows)
        for one, other in zip(hubs(again, rows, role), hubs(found, rows, role), strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other))
        assert np.array_equal(again.expectation(GRID, role), found.expectation(GRID, role))


def test_no_statistics_survive_being_stored() -> None:
    """Those of an empty catalogue come back empty too."""
    found, centred = estimate({role: none() for role in ROLES}, {role: [] for role in ROLES})

    again = Statistics.from_arrays(
        found.arrays(), {role: np.arange(len(rows)) for role, rows in centred.items()}, centred
    )

    assert list(again.languages) == []
    rows = unit_rows(2, DIMENSION)
    assert np.array_equal(again.centred(rows, "seed", ["en", "ja"]), found.centred(rows, "seed", ["en", "ja"]))


@pytest.mark.parametrize(
    "dimension",
    [
        8,
        384,
    ],
)
def test_hubs_of_a_row_do_not_depend_on_what_lies_beside_it(dimension: int) -> None:
    """A row measured alone, among a few and among many has the same values, as a score must not tell where it lives."""
    rows = {role: unit_rows(600, dimension, seed) for seed, role in enumerate(ROLES)}
    found, centred = estimate(rows, {role: ["en"] * 600 for role in ROLES})

    together = np.array(hubs(found, centred["seed"], "seed"))

    alone = np.array([hubs(found, row[None], "seed") for row in centred["seed"]], dtype=np.float64)[:, :, 0].T
    assert np.array_equal(together, alone)


@pytest.mark.parametrize("count", [100, 700, SAMPLE + 1000])
def test_estimates_do_not_depend_on_the_order_of_rows(count: int) -> None:
    """Rows under other keys give the same means, the same curve and hubs, also where only some are looked at."""
    matrices: dict[Role, Matrix] = {role: unit_rows(count, DIMENSION, number) for number, role in enumerate(ROLES)}
    order = np.random.default_rng(1).permutation(count)

    def measured(order: NDArray[np.intp]) -> tuple[Statistics, Scores]:
        texts: dict[Role, list[str]] = {
            role: [f"frost w{row % 7} w{row % 11}" for row in order.tolist()] for role in ROLES
        }
        found, centred = estimate(
            {role: matrices[role][order] for role in ROLES},
            {role: ["en"] * count for role in ROLES},
            {role: LexicalIndex.build(texts[role]) for role in ROLES},
            texts,
        )
        there = np.argsort(order)
        return found, np.array(found.hubs(centred["seed"][there], "seed", there), dtype=np.float64)

    one, hubs = measured(np.arange(count))
    other, again = measured(order)

    for role in ROLES:
        assert np.array_equal(one.means[role], other.means[role])
        assert one.expected[role] == pytest.approx(other.expected[role], abs=1e-9)
    assert hubs == pytest.approx(again, abs=2e-5)
