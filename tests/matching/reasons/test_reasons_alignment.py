"""Sentences that support a requirement stand out from those of random other seeds."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enmusubi.matching.encoder import Role, Vectors
from enmusubi.matching.reasons.alignment import LEAST_KNOWN, MOST, Aligned, Background, align
from enmusubi.matching.reasons.passages import Requirement, requirements_of
from enmusubi.matching.reasons.vectors import PassageVectors, encode_passages, passages_of
from tests.matching.reasons.backgrounds import ENCODER, a_background, seed_vectors

BACKGROUND = a_background()


def aligned(need: dict[str, str], seed: dict[str, str]) -> tuple[Aligned, ...]:
    """The requirements of a need with the sentences of a seed that support them."""
    vectors = encode_passages(ENCODER, "need", [passages_of(need, "need")])[0]
    return align(requirements_of(need)[0], vectors, seed_vectors(seed), BACKGROUND)


def _random(count: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def test_a_requirement_gets_the_sentence_that_speaks_of_it() -> None:
    """Each requirement has its own support with both places; what the seed is silent on has none."""
    need = {"expertise_sought": "frozen noodle texture; remote control of boats"}
    seed = {"title": "Sugars from kelp", "summary": "They are cheap. They keep frozen noodle texture."}
    first, second = aligned(need, seed)
    assert first.requirement.passage.start == 0
    assert [(support.passage.field, support.passage.start) for support in first.support] == [("summary", 16)]
    assert 0 < first.support[0].strength <= 1
    assert second.requirement.passage.text == "remote control of boats"
    assert second.support == ()


def test_no_more_than_the_strongest_are_shown() -> None:
    """Of many sentences that say the same, the first few stand for all, strongest first."""
    seed = {"summary": "Frozen noodle texture. " * 6}
    (only,) = aligned({"text": "frozen noodle texture"}, seed)
    assert len(only.support) == MOST
    assert [support.passage.start for support in only.support] == [0, 23, 46]


def test_nothing_to_compare_is_nothing_supported() -> None:
    """A seed without sentences supports nothing; a need without requirements has nothing to support."""
    assert [each.support for each in aligned({"text": "frozen noodles"}, {})] == [()]
    assert aligned({}, {"summary": "Frozen noodles."}) == ()


def test_a_longer_seed_has_to_stand_out_further() -> None:
    """Among many sentences the nearest is near by chance, so the same sentence counts for less."""
    need, sentence = {"text": "frozen noodles that stay cheap abroad"}, "Sugar keeps every kind of noodles fresh. "
    (short,) = aligned(need, {"summary": sentence})
    (long,) = aligned(need, {"summary": sentence + "Boats are paid. " * 4000})
    assert [support.passage.start for support in short.support] == [0]
    assert long.support == ()


def test_without_a_background_support_is_not_judged() -> None:
    """Fewer sentences of other seeds than nothing could stand out from: no sentence supports anything."""
    need = encode_passages(ENCODER, "need", [passages_of({"text": "frozen noodles"}, "need")])[0]
    seed = seed_vectors({"summary": "Frozen noodles."})
    requirements = requirements_of({"text": "frozen noodles"})[0]
    few = Background({"en": _random(LEAST_KNOWN - 1, 0)})
    assert not few.suffices
    assert not Background().suffices
    assert align(requirements, need, seed, few)[0].support == ()
    assert align(requirements, need, seed, BACKGROUND)[0].support


def test_a_language_of_few_sentences_is_shrunk_towards_all_languages() -> None:
    """A language that is not known has the figures of all; a few sentences move them, many decide them."""
    wanted, rows = _random(1, 1), _random(400, 2)
    near = np.repeat(wanted, 200, axis=0)

    def mean(background: Background, language: str) -> float:
        return float(background.usual(wanted, language)[0][0])

    pooled = mean(Background({"en": rows}), "ja")
    assert pooled == pytest.approx(float((rows @ wanted[0]).mean()), abs=1e-6)
    few, many = mean(Background({"en": rows, "ja": near[:3]}), "ja"), mean(Background({"en": rows, "ja": near}), "ja")
    assert pooled < few < 0.3 < 0.9 < many


def test_vectors_are_centred_by_side_and_language() -> None:
    """The centring sees every row with its side and the language it is written in."""
    seen: list[tuple[Role, list[str]]] = []

    def centre(matrix: Vectors, role: Role, languages: Sequence[str]) -> Vectors:
        seen.append((role, list(languages)))
        return matrix

    need = encode_passages(ENCODER, "need", [passages_of({"text": "凍らせたい。Noodles."}, "need")])[0]
    seed = seed_vectors({"title": "氷", "translation_title": "Ice"})
    align(requirements_of({"text": "凍らせたい。Noodles."})[0], need, seed, BACKGROUND, centre, "ja", "ja")
    assert seen == [("need", ["ja", "en"]), ("seed", ["ja", "en"])]
    seen.clear()
    background = Background.of([(seed, "ja")], centre)
    assert seen == [("seed", ["ja"]), ("seed", ["en"])]
    assert {language: len(rows) for language, rows in background.rows.items()} == {"ja": 1, "en": 1}


def test_requirements_need_their_own_vectors() -> None:
    """Vectors of something else are an error that says so."""
    with pytest.raises(ValueError, match="1 requirements, but vectors of 2"):
        align(
            requirements_of({"text": "Ice."})[0], seed_vectors({"summary": "A b. C d."}), seed_vectors({}), BACKGROUND
        )


@example(number=107, needs=[0, 1, 2, 3, 4], seeds=[1, 2, 3, 4, 5, 0])  # two sentences alike to the last digit
@given(st.integers(0, 1000), st.permutations(range(5)), st.permutations(range(6)))
def test_alignment_does_not_depend_on_order(number: int, needs: list[int], seeds: list[int]) -> None:
    """Requirements and sentences in another order get the same support, to the last digit."""
    texts = {"text": "\n".join(f"{word} is wanted" for word in "abcde")}
    offered = {"summary": "\n".join(f"{word} is offered" for word in "uvwxyz")}
    requirements, wanted = requirements_of(texts)[0], _random(5, number)
    passages = passages_of(offered, "seed")
    rows = (wanted[[0, 1, 2, 3, 4, 0]] + _random(6, number + 1)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    background = Background({"en": _random(50, number + 2)})

    def found(order: Sequence[int], columns: Sequence[int]) -> dict[Requirement, object]:
        chosen = [requirements[place] for place in order]
        need = PassageVectors(tuple(each.passage for each in chosen), wanted[list(order)])
        seed = PassageVectors(tuple(passages[place] for place in columns), rows[list(columns)])
        return {each.requirement: each.support for each in align(chosen, need, seed, background)}

    assert found(range(5), range(6)) == found(needs, seeds)
