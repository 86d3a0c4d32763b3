"""A background of sentences of seeds that nobody asks for."""

from enmusubi.matching.encoder import HashEncoder
from enmusubi.matching.reasons import Background, PassageVectors, encode_passages, passages_of

ENCODER = HashEncoder(dimension=2048)

_ENGLISH = (
    "A catalyst splits ammonia. Lipid particles carry drugs to the spleen. Radar watches a bed. Lignin is a glue."
)
_JAPANESE = "触媒がアンモニアを分ける。粒子が薬を脾臓へ運ぶ。電波で寝床を見守る。木の成分が糊になる。"
SEEDS = [{"summary": " ".join(f"{part} {number}." for part in _ENGLISH.split(". "))} for number in range(8)]
SEEDS += [{"summary": _JAPANESE.replace("。", f"{number}。")} for number in range(8)]


def seed_vectors(texts: dict[str, str]) -> PassageVectors:
    """The sentences of a seed with their vectors of hashed words."""
    return encode_passages(ENCODER, "seed", [passages_of(texts, "seed")])[0]


def a_background() -> Background:
    """32 sentences in each language, not centred."""
    return Background.of([(seed_vectors(texts), None) for texts in SEEDS], None)
