"""The needs written in both languages measure parity: each is complete, public only, and asked in each direction."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from enmusubi.app.schemas import NeedDraft
from enmusubi.ingest.sources import Entry, read

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
JUDGEMENTS = SAMPLES / "judgements"
PUBLIC = ("title", "summary", "expertise_sought", "applications", "keywords")
CONFIDENTIAL = ("description", "requirements", "constraints", "excluded_organisations", "organisation")
OTHER = {"ja": "en", "en": "ja"}

JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
LETTER = re.compile(r"[^\W\d_]")
DIGITS = re.compile(r"\d+")

Row = dict[str, Any]


def drafts(names: tuple[str, ...], kind: str) -> dict[str, Any]:
    """The sample entries of these files by external id."""
    found = {}
    for name in names:
        for entry in read(SAMPLES / name, "seed" if kind == "seed" else "need"):
            assert isinstance(entry, Entry), f"{name}: {entry}"
            found[str(entry.external_id)] = entry.draft
    return found


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The needs in both languages."""
    return [json.loads(line) for line in (JUDGEMENTS / "bilingual.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def needs() -> dict[str, NeedDraft]:
    """The sample needs, confidential fields included."""
    return drafts(("needs_ja.csv", "needs_en.jsonl"), "need")


def fields(side: Row) -> dict[str, str]:
    """Each field of one language as one text."""
    return {name: "\n".join(value) if isinstance(value, list) else value for name, value in side.items()}


def japanese_share(text: str) -> float:
    """Kana and kanji as a share of the letters of a text."""
    letters = LETTER.findall(text)
    return len(JAPANESE.findall(text)) / len(letters)


def test_every_need_is_a_sample_need_told_once(rows: list[Row], needs: dict[str, NeedDraft]) -> None:
    """At least thirty needs, each a need of the samples and none of them twice."""
    identifiers = [row["_id"] for row in rows]
    assert len(identifiers) == len(set(identifiers)) >= 30
    assert set(identifiers) <= set(needs)


def test_the_original_is_the_public_text_of_the_sample(rows: list[Row], needs: dict[str, NeedDraft]) -> None:
    """The side in the need's own language says exactly what the sample says."""
    for row in rows:
        need = needs[row["_id"]]
        profile = need.profile()
        public = {name: getattr(profile, name) for name in PUBLIC if getattr(profile, name)}
        assert row["original"] == need.language, row["_id"]
        assert row[row["original"]] == {**public, "keywords": list(public["keywords"])}, row["_id"]


def test_the_translation_has_the_same_fields(rows: list[Row]) -> None:
    """A translation fills the fields of its original, no more and no fewer, with as many keywords."""
    for row in rows:
        assert set(row) == {"_id", "original", "ja", "en"}, row["_id"]
        assert list(row["ja"]) == list(row["en"]), row["_id"]
        assert len(row["ja"]["keywords"]) == len(row["en"]["keywords"]), row["_id"]
        assert all(text.strip() for side in (row["ja"], row["en"]) for text in fields(side).values()), row["_id"]


def test_each_side_is_in_its_language(rows: list[Row]) -> None:
    """Japanese fields are written in kana and kanji for the most part, English ones hold none of them."""
    for row in rows:
        for name, text in fields(row["ja"]).items():
            assert japanese_share(text) >= 0.6, f"{row['_id']} ja {name}: {text}"
        for name, text in fields(row["en"]).items():
            assert japanese_share(text) == 0.0, f"{row['_id']} en {name}: {text}"


def test_nothing_confidential_is_told(rows: list[Row], needs: dict[str, NeedDraft]) -> None:
    """No sentence of a confidential field occurs in either language, and no figure that the public text lacks."""
    for row in rows:
        need = needs[row["_id"]]
        told = "\n".join(text for language in ("ja", "en") for text in fields(row[language]).values())
        for name in CONFIDENTIAL:
            value = getattr(need, name) or ""
            text = value if isinstance(value, str) else "\n".join(map(str, value))
            secrets = [part.strip() for part in re.split(r"[\n。、]|[.;,] ", text)]
            assert not [secret for secret in secrets if len(secret) > 2 and secret in told], f"{row['_id']} {name}"
        original, translation = fields(row[row["original"]]), fields(row[OTHER[row["original"]]])
        figures = set(DIGITS.findall("\n".join(translation.values())))
        assert figures <= set(DIGITS.findall("\n".join(original.values()))), row["_id"]


def test_each_direction_is_asked_often_enough(rows: list[Row]) -> None:
    """Right seeds are in one language for each need, and each pair of languages has fifteen needs or more."""
    seeds = drafts(("seeds_ja.xlsx", "seeds_en.jsonl"), "seed")
    right: dict[str, set[str]] = {}
    for line in (JUDGEMENTS / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        need, seed, grade = line.split("\t")
        if grade == "2":
            right.setdefault(need, set()).add(seeds[seed].language)
    directions: Counter[tuple[str, str]] = Counter()
    for row in rows:
        (language,) = right[row["_id"]]
        directions.update((asked, language) for asked in ("ja", "en"))
    assert len(directions) == 4
    assert min(directions.values()) >= 15, directions
