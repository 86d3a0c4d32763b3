"""Everything that is said for and against a match."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.ranking import Part
from enmusubi.matching.reasons import (
    Background,
    Passage,
    Reasons,
    Side,
    Stated,
    encode_passages,
    explain,
    need_side,
    passages_of,
    seed_side,
)
from enmusubi.matching.reasons.shared_terms import SharedTerms
from enmusubi.matching.shared import Asked, shared
from tests.matching.reasons.backgrounds import ENCODER, a_background

BACKGROUND = a_background()
NEED = {
    "title": "Better noodles",
    "summary": "Frozen noodles must keep their texture. We want labels free of additives.",
}
SEED = {"title": "Kelp sugar", "summary": "Frozen noodles keep their texture."}


def spans(text: str) -> list[tuple[str, int, int]]:
    """Words without a final s, in lower case, where they stand."""
    return [(word.group().lower().removesuffix("s"), *word.span()) for word in re.finditer(r"\w+", text)]


def a_need(texts: dict[str, str]) -> Side:
    """A need made ready with the word-hash encoder."""
    return need_side(texts, encode_passages(ENCODER, "need", [passages_of(texts, "need")])[0], "en", spans)


def a_seed(texts: dict[str, str]) -> Side:
    """A seed made ready with the word-hash encoder."""
    return seed_side(texts, encode_passages(ENCODER, "seed", [passages_of(texts, "seed")])[0], "en", spans)


def explained(**given: object) -> Reasons:
    """The reasons for NEED and SEED with what is given beside their texts."""
    return explain(a_need(NEED), a_seed(SEED), background=BACKGROUND, **given)  # type: ignore[arg-type]


def test_requirements_are_supported_or_not_addressed() -> None:
    """What the seed speaks of is aligned with its sentence; what it is silent on is named."""
    reasons = explained()
    assert [len(each.support) for each in reasons.aligned] == [1, 0]
    assert reasons.aligned[0].support[0].passage == Passage("summary", 0, 34, "Frozen noodles keep their texture.")
    assert [each.passage.text for each in reasons.not_addressed] == ["We want labels free of additives."]


def test_a_situation_is_never_not_addressed() -> None:
    """What the need tells without asking for it is aligned like the rest, but no seed fails it."""
    need = a_need({"text": "Boats rot here. Paint is wanted."})
    reasons = explain(need, a_seed(SEED), background=BACKGROUND)
    assert [each.support for each in reasons.aligned] == [(), ()]
    assert [each.passage.text for each in reasons.not_addressed] == ["Paint is wanted."]


def test_without_a_background_nothing_is_said_to_be_open() -> None:
    """What cannot be compared is missing evidence: no requirement is called not addressed."""
    reasons = explain(a_need(NEED), a_seed(SEED), background=Background())
    assert len(reasons.aligned) == 2
    assert reasons.not_addressed == ()
    assert "background" in reasons.missing
    assert reasons.against == ()


def test_shared_terms_stand_where_they_are_written() -> None:
    """Stems and phrases are mapped back to the text of both sides, heaviest first; a keyword's term has no place."""
    reasons = explained(terms=[("kelp", 1.5), ("noodle", 3.5), ("frozen_noodle", 6.0)])
    assert [(term.term, term.weight) for term in reasons.shared_terms] == [
        ("frozen_noodle", 6.0),
        ("noodle", 3.5),
        ("kelp", 1.5),
    ]
    phrase, word, keyword = reasons.shared_terms
    assert phrase.need_offsets == (Passage("summary", 0, 14, "Frozen noodles"),)
    assert [place.field for place in word.need_offsets] == ["title", "summary"]
    assert word.seed_offsets == (Passage("summary", 7, 14, "noodles"),)
    assert keyword.need_offsets == ()


def test_very_many_shared_terms_are_counted() -> None:
    """The 50 heaviest terms are told, each with its first five places on a side; the rest is counted."""
    need = a_need({"text": "frost " * 8 + "crack " * 3})
    seed = a_seed({"text": "frost " * 6})
    terms = [(f"term{number:02}", 1.0 + number) for number in range(70)] + [("frost", 100.0), ("crack", 99.0)]
    reasons = explain(need, seed, background=BACKGROUND, terms=terms)
    told = reasons.shared_terms
    assert [term.term for term in told[:3]] == ["frost", "crack", "term69"]
    assert len(told) == 50
    assert isinstance(told, SharedTerms)
    assert told.more == 22
    assert [place.start for place in told[0].need_offsets] == [0, 6, 12, 18, 24]
    assert (told[0].more_in_need, told[0].more_in_seed, len(told[0].seed_offsets)) == (3, 1, 5)
    assert (told[1].more_in_need, told[1].more_in_seed, told[1].seed_offsets) == (0, 0, ())


def test_what_counts_against_comes_with_its_cost() -> None:
    """Negative parts come first, dearest first; then what the texts and the stated facts lack."""
    reasons = explained(
        parts=[Part("similarity", 0.5), Part("hub_alike", 0.2, -0.2), Part("hub_across", 0.3, -0.5)],
        stated=Stated(
            wanted_trl=6,
            trl=4,
            preferred_regions=("A",),
            regions=("B",),
            wanted_cooperation=("licence",),
            licensable=False,
        ),
    )
    assert [(each.what, each.contribution, each.count) for each in reasons.against] == [
        ("hub_across", -0.15, None),
        ("hub_alike", pytest.approx(-0.04), None),
        ("not_addressed", None, 1),
        ("trl", None, 2),
        ("regions", None, None),
        ("licence", None, None),
    ]
    assert reasons.missing == ("field_codes",)


def test_an_open_challenge_of_the_seed_counts_against_it() -> None:
    """A requirement that the seed speaks of among its challenges is aligned, and told as unsolved."""
    need = a_need({"expertise_sought": "frozen noodle texture"})
    seed = a_seed({"title": "Kelp sugar", "open_challenges": "Frozen noodle texture"})
    reasons = explain(need, seed, background=BACKGROUND)
    assert reasons.not_addressed == ()
    assert [(each.what, each.count) for each in reasons.against] == [("open_challenges", 1)]


def test_what_is_not_known_is_missing() -> None:
    """Estimated terms, levels and rights nobody stated and texts without sentences are named, not taken for zero."""
    asked = Stated(preferred_regions=("A",), wanted_cooperation=("joint_research",))
    parts = [Part("terms", 0.1, 0.5, estimated=True)]
    reasons = explain(a_need({}), a_seed({}), background=Background(), stated=asked, parts=parts)
    assert reasons.missing == (
        "requirements",
        "seed_sentences",
        "background",
        "terms",
        "wanted_trl",
        "trl",
        "regions",
        "cooperation",
        "field_codes",
    )
    assert reasons.against == ()


def test_shared_keywords_and_codes_are_told() -> None:
    """What `shared` found stands in the reasons."""
    found = shared(Asked("noodles", ("IPC:A23L 3/36",), "ja"), ["noodles"], ["IPC:A23L 7/00"], "en")
    reasons = explained(shared=found)
    assert (reasons.keywords, reasons.field_codes, reasons.other_language) == (("noodles",), ("IPC:A23L",), True)
    assert "field_codes" not in reasons.missing


def test_reasons_are_plain_data_for_json() -> None:
    """Every offset, text and number survives JSON, with what is not addressed and each part's contribution."""
    reasons = explained(terms=[("noodle", 3.5)], parts=[Part("hub_across", 0.5, -0.5)])
    plain = reasons.as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["aligned"][0]["support"][0]["passage"]["end"] == 34
    assert plain["not_addressed"][0]["passage"]["text"] == "We want labels free of additives."
    assert plain["parts"][0]["contribution"] == -0.25
    assert plain["cooperation"]["licensable"] is None


def test_vectors_of_other_texts_are_refused() -> None:
    """Vectors must be those of the side's own passages."""
    vectors = encode_passages(ENCODER, "seed", [passages_of(SEED, "seed")])[0]
    with pytest.raises(ValueError, match="not of the requirements"):
        need_side(NEED, vectors, "en", spans)
    with pytest.raises(ValueError, match="not of the sentences"):
        seed_side(NEED, vectors, "en", spans)


@settings(max_examples=50)
@given(st.text(max_size=120), st.text(max_size=120))
def test_any_two_texts_can_be_explained(need: str, seed: str) -> None:
    """Emoji, digits, one word, nothing at all: strengths stay between 0 and 1 and every offset is exact."""
    reasons = explain(a_need({"text": need}), a_seed({"summary": seed}), background=BACKGROUND, terms=[("a", 1.0)])
    for each in reasons.aligned:
        assert need[each.requirement.passage.start : each.requirement.passage.end] == each.requirement.passage.text
        for support in each.support:
            assert seed[support.passage.start : support.passage.end] == support.passage.text
            assert 0 <= support.strength <= 1
    json.dumps(reasons.as_dict())
