"""The sentences of a seed and the requirements of a need."""

from hypothesis import given
from hypothesis import strategies as st

from enmusubi.matching.profile import Profile
from enmusubi.matching.reasons.passages import (
    TEXT,
    Passage,
    languages_of,
    need_texts,
    requirements_of,
    seed_texts,
    sentences,
)


def required(texts: dict[str, str]) -> list[tuple[str, bool]]:
    """The requirements as texts, each with whether it is wanted."""
    return [(requirement.passage.text, requirement.wanted) for requirement in requirements_of(texts)[0]]


def test_a_seed_has_the_sentences_of_every_public_field_in_order() -> None:
    """Fields come in the order of the matched text; absent ones and keywords have no sentences."""
    seed = Profile("seed", title="氷を抑える多糖", summary="短い。二つ目。", applications="冷凍麺", keywords=("氷",))
    assert sentences(seed_texts(seed)) == (
        Passage("title", 0, 7, "氷を抑える多糖"),
        Passage("summary", 0, 3, "短い。"),
        Passage("summary", 3, 7, "二つ目。"),
        Passage("applications", 0, 3, "冷凍麺"),
    )


def test_a_need_requires_its_sentences_and_the_items_of_its_lists() -> None:
    """A list of nouns in the expertise sought is as many requirements; the title is none."""
    need = Profile(
        "need",
        title="水の中の樹脂片",
        summary="今は一週間かかる。早く知りたい。",
        expertise_sought="前処理の簡略化、自動計数、精度の確かめ方",
        applications="サバ、イワシの荷受け",
    )
    assert required(need_texts(need)) == [
        ("今は一週間かかる。", False),
        ("早く知りたい。", True),
        ("前処理の簡略化", True),
        ("自動計数", True),
        ("精度の確かめ方", True),
        ("サバ、イワシの荷受け", True),
    ]


def test_clauses_are_no_list() -> None:
    """A sentence with commas between clauses stays whole; English lists are cut at semicolons outside brackets."""
    assert required({"expertise_sought": "離れたところから、眠っているか、判断する信号処理"}) == [
        ("離れたところから、眠っているか、判断する信号処理", True)
    ]
    assert required({"expertise_sought": "Digestion (cold; wet); seed cultures."}) == [
        ("Digestion (cold; wet)", True),
        ("seed cultures.", True),
    ]


def test_headings_and_greetings_are_no_requirements() -> None:
    """They are left out, unless the text is nothing else."""
    text = "お世話になっております。\n【背景】\n課題：\n包丁が錆びる。錆を防ぎたい。"
    assert required({TEXT: text}) == [("包丁が錆びる。", False), ("錆を防ぎたい。", True)]
    assert required({TEXT: "Background:"}) == [("Background:", True)]


def test_where_nothing_is_asked_for_everything_is_wanted() -> None:
    """A need that only tells its situation is taken to want it changed; a need that is a title requires its title."""
    assert required({TEXT: "包丁が錆びる。刃が欠ける。"}) == [("包丁が錆びる。", True), ("刃が欠ける。", True)]
    assert required(need_texts(Profile("need", title="包丁"))) == [("包丁", True)]
    assert required({}) == []


def test_confidential_fields_count_only_when_they_are_passed() -> None:
    """Requirements and constraints come from the caller, line by line, never from the profile."""
    need = Profile("need", summary="安くしたい。")
    texts = need_texts(need, requirements="1分以内\n千円以下", constraints=None)
    assert [text for text, _ in required(texts)] == ["安くしたい。", "1分以内", "千円以下"]
    assert list(need_texts(need)) == ["summary"]


def test_beyond_the_most_requirements_situations_go_first_and_are_counted() -> None:
    """What is asked for stays, in its order; how many were left out is told."""
    kept, left_out = requirements_of({TEXT: "暑い。寒い。軽くしたい。重い。安くしたい。"}, most=3)
    assert [requirement.passage.text for requirement in kept] == ["暑い。", "軽くしたい。", "安くしたい。"]
    assert left_out == 2


def test_languages_follow_the_writing() -> None:
    """An English title of a Japanese entry is English; Latin letters of a German entry are German."""
    passages = sentences({"title": "氷を抑える", "translation_title": "Ice", "summary": "PCRの3法"})
    assert languages_of(passages, "ja") == ["ja", "en", "ja"]
    assert languages_of(passages, "de") == ["ja", "de", "ja"]
    assert languages_of(passages, None) == ["ja", "en", "ja"]


@given(st.dictionaries(st.sampled_from(["summary", "expertise_sought", "requirements", "title"]), st.text(max_size=80)))
def test_every_requirement_is_exactly_at_its_place(texts: dict[str, str]) -> None:
    """Any text has requirements whose offsets are exact and ascend within their field."""
    requirements, left_out = requirements_of(texts)
    assert left_out == 0
    ends: dict[str, int] = {}
    for requirement in requirements:
        passage = requirement.passage
        assert texts[passage.field][passage.start : passage.end] == passage.text
        assert ends.get(passage.field, 0) <= passage.start < passage.end
        ends[passage.field] = passage.end
    assert bool(requirements) == any(text.strip() for text in texts.values())
