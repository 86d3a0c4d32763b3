"""Reranking: the best of a ranking read once more, need and seed together, by a cross-encoder.

Importing this loads no model and no torch.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from enmusubi.matching.encoder import ModelError, Role
from enmusubi.matching.encoder.precision import resolve_precision
from enmusubi.matching.encoder.protocol import hash_parts
from enmusubi.matching.encoder.sentence_transformer import content_hash
from enmusubi.matching.ranking import DECIMALS, Part, Ranked

RERANKER: Final = "reranker"
"""The name of the part that reranking adds to a score."""

FIRST: Final = 30
"""So many of the best are read again, unless set otherwise."""

WEIGHT: Final = 1.0

_VALUE_DECIMALS: Final = 4  # below them lies the noise of how a machine adds
_PASSES: Final = 256  # forward passes of one ranking; long texts take several a pair
_LEAST_ROOM: Final = 16  # tokens of text beside which a window says nothing
_FIX: Final = "set ENMUSUBI_RERANKER to the folder or name of a sentence-transformers CrossEncoder, or unset it"

Values = NDArray[np.float64]


class Pair(NamedTuple):
    """The texts of a need and a seed."""

    need: str
    seed: str


class Reranker(Protocol):
    """Reads pairs and says how well they fit, with a name for everything that decides it."""

    @property
    def name(self) -> str:
        """What people call it; no path of this machine."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over everything that decides a value but the pair."""
        ...

    def scores(self, pairs: Sequence[Pair]) -> Values:
        """A number from 0 to 1 for each pair, in their order, whatever other pairs there are.

        For the first ones only, where all together are more work than one ranking is worth. Any thread may call it.
        """
        ...


def policy_name(policy: str, reranker: Reranker | None) -> str:
    """What ranked: the policy, and the reranker where there is one."""
    return policy if reranker is None else f"{policy}+rerank:{reranker.name}@{reranker.fingerprint[:8]}"


def rerank(
    text: str,
    role: Role,
    ranked: Sequence[Ranked],
    texts: Mapping[int, str],
    reranker: Reranker,
    first: int = FIRST,
) -> list[Ranked]:
    """A ranking, best first, with one part more for the `first` of it, best first again; equal scores by public id.

    `text` is that of the asking side `role`, `texts` are those of the ranked entries by key; an entry without one, or
    beyond what the reranker takes at once, has no such part. The part is never negative: whatever stands below all that
    were read again stays below them. Raises ValueError for a reranker whose numbers are not from 0 to 1.
    """
    read = [one for one in ranked[: max(first, 0)] if texts.get(one.key, "").strip()] if text.strip() else []
    pairs = [Pair(text, texts[one.key]) if role == "need" else Pair(texts[one.key], text) for one in read]
    values = reranker.scores(pairs) if pairs else np.empty(0)
    if len(values) > len(pairs) or not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"the reranker {reranker.name} did not give a number from 0 to 1 for each pair")
    found = {one.key: float(value) for one, value in zip(read, values, strict=False)}
    again = [_with_part(one, found[one.key]) if one.key in found else one for one in ranked]
    return sorted(again, key=lambda one: (-one.score, one.public_id))


def _with_part(ranked: Ranked, value: float) -> Ranked:
    part = Part(RERANKER, round(value, _VALUE_DECIMALS), WEIGHT)
    return replace(ranked, score=round(ranked.score + part.contribution, DECIMALS), parts=(*ranked.parts, part))


def load_reranker(source: str | None, precision: str = "auto") -> "CrossEncoderReranker | None":
    """The reranker of that name or path, None for None; its weights are loaded at the first pair."""
    return None if source is None else CrossEncoderReranker(source, precision)


class CrossEncoderReranker:
    """A sentence-transformers CrossEncoder on the processor; any thread may call it, one at a time gets in.

    The logistic function of what the model says, whatever activation is saved with it: 0 to 1. One pair a pass, so that
    padding to the length of another never changes a value.

    A pair too long for the model is read in windows: nothing is cut. A need's window is as good as the best of the
    seed's windows beside it (Dai and Callan, Deeper Text Understanding for IR with Contextual Neural Language Modeling,
    2019), a need the mean of its windows by their tokens, since all that is needed counts.
    """

    def __init__(self, source: str, precision: str = "auto", passes: int = _PASSES) -> None:
        """`source` is a name or a folder; `passes` is how many windows of pairs are read for one ranking at most."""
        self._source = source
        self._precision = resolve_precision(precision)
        self._passes = passes
        self._model: _Loaded | None = None
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The name, or the last part of the folder's path: where it lies on this machine is nobody's business."""
        folder = Path(self._source)
        return folder.resolve().name if folder.is_dir() else self._source

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over revision, precision, the rule for long pairs and the weight; loads the model."""
        loaded = self._loaded()
        rule = (
            f"windows of {loaded.room} tokens, best of the seed's, mean of the need's by tokens, {self._passes} passes"
        )
        return hash_parts(self.name, loaded.revision, self._precision, rule, str(WEIGHT)).hex()

    def scores(self, pairs: Sequence[Pair]) -> Values:
        """A number from 0 to 1 for each of the first pairs, as many as the passes allow, float64.

        Raises ModelError where the model cannot be loaded.
        """
        with self._lock:
            loaded = self._loaded()
            divided: list[tuple[list[str], list[str]]] = []
            left = self._passes
            for pair in pairs:
                needs, seeds = loaded.windows(pair)
                left -= len(needs) * len(seeds)
                if left < 0:
                    break
                divided.append((needs, seeds))
            values = loaded.values([(need, seed) for needs, seeds in divided for need in needs for seed in seeds])
            combined = np.empty(len(divided))
            start = 0
            for place, (needs, seeds) in enumerate(divided):
                of_pair = values[start : start + len(needs) * len(seeds)].reshape(len(needs), len(seeds))
                # An empty text has no token, and still a window.
                weights = [max(loaded.count(need), 1) for need in needs]
                combined[place] = np.average(of_pair.max(axis=1), weights=weights)
                start += of_pair.size
            return combined

    def _loaded(self) -> "_Loaded":
        with self._lock:
            if self._model is None:
                try:
                    self._model = _Loaded(self._source, self._precision)
                except ModelError:
                    raise
                except (OSError, ValueError) as error:
                    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
                    raise ModelError(f"the reranker {self._source} cannot be loaded ({first_line}); {_FIX}") from error
            return self._model


class _Loaded:
    """A loaded CrossEncoder; not thread-safe."""

    def __init__(self, source: str, precision: str) -> None:
        import torch
        from sentence_transformers import CrossEncoder

        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        with _quietly():
            self._model: Any = CrossEncoder(source, device="cpu", model_kwargs={"dtype": dtype})
        self._model.eval()
        self._activation = torch.nn.Sigmoid()
        config = self._model.config
        # The library puts a layer of random weights on any model that cannot score pairs.
        if type(self._model[0].model).__name__ not in (config.architectures or ()):
            raise ModelError(f"{source} is no CrossEncoder: nothing in it scores a pair; {_FIX}")
        if self._model.num_labels != 1:
            raise ModelError(f"{source} gives {self._model.num_labels} numbers for a pair, a reranker one; {_FIX}")
        commit = getattr(config, "_commit_hash", None)
        revision = content_hash(Path(source)) if Path(source).is_dir() else commit
        if not revision:
            raise ModelError(f"the revision of the reranker {source} cannot be told: give the path of its folder")
        self.revision = str(revision)
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelError(f"{source} has no fast tokenizer; choose a reranker with a tokenizer.json")
        # The library sets truncation on its own one at every call.
        self._tokenizer = Tokenizer.from_str(backend.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        for tokenizer in (backend, self._tokenizer):
            # A text that spells `[SEP]` is a text, not the end of one.
            tokenizer.encode_special_tokens = True
        self.room = self._positions() - self._frame()
        if self.room < _LEAST_ROOM:
            raise ModelError(f"the reranker {source} reads {self.room} tokens of a pair at once, too few; {_FIX}")
        if not np.isfinite(self.values([("a", "a")])).all():
            raise ModelError(f"the reranker {source} gives no finite number; its weights are damaged; {_FIX}")

    def _positions(self) -> int:
        length = self._model.max_seq_length
        known = int(length) if length and length < 1_000_000 else 512
        most = getattr(self._model.config, "max_position_embeddings", None)
        positions = min(known, int(most)) if most else known
        self._model.max_seq_length = positions
        return positions

    def _frame(self) -> int:
        """Tokens around the texts of a pair: special ones, a prompt, a template; two more, to be on the safe side."""
        model = self._model
        features = model.preprocess([("a", "a")], prompt=model.prompts.get(model.default_prompt_name))
        return int(features["input_ids"].shape[1])

    def count(self, text: str) -> int:
        """Tokens of a text by itself."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def windows(self, pair: Pair) -> tuple[list[str], list[str]]:
        """The windows of the need and those of the seed, any two of which fit one pass; whole texts where they do."""
        # Half a surrogate pair (from a JSON escape) is no character; U+FFFD stands for it, as decoders do.
        need, seed = (text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in pair)
        needs = self._split(need, max(self.room // 2, self.room - self.count(seed)))
        return needs, self._split(seed, self.room - max(map(self.count, needs)))

    def _split(self, text: str, size: int) -> list[str]:
        """The text in halves of its tokens, and these again, until each has at most `size` tokens."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        if len(encoding.ids) <= size or len(text) < 2:
            return [text]
        middle = encoding.offsets[len(encoding.ids) // 2][0]
        middle = middle if 0 < middle < len(text) else len(text) // 2
        return [*self._split(text[:middle], size), *self._split(text[middle:], size)]

    def values(self, pairs: list[tuple[str, str]]) -> Values:
        """A number from 0 to 1 for each pair that fits one pass, shape (n,)."""
        if not pairs:
            return np.empty(0)
        found = self._model.predict(pairs, batch_size=1, show_progress_bar=False, activation_fn=self._activation)
        return np.asarray(found, dtype=np.float64)


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the library's progress bar and its report of what is loaded."""
    from transformers.utils import logging as transformers_logging

    progress: Any = transformers_logging
    log = logging.getLogger("transformers")
    level, shown = log.level, progress.is_progress_bar_enabled()
    log.setLevel(logging.ERROR)
    progress.disable_progress_bar()
    try:
        yield
    finally:
        log.setLevel(level)
        if shown:
            progress.enable_progress_bar()
