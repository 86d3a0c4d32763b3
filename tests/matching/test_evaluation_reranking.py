"""A reranker's effect is measured like everything else."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from enmusubi.matching.encoder.word_hash import HashEncoder
from enmusubi.matching.evaluation import evaluate
from enmusubi.matching.reranking import Pair, Values
from tests.matching.judged_folder import a_folder


class Contrary:
    """Likes only the seeds that share no word with the need."""

    name = "contrary"
    fingerprint = "c" * 64

    def scores(self, pairs: Sequence[Pair]) -> Values:
        return np.array([0.0 if set(pair.need.split()) & set(pair.seed.split()) else 1.0 for pair in pairs])


def test_a_reranker_is_measured(tmp_path: Path) -> None:
    """A reranker that prefers wrong answers costs what it deserves, and changes nothing beyond those it reads."""
    folder, encoder = a_folder(tmp_path / "judged"), HashEncoder()
    plain = evaluate(folder, encoder, tmp_path)
    worse = evaluate(folder, encoder, tmp_path, reranker=Contrary())
    assert worse.measures["nDCG@10"] < plain.measures["nDCG@10"]
    none = evaluate(folder, encoder, tmp_path, reranker=Contrary(), reranked=0)
    assert none.own.run == plain.own.run
