"""Whatever text asks or is indexed, a ranking is total, finite and the same each time, in both directions."""

import math
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enmusubi.matching.encoder import HashEncoder, Role
from enmusubi.matching.fresh import FreshStore
from enmusubi.matching.matchmaker import propose
from enmusubi.matching.policy import DEFAULT, PARTS
from enmusubi.matching.ranking import Ranked
from enmusubi.matching.rows import Asking, Rows, other
from enmusubi.matching.snapshot import Snapshot
from enmusubi.matching.statistics import ROLES
from tests.matching.entries import Visibility, a_snapshot, asking_of, part_of, rows_of

ENCODER = HashEncoder(64)

SENTENCE = "We look for a sensor that measures frost on solar panels. "
SENTENCE_JA = "太陽光パネルの霜を測るセンサを探しています。"
BAD: Mapping[str, str] = {
    "empty": "",
    "white space": " \n\t\u3000",
    "one word": "frost",
    "one character": "霜",
    "50,000 characters": (SENTENCE * 900)[:50_000],
    "50,000 Japanese characters": (SENTENCE_JA * 2400)[:50_000],
    "50,000 characters of one word": "a" * 50_000,
    "only digits": "12345 67890 3.14",
    "only emoji": "😀🎉🚀" * 50,
    "only punctuation": "…!?・、。" * 200,
    "an unknown language": "ვეძებთ სენსორს, რომელიც ზომავს ყინვას მზის პანელებზე. " * 20,
    "another unknown language": "በፀሐይ ፓነሎች ላይ ውርጭን የሚለካ ዳሳሽ እንፈልጋለን።",
    "two languages": f"{SENTENCE}{SENTENCE_JA}" * 6,
    "the same text 1,000 times": SENTENCE * 1000,
    "control characters": "frost\x00\x1b\u200b\ufeff sensor\u2028panel",
    "half a surrogate": "frost \ud800 sensor",
    "a need equal to a seed": "霜センサ frost sensor for solar panels",
}
GOOD = (
    "Frost sensor that measures frost on solar panels",
    "霧の濃度を測るセンサ",
    "Yeast that ferments whey",
    "アルミニウムの摩擦接合",
    "霜センサ frost sensor for solar panels",
)


@cache
def rows(texts: tuple[str, ...], role: Role, first_key: int = 1) -> Rows:
    """Texts as rows, analysed once for all tests."""
    return rows_of(dict(enumerate(texts, start=first_key)), ENCODER, role)


@cache
def asking(text: str, role: Role) -> Asking:
    """A text as it asks, analysed once for all tests."""
    return asking_of(text, ENCODER, role)


def ranking(
    asked: Asking, snapshot: Snapshot | None, fresh: FreshStore, count: int, n: int = 100, reverse: bool = False
) -> list[Ranked]:
    """What is proposed, checked: all of it, finite, in a total order, and the same once more."""
    # Public ids in the order of keys, or against it: both are orders that a database may give.
    visibility = Visibility({key: f"{count - key if reverse else key:03}" for key in range(1, count + 1)})
    proposed = propose(asked, n, snapshot, fresh, DEFAULT, visibility.of, visibility.all)

    assert len(proposed) == min(n, count)
    for one in proposed:
        assert math.isfinite(one.score)
        assert all(math.isfinite(part.value) for part in one.parts)
        assert {part.name for part in one.parts} <= set(PARTS)
        assert one.score == pytest.approx(sum(part.contribution for part in one.parts), abs=1e-6)
    for better, worse in pairwise(proposed):
        assert (-better.score, better.public_id) < (-worse.score, worse.public_id)
    assert propose(asked, n, snapshot, fresh, DEFAULT, visibility.of, visibility.all) == proposed
    return proposed


@pytest.fixture(scope="module")
def everything_bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Snapshot | None, FreshStore]]:
    """A catalogue of all bad texts and a few good ones on both sides: indexed, all fresh, and half and half."""
    texts = (*BAD.values(), *GOOD)
    sides = {role: rows(texts, role) for role in ROLES}
    whole = a_snapshot(tmp_path_factory.mktemp("whole"), sides["seed"], sides["need"])
    alone = FreshStore(ENCODER.dimension)
    cut = len(texts) // 2
    half = a_snapshot(tmp_path_factory.mktemp("half"), part_of(sides["seed"], 0, cut), part_of(sides["need"], 0, cut))
    beside = FreshStore(ENCODER.dimension, half.statistics)
    for role in ROLES:
        alone.put_many(role, sides[role])
        beside.put_many(role, part_of(sides[role], cut, len(texts)))
    return {
        "indexed": (whole, FreshStore(ENCODER.dimension, whole.statistics)),
        "fresh": (None, alone),
        "half": (half, beside),
    }


@pytest.mark.parametrize("place", ["indexed", "fresh", "half"])
@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_text_is_ranked(
    everything_bad: dict[str, tuple[Snapshot | None, FreshStore]], text: str, place: str
) -> None:
    """Each bad text asks, as a need and as a seed, among all the others: every row has its place, none is no number."""
    snapshot, fresh = everything_bad[place]
    count = len(BAD) + len(GOOD)
    for role in ROLES:
        forwards, backwards = (
            ranking(asking(text, role), snapshot, fresh, count, reverse=reverse) for reverse in (False, True)
        )
        assert {one.key: one.score for one in forwards} == {one.key: one.score for one in backwards}
        assert ranking(asking(text, role), snapshot, fresh, count, n=3) == forwards[:3]


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_text_alone_in_the_catalogue_is_ranked(tmp_path: Path, text: str) -> None:
    """A catalogue of one bad text, known or fresh, with no needs, answers it and a good one."""
    only = rows((text,), "seed")
    snapshot = a_snapshot(tmp_path, only)
    alone = FreshStore(ENCODER.dimension)
    alone.put_many("seed", only)

    for asked in (asking(text, "need"), asking(GOOD[0], "need")):
        ranking(asked, snapshot, FreshStore(ENCODER.dimension, snapshot.statistics), 1)
        ranking(asked, None, alone, 1)
        # The other side is empty: nothing to propose, and nothing to crash on.
        assert ranking(asked._replace(role="seed"), snapshot, FreshStore(64, snapshot.statistics), 0) == []


def test_a_need_equal_to_a_seed_finds_it_first(
    everything_bad: dict[str, tuple[Snapshot | None, FreshStore]],
) -> None:
    """The same text on the other side comes before all that is not the same text."""
    text = BAD["a need equal to a seed"]
    texts = (*BAD.values(), *GOOD)
    for snapshot, fresh in everything_bad.values():
        for role in ROLES:
            proposed = ranking(asking(text, role), snapshot, fresh, len(texts))
            assert [texts[one.key - 1] for one in proposed[:2]] == [text, text]


texts = st.one_of(
    st.sampled_from(sorted(BAD.values())),
    st.text(max_size=60),
    st.lists(
        st.sampled_from(["frost", "霜", "sensor", "🎉", "7", "ყინვა", "\n", "Frost-Sensor", "ＡＢＣ"]), max_size=8
    ).map(" ".join),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, max_size=6), st.lists(texts, max_size=4), texts, st.booleans(), st.sampled_from(ROLES))
def test_any_texts_are_ranked_by_any_text(
    tmp_path_factory: pytest.TempPathFactory,
    seeds: list[str],
    needs: list[str],
    text: str,
    published: bool,
    role: Role,
) -> None:
    """Random text and bad text on either side: no crash, no NaN, a total order that does not depend on insertion."""
    sides = {"seed": tuple(seeds), "need": tuple(needs)}
    count = len(sides[other(role)])
    scores = []
    for turn in (1, -1):
        snapshot = None
        if published:
            directory = tmp_path_factory.mktemp("any")
            snapshot = a_snapshot(directory, rows(sides["seed"][::turn], "seed"), rows(sides["need"][::turn], "need"))
        fresh = FreshStore(ENCODER.dimension, snapshot.statistics if snapshot else None)
        if not published:
            for each in ROLES:
                fresh.put_many(each, rows(sides[each][::turn], each))
        proposed = ranking(asking(text, role), snapshot, fresh, count)
        scores.append({one.key if turn == 1 else count + 1 - one.key: one.score for one in proposed})
    assert scores[0] == scores[1]
