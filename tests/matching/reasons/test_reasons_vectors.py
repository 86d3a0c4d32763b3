"""Vectors of passages: computed once for each text, packed beside their row, refused when they do not fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enmusubi.matching.encoder import HashEncoder, Progress, Role, Vectors
from enmusubi.matching.reasons.vectors import (
    PackedVectorsError,
    PassageVectors,
    encode_passages,
    pack,
    packed_key,
    passages_key,
    passages_of,
    unpack,
)

TEXTS = {"title": "Ice", "summary": "It melts. It melts. 氷が溶ける。"}
KEY = passages_key("model", "seed", TEXTS)


@dataclass(frozen=True)
class NotingEncoder(HashEncoder):
    """The word-hash encoder, which notes what it was asked to encode."""

    calls: list[tuple[list[str], Role]] = field(default_factory=list)

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        """As the word-hash encoder."""
        self.calls.append((list(texts), role))
        return HashEncoder.encode(self, texts, role, progress)


def encoded() -> PassageVectors:
    """The sentences of TEXTS with their vectors."""
    return encode_passages(HashEncoder(), "seed", [passages_of(TEXTS, "seed")])[0]


def test_missing_vectors_are_computed_in_one_call() -> None:
    """Several entries are one call, with every distinct text once; none at all is no call."""
    encoder = NotingEncoder()
    found = encode_passages(encoder, "seed", [passages_of(TEXTS, "seed"), passages_of({"title": "Ice"}, "seed")])
    assert encoder.calls == [(["Ice", "It melts.", "氷が溶ける。"], "seed")]
    assert [len(each.passages) for each in found] == [4, 1]
    np.testing.assert_array_equal(found[0].vectors[1], found[0].vectors[2])
    np.testing.assert_array_equal(found[0].vectors[0], found[1].vectors[0])
    assert encode_passages(encoder, "seed", [()])[0].vectors.shape == (0, 64)
    assert len(encoder.calls) == 1


def test_known_vectors_are_not_computed_again() -> None:
    """Only texts without a known vector are encoded; with all of them known, nothing is."""
    encoder, known = NotingEncoder(), encoded()
    confidential = TEXTS | {"requirements": "Cheap."}
    found = encode_passages(encoder, "seed", [passages_of(confidential, "seed")], [known])
    assert encoder.calls == [(["Cheap."], "seed")]
    np.testing.assert_array_equal(found[0].vectors[:4], known.vectors)
    assert encode_passages(encoder, "seed", [known.passages], [known])[0].passages == known.passages
    assert len(encoder.calls) == 1


def test_packed_vectors_come_back() -> None:
    """Passages are the same to the character; vectors are the same within half precision."""
    known = encoded()
    data = pack(known, KEY)
    read = unpack(data, KEY, TEXTS)
    assert read.passages == known.passages
    assert packed_key(data) == KEY
    np.testing.assert_allclose(read.vectors, known.vectors, atol=1e-3)
    assert read.vectors.dtype == np.float32
    assert b"melts" not in data


def test_no_passages_can_be_packed() -> None:
    """An entry without sentences has packed vectors too, of no rows."""
    none = PassageVectors((), np.zeros((0, 64), np.float32))
    assert unpack(pack(none, KEY), KEY, {}).vectors.shape == (0, 64)


def test_the_key_covers_model_side_fields_and_texts() -> None:
    """Whatever decides passages or vectors changes the key."""
    keys = {
        KEY,
        passages_key("other", "seed", TEXTS),
        passages_key("model", "need", TEXTS),
        passages_key("model", "seed", TEXTS | {"title": "Snow"}),
        passages_key("model", "seed", {"summary": TEXTS["title"], "title": TEXTS["summary"]}),
        passages_key("model", "seed", {}),
    }
    assert len(keys) == 6


def test_vectors_of_other_texts_are_refused() -> None:
    """Another key is told from damage, and a place outside its field is not read."""
    data = pack(encoded(), KEY)
    with pytest.raises(PackedVectorsError, match="another model"):
        unpack(data, passages_key("other", "seed", TEXTS), TEXTS)
    with pytest.raises(PackedVectorsError, match="place"):
        unpack(data, KEY, {"title": "Ice"})


@given(st.data())
def test_damage_is_noticed(data: st.DataObject) -> None:
    """Bytes cut short, changed or foreign are refused with what to do, never read."""
    whole = pack(encoded(), KEY)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    for damaged in (changed, whole[:place], whole + b"x"):
        with pytest.raises(PackedVectorsError, match="anew"):
            unpack(damaged, KEY, TEXTS)


def test_rows_and_passages_must_agree() -> None:
    """A matrix with another number of rows, numbers that are not finite and a short key are errors."""
    known = encoded()
    with pytest.raises(ValueError, match="4 passages"):
        PassageVectors(known.passages, known.vectors[:2])
    with pytest.raises(ValueError, match="finite"):
        pack(PassageVectors(known.passages, known.vectors * np.float32(np.nan)), KEY)
    with pytest.raises(ValueError, match="32 bytes"):
        pack(known, b"short")
